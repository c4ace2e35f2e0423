"""What Kubernetes manifests say to other stacks: Middlewares, policies, and the quotas of Namespace tiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from scaffold.hcl.evaluate import Names, evaluate, known_text, text
from scaffold.hcl.expressions import Expression
from scaffold.hcl.syntax import Block
from scaffold.reading import part
from scaffold.templates import template

MIDDLEWARE = "Middleware"
"""A Middleware of Traefik, as an ingress names it; its place is :data:`ALLOWLIST` where it is one."""
ALLOWLIST = "allowlist"
POLICY_LABEL = "label of a policy"
"""A label by which a policy leaves a workload out."""
TRUSTED_IMAGES = "trusted images"
"""A pattern of images that an enforced policy admits; its place is the policy's file."""
MAKER = "maker of objects"
"""A chart, a module from elsewhere, or an object of which a controller makes others, which no file shows."""
UNJUDGED = "namespace of any images"
"""A namespace that such a policy does not look at."""
PRIVILEGED = "privileged"
DENIED = "denied by a policy"
"""A capability, or :data:`PRIVILEGED`, that an enforced policy denies; its place is the policy's file."""
EXEMPT = "namespace that may"
"""A namespace in which a policy does not deny it all the same; its place is what is denied elsewhere."""
UNTIERED = "namespace of no tier"
"""A namespace that the policy leaves out which gives pods the priority of their namespace's tier."""
_TIER = "tier"
_PRIORITY = "priorityClassName"
_ALLOWLISTS = ("ipAllowList", "ipWhiteList")


def said(block: Block, names: Names) -> Iterator[tuple[str, str, str]]:
    """What a resource's manifest says, if it has one: what kind of thing, its name, and its place."""
    manifest = manifest_of(block)
    kind = manifest and _text(manifest, names, "kind")
    if manifest is None:
        return
    if kind not in template.facts("operations")["inert_kinds"]:
        yield MAKER, kind or "manifest", _text(manifest, names, "metadata", "namespace")
    if kind in _READERS:
        yield from _READERS[kind](manifest, names)


def _middleware(manifest: Expression, names: Names) -> Iterator[tuple[str, str, str]]:
    name, namespace = (_text(manifest, names, "metadata", key) for key in ("name", "namespace"))
    closed = any(manifest.at("spec", key) for key in _ALLOWLISTS)
    if name and namespace:
        yield MIDDLEWARE, f"{namespace}-{name}@kubernetescrd", ALLOWLIST if closed else ""


def _policy(manifest: Expression, names: Names) -> Iterator[tuple[str, str, str]]:
    matched = (labels for match in _below(manifest, "match") for labels in _below(match, "matchLabels"))
    if _PRIORITY in manifest.text and any(labels.entry(_TIER) for labels in matched):
        yield from ((UNTIERED, namespace, "") for namespace in _excluded(manifest, names))
    for exclude in _below(manifest, "exclude"):
        for labels in _below(exclude, "matchLabels"):
            yield from ((POLICY_LABEL, entry.name or "", "") for entry in labels.entries)
    if _text(manifest, names, "spec", "validationFailureAction") == "Enforce":
        for denied, path in _denied(manifest, names):
            yield DENIED, denied, path
            yield from ((EXEMPT, namespace, denied) for namespace in _excluded(manifest, names))
        for pattern in _below(manifest, "pattern"):
            for containers in _below(pattern, "containers"):
                for image in _below(containers, "image"):
                    patterns = list(_patterns(image, names))
                    # A policy that forbids some images does not trust a registry.
                    if not any(pattern.startswith("!") for pattern in patterns):
                        yield from ((TRUSTED_IMAGES, each, image.source.path) for each in patterns)
                        yield from ((UNJUDGED, each, "") for each in _excluded(manifest, names))


def _denied(manifest: Expression, names: Names) -> Iterator[tuple[str, str]]:
    """What a policy denies, each with the policy's file."""
    for pattern in _below(manifest, "pattern"):
        for allowed in _below(pattern, "=(privileged)"):
            if evaluate(allowed, names) is False:
                yield PRIVILEGED, allowed.source.path
    for conditions in _below(manifest, "conditions"):
        for each in (
            item for key in ("any", "all") for given in _below(conditions, key) for item in given.elements
        ):
            values = each.at("value")
            if values and "capabilities.add" in _text(each, names, "key"):
                yield from ((name, values.source.path) for name in _names(values, names))


def _excluded(manifest: Expression, names: Names) -> Iterator[str]:
    """The namespaces that a policy's rules exclude."""
    for exclude in _below(manifest, "exclude"):
        for namespaces in _below(exclude, "namespaces"):
            yield from _names(namespaces, names)


def _names(listed: Expression, names: Names) -> Iterator[str]:
    """The texts in a list, as far as they are known."""
    known = evaluate(listed, names)
    return (name for name in known if isinstance(name, str)) if isinstance(known, list) else iter(())


def _patterns(image: Expression, names: Names) -> Iterator[str]:
    """The patterns of a policy, which are separated by bars, written as one text or joined by them."""
    call = image.bare.call
    parts = evaluate(call.arguments[1], names) if call and call.function == "join" else [text(image, names)]
    for one in parts if isinstance(parts, list) else ():
        yield from (each.strip() for each in str(one or "").split("|") if each.strip())


_READERS = {"Middleware": _middleware, "ClusterPolicy": _policy}


def manifest_of(block: Block) -> Expression | None:
    """A resource's manifest, if it has one: written as a value, or as YAML that is encoded from one."""
    encoded = block.body.value("yaml_body")
    call = encoded.bare.call if encoded else None
    if call and call.function == "yamlencode" and call.arguments:
        return call.arguments[0]
    return block.body.value("manifest")


def _text(value: Expression, names: Names, *keys: str) -> str:
    return known_text(value.at(*keys), names)


def _below(value: Expression, key: str) -> Iterator[Expression]:
    """The values of a key at any depth of lists, mappings, and what a ``for`` makes of each item."""
    if found := value.at(key):
        yield found
    for inner in (*value.elements, *(e.value for e in value.entries if e.name != key), *value.made):
        yield from _below(inner, key)


TierFact: TypeAlias = tuple[str, str, str]
"""A tier, the name of a fact about it, and its value."""

_MEMORY = r"[1-9][0-9]*(Mi|Gi)"
_QUOTA = {
    "requests.memory": ("memory_quota", _MEMORY),
    "limits.memory": ("limits_quota", _MEMORY),
    "requests.cpu": ("cpu_quota", r"[1-9][0-9]*m?|0\.[0-9]+"),
    "pods": ("pods_quota", r"[1-9][0-9]*"),
}


def tier_facts(blocks: Iterable[Block]) -> Iterator[TierFact]:
    """What the policies among these blocks say about each tier, as far as they use literals.

    A rule counts that generates a ResourceQuota or a LimitRange for the Namespaces of one label ``tier``.
    """
    for block in blocks:
        if (manifest := manifest_of(block)) is not None:
            for rule in _items(part(manifest.literal(), "spec", "rules")):
                yield from _of_rule(rule)


def _of_rule(rule: object) -> Iterator[TierFact]:
    named = "resources", "selector", "matchLabels", "tier"
    chosen = [part(item, *named) for item in _items(part(rule, "match", "any"))]
    if len(chosen) != 1 or not isinstance(chosen[0], str):
        return
    tier = chosen[0].partition("-")[2]
    kind, spec = part(rule, "generate", "kind"), part(rule, "generate", "data", "spec")
    if kind == "ResourceQuota":
        for key, (fact, pattern) in _QUOTA.items():
            amount = part(spec, "hard", key)
            if amount is not None and re.fullmatch(pattern, str(amount)):
                yield tier, fact, str(amount)
    for limit in _items(part(spec, "limits")) if kind == "LimitRange" else ():
        amount = part(limit, "max", "memory")
        if part(limit, "type") == "Container" and re.fullmatch(_MEMORY, str(amount)):
            yield tier, "memory_max", str(amount)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
