"""House rules over planned resources: where passwords come from, and what happens when they change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.fleet import Fleet
from scaffold.checks.planned import Plan, PlannedRule, shown, strings
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.monorepo.annotations import RELOADER
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Tree, get

_VERSION = re.compile(r"v([0-9]+)(?:(alpha|beta)([0-9]+))?")


class Reloader(PlannedRule):
    """A rotated password restarts its Deployment."""

    code = "SEC003"
    why = "Database passwords change every week: an app that read one when it started can no longer log in."
    rule = "Secrets and databases"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Servers that read a Secret of the database store and that Reloader does not restart."""
        for pods in plan.pods:
            if not pods.serves:
                continue
            annotations = k8s.annotated(pods.owner)
            # Reloader watches all, or the marked, Secrets of the workload.
            prefixes = RELOADER, f"secret.{RELOADER}auto"
            if any(key.startswith(prefixes) for key in annotations):
                continue
            named = annotations.get(f"secret.{RELOADER}reload")
            asked = set(k8s.secrets(pods)) - set(str(named).split(",") if named is not None else ())
            rotated = _secrets_of_stores(plan, k8s.namespace(pods.owner), asked, rotating=True)
            if read := sorted(rotated & asked):
                fix = f'annotate its metadata with "{RELOADER}auto" = "true"'
                yield self.about(pods.owner, f"it reads {', '.join(map(shown, read))}, which is rotated", fix)


class OldApi(PlannedRule):
    """ExternalSecrets use the fleet's API version."""

    code = "SEC004"
    needs = "external_secrets"
    why = "The operator drops old versions of its API, and then no apply of the stack succeeds."
    rule = "Secrets Management — Vault KV"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """ExternalSecrets of an older version than most others."""
        usual = plan.house.external_secret_api
        for resource, manifest in k8s.manifests(plan.resources, "ExternalSecret"):
            version = get(manifest, "apiVersion")
            if isinstance(version, str) and _rank(version) < _rank(usual):
                yield self.about(resource, f"its version is {version}", f'set apiVersion = "{usual}"')


class CopiedPassword(PlannedRule):
    """A rotated password is read where it is rotated."""

    code = "SEC005"
    why = "A copy of the password in the key-value store is only right until the next rotation."
    rule = "Secrets Management — Vault KV"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Containers that log in as a rotated user with a password of another store."""
        named = plan.house.rotated_names
        for pods, container in plan.containers() if named else ():
            variables = k8s.items(get(container, "env"))
            suspects = [v for v in variables if re.search(named, str(get(v, "name"))) and _secret(v)]
            read = {secret for v in suspects if isinstance(secret := _secret(v), str)}
            copied = _secrets_of_stores(plan, k8s.namespace(pods.owner), read, rotating=False)
            values = set(strings(get(v, "value") for v in variables))
            login = min(_rotated_users(plan.fleet) & values, default=None) if read & copied else None
            for variable in suspects if login else ():
                name, secret = get(variable, "name"), _secret(variable)
                if secret in copied:
                    what = f"{name} of user {shown(login)} is a copy, in {shown(secret)}"
                    store = " or ".join(sorted(plan.house.rotating_stores))
                    yield self.about(pods.owner, what, f"read it with an ExternalSecret of {store}")


def _rotated_users(fleet: Fleet) -> set[str]:
    roles = (role for role in fleet.resources if role.type.endswith("static_role"))
    return set(strings(role.get("username") for role in roles))


def _secrets_of_stores(plan: Plan, namespace: Tree, read: set[str], *, rotating: bool) -> set[str]:
    """The Secrets that ExternalSecrets of a namespace fill from stores that rotate, or from the others.

    Other stacks are asked where this one does not make all Secrets that are ``read``.
    """
    own = plan.own.manifests("ExternalSecret", namespace)
    made = {k8s.name(secret) for secret in plan.own.of_kind("secret", namespace)}
    made |= {k8s.target(manifest) for manifest in own} | plan.house.given_secrets
    return {
        target
        for manifest in (own if made.issuperset(read) else plan.fleet.manifests("ExternalSecret", namespace))
        if isinstance(store := get(manifest, "spec", "secretStoreRef", "name"), str)
        and (store in plan.house.rotating_stores) is rotating
        and isinstance(target := k8s.target(manifest), str)
    }


def _secret(variable: Tree) -> Tree:
    return get(variable, "value_from", 0, "secret_key_ref", 0, "name")


def _rank(version: str) -> tuple[bool, int, str, int]:
    """How new an API version is: a stable one after a beta, a beta after an alpha."""
    found = _VERSION.fullmatch(version.rpartition("/")[2])
    if not found:
        return True, 0, "", 0
    number, stage, step = found.groups()
    return not stage, int(number), stage or "", int(step or 0)
