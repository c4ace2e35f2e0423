"""Environment variables: plain ones, those from Vault, and those of a shared database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scaffold.adoption import computed
from scaffold.adoption.inferred import RECORDED, STOOD, Certainty, Inferred, found, renamed
from scaffold.adoption.reading import as_read, known, text
from scaffold.adoption.secret_book import ROLE, VaultSecret
from scaffold.adoption.standing import Standing
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import STAND_IN, Mark, Placeholder, PlannedResource, Tree, get

_AT = "spec[0].template[0].spec[0].container[0].env"
_PASSWORD = "{password}"


def plain(stack: Standing) -> Iterator[Inferred]:
    """The variables of the app's container that neither Vault nor a database gives."""
    if stack.runs is None:
        return
    for row in k8s.items(stack.container, "env"):
        if _place(stack, row) or (stack.login and reference(row)[0] == stack.login.name):
            continue
        name = text(row, "name")
        value = _setting(stack, row) or value_of(row, stack.shared)
        # One that a key of a Secret is behind is read from it by reference.
        if value is None and not stack.written.variable_key(stack.runs.owner.site, name):
            value = computed.answer(stack, row)
        if value is not None:
            yield found("env", {name: value}, stack.runs.owner, f'{_AT}["{name}"].value')
    for source in k8s.items(stack.container, "env_from"):
        yield from _from_map(stack, source)


def _setting(stack: Standing, row: Tree) -> Value | None:
    """A value that the stack has from a variable of the whole house, as it is written."""
    assert stack.runs is not None
    read = stack.written.settings_in(stack.runs.owner.site, text(row, "name"))
    if read is None or read[0] not in stack.settings:
        return None
    variable, around = read
    return {"variable": variable} | ({"text": around} if around != "{variable}" else {})


def _from_map(stack: Standing, source: Tree) -> Iterator[Inferred]:
    """A ConfigMap or Secret whose keys all become variables."""
    assert stack.runs is not None
    secret = text(source, "secret_ref", 0, "name")
    config_map = text(source, "config_map_ref", 0, "name")
    optional = (
        get(source, "secret_ref", 0, "optional") or get(source, "config_map_ref", 0, "optional")
    ) is True
    if (secret or config_map) and secret not in (*stack.secrets.own, stack.login and stack.login.name):
        item = known({"secret": secret, "config_map": config_map, "optional": optional or None})
        yield found("env_from", [item], stack.runs.owner, f"{_AT}_from")


def reference(row: Tree) -> tuple[str, str]:
    """The Secret and the key that a variable takes its value from; both empty if it takes it from none."""
    key = get(row, "value_from", 0, "secret_key_ref", 0)
    return text(key, "name"), text(key, "key")


def value_of(row: Tree, shared: Mapping[str, str]) -> Value | None:
    """A variable as the answer ``env`` has it; None if nobody can say what it is."""
    value, source = get(row, "value"), get(row, "value_from", 0)
    secret, key = reference(row)
    if secret and key:
        optional = get(source, "secret_key_ref", 0, "optional") is True
        return known({"secret": secret, "key": key, "optional": optional or None})
    if field := text(source, "field_ref", 0, "field_path"):
        return {"field": field}
    written = value.text if isinstance(value, Placeholder) else text(value)
    if (host := _host(written, shared)) is not None or isinstance(value, Placeholder):
        return host
    if isinstance(value, Mark) or source is not None:
        return None
    return "" if value is None else as_read(str(value))


def _host(written: str, shared: Mapping[str, str]) -> Value | None:
    """A text with a shared host in it, which a variable of the house names."""
    for address, host in shared.items():
        rest = re.sub(rf"(?<![\w.-]){re.escape(address)}(?![\w-])", "{host}", written)
        if rest != written:
            whole = {"host": host} if rest == "{host}" else {"host": host, "text": as_read(rest)}
            return whole if STAND_IN not in rest else None
    return None


def _place(stack: Standing, row: Tree) -> tuple[str, str] | None:
    secret, key = reference(row)
    return stack.secrets.own[secret].place(key) if secret in stack.secrets.own else None


def secrets(stack: Standing) -> Iterator[Inferred]:
    """The variables from Vault."""
    pods = list(k8s.pod_templates(stack.own))
    if not stack.secrets.own or not pods:
        return
    owner = stack.runs.owner if stack.runs else pods[0].owner
    if not any(secret.extracts for secret in stack.secrets.own.values()):
        listed = next(iter(stack.secrets.own.values()))
        yield found("secrets_form", "data", listed.resource, "manifest.spec.data")
    singly = set()
    for row in k8s.items(stack.container, "env"):
        if place := _place(stack, row):
            singly.add(reference(row))
            name = text(row, "name")
            source = get(row, "value_from", 0, "secret_key_ref", 0)
            item = _item(stack, name, *place, optional=get(source, "optional") is True)
            yield found("secrets", [item], owner, f'{_AT}["{name}"].value_from')
            yield from _called(name, reference(row)[1], owner)
    for source in k8s.items(stack.container, "env_from"):
        called = text(source, "secret_ref", 0, "name")
        secret = stack.secrets.own.get(called)
        if secret is not None:
            yield found("secrets_env_from", True, owner, f"{_AT}_from")
            for key, (path, prop) in secret.entries.items():
                usual = prop if path == stack.called else f"{path}-{prop}".replace("/", "-")
                fetched = key == usual and key in stack.written.read_while_planned
                if fetched or key in _mounted(stack) or (called, key) in singly:
                    continue  # a header or a tile, a file, or a variable of its own, which brings it itself
                item, at = _item(stack, key, path, prop), f'manifest.spec.data["{key}"]'
                yield found("secrets", [item], secret.resource, at)
    name = _main_secret(stack)
    yield from _extracted(stack)
    if name:
        yield from _names(stack.secrets.own[name], f"{stack.called}-secrets", "secrets", "external_secret")


def _extracted(stack: Standing) -> Iterator[Inferred]:
    """The answer that its whole Vault path is fetched although the app's container reads none of it."""
    name = _main_secret(stack)
    if not name or stack.called not in stack.secrets.own[name].extracts or name in _read(stack.container):
        return
    secret = stack.secrets.own[name]
    yield found("secrets_form", "extract", secret.resource, "manifest.spec.dataFrom")
    pods = k8s.pod_templates(stack.own)
    containers = (c for p in pods for c in p.containers())
    if not any(name in _read(container) for container in containers):
        said = stack.written.above(secret.resource.site)
        reason = next((line for line in said if " " in line), STOOD)
        yield found("unread_reason", reason, secret.resource, "comment above")


def _read(container: Tree) -> set[str]:
    """The Secrets that a container takes its variables from."""
    sources = (text(s, "secret_ref", 0, "name") for s in k8s.items(container, "env_from"))
    return {*(reference(row)[0] for row in k8s.items(container, "env")), *sources}


def _names(secret: VaultSecret, usual: str, part: str, external: str) -> Iterator[Inferred]:
    """The names of a Secret and of its ExternalSecret, which is usually called like it."""
    resource, name = secret.resource, text(secret.resource.get("manifest"), "metadata", "name")
    yield from renamed(resource, secret.name, usual, part, attribute="manifest.spec.target.name")
    yield from renamed(resource, name, secret.name, external, attribute="manifest.metadata.name")


def refresh(stack: Standing) -> Iterator[Inferred]:
    """How often its Secrets are fetched, if they are all fetched as often, and not as usual.

    What a shared module fetches is the module's own business.
    """
    book = stack.secrets
    every = [*book.own.values(), *book.databases.values(), *book.logins.values()]
    fetched = [secret for secret in every if not secret.resource.module]
    times = {text(one.resource.get("manifest"), "spec", "refreshInterval") for one in fetched}
    if len(times) == 1 and (said := times.pop()) not in ("", stack.facts["refresh_interval"]):
        yield found("secrets_refresh", said, fetched[0].resource, "manifest.spec.refreshInterval")


def _mounted(stack: Standing) -> set[str]:
    """The keys of Secrets that the app's container mounts as files."""
    return {text(mount, "sub_path") for mount in k8s.items(stack.container, "volume_mount")}


def _called(variable: str, key: str, owner: PlannedResource) -> Iterator[Inferred]:
    """The key of a Secret that a variable reads, if it does not have the variable's name."""
    at = f'{_AT}["{variable}"].value_from'
    return renamed(owner, key, variable, "secret_keys", variable, attribute=at)


def planned(stack: Standing) -> Iterator[Inferred]:
    """The variables whose values are read from Vault at plan time: the house takes them by reference."""
    for row in k8s.items(stack.container, "env") if stack.runs else ():
        assert stack.runs is not None
        name, hidden = text(row, "name"), get(row, "value") in (Mark.UNKNOWN, Mark.SENSITIVE)
        if hidden and (read := stack.written.variable_key(stack.runs.owner.site, name)):
            path, key = stack.place(read)
            item, at = _item(stack, name, path, key), f'{_AT}["{name}"].value'
            yield found("secrets", [item], stack.runs.owner, at, Certainty.LIKELY)


def _main_secret(stack: Standing) -> str:
    """The Secret that keeps its name: the one of its own Vault path, else the one that the app reads most."""
    read = [reference(row)[0] for row in k8s.items(stack.container, "env")]
    read += [text(s, "secret_ref", 0, "name") for s in k8s.items(stack.container, "env_from")]
    own = {name for name, secret in stack.secrets.own.items() if stack.called in secret.paths}
    return max(stack.secrets.own, key=lambda n: (n in read and n in own, read.count(n)), default="")


def _item(stack: Standing, env: str, path: str, key: str, *, optional: bool = False) -> dict[str, Value]:
    usual = path == stack.called and key == env.lower()
    reason = {} if path == stack.called else {"reason": STOOD}
    more = {"optional": True} if optional else {}
    return {"env": env, **more} if usual else {"env": env, "vault": f"{path}#{key}", **reason, **more}


def database(stack: Standing) -> Iterator[Inferred]:
    """The shared database whose rotated password it reads, and through which variables."""
    if (secret := stack.login) is not None:
        prefix, _, called = secret.role.partition("-")
        engines = {row["role_prefix"]: engine for engine, row in stack.facts["databases"].items()}
        engine = engines[prefix]
        at = "manifest.spec.data"
        yield found("database", engine, secret.resource, at)
        user = called.replace("-", "_")
        if user != stack.called.replace("-", "_"):
            yield found("database_name", user, secret.resource, at, Certainty.LIKELY)
        names = {"role": secret.role, "user": user, "database": user}
        yield found(RECORDED, {"database": names}, secret.resource, f"{at} {ROLE}", Certainty.LIKELY)
        variables = dict(_variables(stack, secret, engine, user))
        at = "manifest.spec.target.template.data"
        # A Secret of which nothing is read has no variable; one that something else reads has the usual one.
        sure = Certainty.ASSUMED if secret.templates and not variables else Certainty.LIKELY
        usual = {"password": "DB_PASSWORD" if secret.templates else ""}
        yield found("database_env", variables or usual, secret.resource, at, sure)
        for row in k8s.items(stack.container, "env"):
            if stack.runs is not None and reference(row)[0] == secret.name:
                yield from _called(text(row, "name"), reference(row)[1], stack.runs.owner)
        usual_name = f"{stack.called}-db-creds"
        yield from _names(secret, usual_name, "database_secret", "database_external_secret")


def _variables(stack: Standing, secret: VaultSecret, engine: str, user: str) -> Iterator[tuple[str, Value]]:
    """The part of the database that each variable takes: the whole connection string, or the password."""
    read = {key: text(row, "name") for row in k8s.items(stack.container, "env")
            if (key := reference(row)[1]) and reference(row)[0] == secret.name}  # fmt: skip
    sources = k8s.items(stack.container, "env_from")
    if any(get(source, "secret_ref", 0, "name") == secret.name for source in sources):
        yield "env_from", True
        read = {key: key for key in secret.templates} | read
    row = stack.facts["databases"][engine]
    for key, variable in read.items():
        written = _with_parts(secret.template(key), stack.shared)
        if written in ("", _PASSWORD):
            yield "password", variable
            continue
        yield "dsn", variable
        scheme, _, rest = written.partition("://")
        if rest == f"{user}:{_PASSWORD}@{{host}}:{row['port']}/{user}":
            yield from [("scheme", scheme)] if scheme != row["scheme"] else []
        else:
            yield "template", written


def _with_parts(written: str, shared: Mapping[str, str]) -> str:
    """A template of a Secret, with the names of its parts in place of their placeholders."""
    head, opened, rest = written.partition("{{")
    inside, closed, tail = rest.partition("}}")
    said = f"{head}{_PASSWORD}{tail}" if opened and closed and inside.strip().startswith(".") else written
    for address in shared:
        said = said.replace(address, "{host}")
    return said
