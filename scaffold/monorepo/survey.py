"""What the monorepo says about itself, read from its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import product

from scaffold.monorepo import features
from scaffold.monorepo.facts import is_of_templates, merged, overrides, stands_apart
from scaffold.monorepo.manifests import ALLOWLIST, MIDDLEWARE, POLICY_LABEL
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.uses import PROOF, STORED, WILDCARD
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value


def survey(monorepo: Monorepo) -> dict[str, Value]:
    """The facts of this monorepo that differ from the template's defaults; see ``sensing.sense``.

    What it reads, and whatever else it looks for, is among ``sensing.state``.
    """
    found: dict[str, Value] = {}
    if monorepo.domain is not None:
        found["domain"] = monorepo.domain
    found["shared_modules"] = _modules(monorepo)
    found["runs"] = _runs(monorepo)
    login = decisions.house()["login"]
    if monorepo.fleet and next(monorepo.terraform_files(login, login.lower()), None) is None:
        found["login"] = _SOME_LOGIN
    variables = monorepo.ingress_module.variables
    found["ingress_takes"] = [n for n in template.facts("operations")["ingress_may_take"] if n in variables]
    made = [one for one in monorepo.ingress_module.resources if one.startswith("kubernetes_ingress")]
    if len(made) == 1:
        found["ingress_resource"] = made[0]
    if variables:
        lacks = [n for n in template.facts("operations")["ingress_may_lack"] if n not in variables]
        found["ingress_lacks"] = lacks
        if (
            "external_monitor" in lacks
            and not (monorepo.root / decisions.house()["lists"]["internal-monitors"]).is_file()
        ):
            found["monitors"] = ""
        if "dns_type" in lacks:
            found["dns_types"] = ["none"]
    if (wakes := variables.get("sablier")) is not None:
        usual = decisions.house()["wakes_usually"]
        said = {name: wakes.parts[name] for name in usual if isinstance(wakes.parts.get(name), str)}
        found["wakes_usually"] = {**usual, **said}
    dns_type = variables.get("dns_type")
    if dns_type is not None and dns_type.allowed:
        found["dns_types"] = list(dns_type.allowed)
    found["root_file"] = monorepo.root_file
    if monorepo.tier0_stacks:
        found["tier0_stacks"] = list(monorepo.tier0_stacks)
    domain = str(found.get("domain", decisions.house()["domain"]))
    found.update(_external_secrets(monorepo))
    found.update(_exposure(monorepo, domain))
    found.update(_lifecycles(monorepo))
    found.update(_tiers(monorepo))
    found.update(_memory(monorepo))
    found.update(_builds(monorepo, domain))
    script = decisions.house()["mirror"]["script"]
    found["mirror"] = {"there": (monorepo.root / script).is_file()}
    said = {fact: value for fact, value in overrides(monorepo.root).items() if fact != "lists"}
    return _difference(decisions.house(), merged(found, said))


_SOME_LOGIN = "single sign-on"


def _modules(monorepo: Monorepo) -> dict[str, Value]:
    """The shared modules by what they are for, without the names of those that are not there."""
    shared = monorepo.shared
    there = {name: called if monorepo.has_module(called) else "" for name, called in shared.names.items()}
    return {**there, "directory": shared.directory}


def _runs(monorepo: Monorepo) -> dict[str, Value]:
    """What runs in the cluster for all Services: for a house without stacks, this is not known."""
    told = decisions.house()["runs"].keys() & features.names() if monorepo.fleet else ()
    return {name: bool(features.find(monorepo, name)) for name in told}


def _external_secrets(monorepo: Monorepo) -> dict[str, Value]:
    secrets = [secret for stack in monorepo.fleet.values() for secret in stack.external_secrets]
    if not secrets:
        return {}
    return {
        "external_secret_api": Counter(secret.api for secret in secrets).most_common(1)[0][0],
        "external_secret_force_conflicts": Counter(secret.forced for secret in secrets).most_common(1)[0][0],
    }


def _exposure(monorepo: Monorepo, domain: str) -> dict[str, Value]:
    """What decides who reaches a host: the wildcard record, allowlists, and how Anubis is told what to do."""
    uses = [use for stack in monorepo.fleet.values() for use in stack.uses]
    wildcards = [use.place for use in uses if use.kind == WILDCARD and use.name in ("*", f"*.{domain}")]
    usual = decisions.house()["allowlists"]
    lists = {use.name for use in uses if use.kind == MIDDLEWARE and use.place == ALLOWLIST}
    proofs = [use.place for use in uses if use.kind == PROOF]
    rules = template.facts("operations")["anubis_rules"]
    return {
        "anubis_rules": rules if rules in monorepo.anubis_module.variables else "",
        "anubis_store": bool(proofs) and all(place == STORED for place in proofs),
        "allowlists": [*usual, *sorted(lists.difference(usual))],
        **({"wildcard_dns": wildcards[0]} if wildcards else {}),
    }


def _lifecycles(monorepo: Monorepo) -> dict[str, Value]:
    """What controllers write to objects: what stacks ignore, and what Keel's policy goes by."""
    marker = decisions.house()["load_balancer"]["marker"]
    marked = next(monorepo.terraform_files(marker), None) is not None
    uses = (use for stack in monorepo.fleet.values() for use in stack.uses)
    labelled = any(
        use.kind == POLICY_LABEL and use.name == template.facts("operations")["keel"]["policy"]
        for use in uses
    )
    return {"load_balancer": {"marked": marked}, "keel_label": labelled}


def _tiers(monorepo: Monorepo) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for stack in monorepo.fleet.values():
        for tier, fact, value in stack.tier_facts:
            usual = decisions.house()["tiers"].get(tier, {}).get(fact)
            if usual is not None:
                found.setdefault(tier, {})[fact] = type(usual)(value)
    return {"tiers": found} if found else {}


_MOST = 0.6
"""The share of containers from which on something is usual, and no matter of single apps."""


def _memory(monorepo: Monorepo) -> dict[str, Value]:
    """How memory is requested: whether containers request less than their limit, and how the GPU's is."""
    pods = (pod for stack in monorepo.fleet.values() for pod in stack.pods)
    told = [c.burstable for pod in pods for c in pod.containers if c.burstable is not None]
    asked = next(monorepo.terraform_files(decisions.house()["gpu_memory"]["resource"]), None) is not None
    return {
        "burstable": {"usual": bool(told) and sum(told) >= _MOST * len(told)},
        "gpu_memory": {"asked": asked},
    }


def _builds(monorepo: Monorepo, domain: str) -> dict[str, Value]:
    """The house's own registry for each build mode, and the mode of most of its own images.

    A registry is the commonest below the house's domain with the mode's pull secret. A default that is in
    use at all stays: during a move between registries both are. Images that anybody may pull tell nothing
    of the mode: there are old ones and strangers' ones among them.
    """
    seen = _registries(monorepo)
    found = {}
    uses: Counter[str] = Counter()
    for mode, row in decisions.house()["builds"].items():
        registries = seen.get(row["pull_secret"], Counter())
        own = [name for name, _ in registries.most_common() if name.split("/")[0].endswith(f".{domain}")]
        registry = row["registry"]
        if own and registry not in registries:
            registry = own[0]
            found[mode] = {"registry": registry}
        uses[mode] = registries[registry]
    # Of modes that share a registry the first one is the usual one.
    usual, count = uses.most_common(1)[0]
    return {"builds": found, **({"own_build": usual} if count else {})}


def _registries(monorepo: Monorepo) -> dict[str, Counter[str]]:
    """For each pull secret, the registries of the images in pods that have it."""
    seen: dict[str, Counter[str]] = {}
    for pod in (pod for stack in monorepo.fleet.values() for pod in stack.pods):
        for secret, container in product(pod.pull_secrets, pod.containers):
            image = container.reference
            if image.registry and "$" not in image.home:
                seen.setdefault(secret, Counter())[image.home] += 1
    return seen


def _difference(
    default: Mapping[str, Value], found: Mapping[str, Value], path: tuple[str, ...] = ()
) -> dict[str, Value]:
    """How ``found`` differs from ``default``: rows are taken whole, because their values belong together.

    A row is a mapping that holds more than rows. What the templates themselves rely on in it follows them if
    it does not differ.
    """
    result: dict[str, Value] = {}
    for key, value in found.items():
        usual, at = default.get(key), (*path, key)
        if not isinstance(usual, Mapping) or not isinstance(value, Mapping):
            if usual != value:
                result[key] = value
        elif inner := _difference(usual, value, at):
            whole = merged(usual, value)
            is_row = not stands_apart(at) and not all(isinstance(part, Mapping) for part in whole.values())
            kept = {name: part for name, part in whole.items() if not is_of_templates((*at, name))}
            result[key] = {**kept, **inner} if is_row else inner
    return result
