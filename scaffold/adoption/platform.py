"""The Namespace, the names of existing objects, and the app's rights in the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.adoption.inferred import RECORDED, STOOD, Certainty, Inferred, found, renamed
from scaffold.adoption.reading import first, known, labels, name_of, number, text, texts
from scaffold.adoption.standing import Standing
from scaffold.reading import YamlError, load
from scaffold.templates import template
from scaffold.templates.questions import Value, asked
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get


def namespace(stack: Standing) -> Iterator[Inferred]:
    """Its Namespace tier, whether Keel may move its images, and its further labels."""
    keel = template.facts("operations")["keel"]
    made = next((n for n in stack.namespaces if k8s.name(n) == stack.namespace), None)
    if made is None:
        return
    at = "metadata[0].labels"
    said = labels(made.get("metadata", 0, "labels"))
    if stack.tier in {option.value for option in asked()["tier"].options}:
        yield found("tier", stack.tier, made, f"{at}.tier")
    if said.get(keel["enrolled"]) != "true":
        yield found("keel", "pinned", made, at)
    own = [stack.facts["quota_label"]] if _limits(stack, "resource_quota") else []
    own += [stack.facts["limit_range_label"]] if _limits(stack, "limit_range") else []
    further = labels(made.get("metadata", 0, "labels"), ("tier", keel["enrolled"], *own))
    if further:
        yield found("namespace_labels", further, made, at)


def _limits(stack: Standing, kind: str) -> PlannedResource | None:
    named = {"resource_quota": "quota", "limit_range": "limits"}[kind]
    all_ = k8s.of_kind(stack.own, kind)
    return next((r for r in all_ if k8s.name(r) == f"{stack.name}-{named}"), None)


def limits(stack: Standing) -> Iterator[Inferred]:
    """A quota and limits of its own."""
    if (quota := _limits(stack, "resource_quota")) is not None:
        hard = labels(quota.get("spec", 0, "hard"))
        names = {
            "requests.memory": "requests_memory",
            "limits.memory": "limits_memory",
            "requests.cpu": "requests_cpu",
        }
        value: dict[str, Value] = {answer: hard[name] for name, answer in names.items() if name in hard}
        yield found("quota", known({**value, "pods": number(hard.get("pods"))}), quota, "spec[0].hard")
    if (range_ := _limits(stack, "limit_range")) is not None:
        limit = range_.get("spec", 0, "limit", 0)
        names = {"max": "max_memory", "default": "default_memory", "default_request": "default_request"}
        entries = {answer: text(limit, name, "memory") for name, answer in names.items()}
        yield found("limit_range", known(entries), range_, "spec[0].limit")


def names(stack: Standing) -> Iterator[Inferred]:
    """The names of existing objects, none of which can change."""
    app, service = stack.app, stack.service
    if "_" in stack.name and stack.resources:
        kept = {"made_as": stack.called}
        yield found(RECORDED, {"names": kept}, stack.resources[0], "the stack's directory", Certainty.LIKELY)
    if app is not None:
        matched = labels(app.owner.get("spec", 0, "selector", 0, "match_labels"))
        deployment, selector = name_of(app.owner), matched.get("app") or text(app.labels.get("app"))
        kept = {"namespace": stack.namespace, "deployment": deployment, "selector": selector}
        more = {"matched": dict(matched)} if set(matched) != {"app"} else {}
        yield found(RECORDED, {"names": known(kept) | more}, app.owner, "metadata[0].name")
        if (container := text(stack.container, "name")) and container != deployment:
            yield found("object_names", {"container": container}, app.owner, "container[0].name")
    else:
        yield from _names_without_app(stack)
    if service is not None:
        yield found(RECORDED, {"names": {"service": name_of(service)}}, service, "metadata[0].name")


def _names_without_app(stack: Standing) -> Iterator[Inferred]:
    """The names, if only jobs run or everything runs elsewhere: its blocks follow its Namespace's name."""
    made = next((one for one in stack.namespaces if k8s.name(one) == stack.namespace), None)
    if made is None:
        return
    kept = {"namespace": stack.namespace} if stack.namespace != stack.name else {}
    label = made.name.replace("_", "-")
    if label != stack.called and not made.module:
        kept["deployment"] = label
    if kept:
        yield found(RECORDED, {"names": kept}, made, "metadata[0].name")


def certificate(stack: Standing) -> Iterator[Inferred]:
    """Whether the stack brings its own copy of the certificate."""
    for resource in stack.made_by(stack.modules.tls):
        yield found("tls_secret", True, resource)
        return


def sealed(stack: Standing) -> Iterator[Inferred]:
    """Whether people seal Secrets of their own, which the template reads from files beside the stack."""
    labels_ = (block.labels for block in stack.written.blocks)
    if stack.resources and ("kubernetes_manifest", "sealed_secrets") in labels_:
        yield found("sealed_secrets", True, stack.resources[0], "kubernetes_manifest.sealed_secrets")


def access(stack: Standing) -> Iterator[Inferred]:
    """The rights of its ServiceAccount, from the roles that are bound to it."""
    used = {text(pods.spec, "service_account_name") for pods in k8s.pod_templates(stack.own)}
    made = [name_of(r) for r in k8s.of_kind(stack.own, "service_account")]
    account = next((name for name in made if name in used), None)
    if account is None:
        return
    bindings = tuple(k8s.of_kind(stack.own, "role_binding", "cluster_role_binding"))
    resource = next(r for r in k8s.of_kind(stack.own, "service_account") if k8s.name(r) == account)
    held = any(get(s, "name") == account for b in bindings for s in k8s.items(b.get("subject")))
    if stack.app and not get(stack.app.spec, "service_account_name"):
        yield found("service_account", "jobs", resource)
    elif not held:
        yield found("service_account", "own", resource)
    called = name_of(stack.app.owner) if stack.app else stack.name
    yield from renamed(resource, account, called, "account")
    for role in k8s.of_kind(stack.own, "role", "cluster_role"):
        bound = [b for b in bindings if get(b.get("role_ref", 0), "name") == k8s.name(role)]
        for binding in bound:
            if any(get(s, "name") == account for s in k8s.items(binding.get("subject"))):
                place = "*" if k8s.kind(binding) == "cluster_role_binding" else text(k8s.namespace(binding))
                rows = [_rule(rule, place, stack.namespace) for rule in k8s.items(role.get("rule"))]
                yield found("rbac", [row for row in rows if row], role, "rule", Certainty.LIKELY)
                yield from _names(stack, called, place, role, binding)


def _names(
    stack: Standing, called: str, place: str, role: PlannedResource, binding: PlannedResource
) -> Iterator[Inferred]:
    """The names of a role and its binding, if they are not the Service's, and where they apply."""
    own = place == stack.namespace
    usual = called if own else f"{called}-everywhere" if place == "*" else f"{called}-{place}"
    for part, resource in (("roles", role), ("bindings", binding)):
        yield from renamed(resource, name_of(resource), usual, part, "" if own else place)


def _rule(rule: Tree, place: str, own: str) -> Mapping[str, Value]:
    groups = texts(rule, "api_groups")
    row = {
        "namespace": "" if place == own else place,
        "reason": "" if place == own else STOOD,
        "resources": texts(rule, "resources"),
        "verbs": texts(rule, "verbs"),
    }
    row["resource_names"] = texts(rule, "resource_names")
    unknown_ = not row["resources"] or not row["verbs"]
    return {} if unknown_ else known(row) | ({} if groups == [""] else {"api_groups": groups})


def callers(stack: Standing) -> Iterator[Inferred]:
    """The namespaces whose pods may reach it, if a NetworkPolicy keeps out all others."""
    usual = {stack.facts["reached_from"][name] for name in ("ingress", "metrics", "monitors", "dashboard")}
    name = name_of(stack.app.owner) if stack.app else ""
    for policy in k8s.of_kind(stack.own, "network_policy"):
        rule = policy.get("spec", 0, "ingress", 0)
        allowed = [
            text(peer, "namespace_selector", 0, "match_labels", "kubernetes.io/metadata.name")
            for peer in k8s.items(rule, "from")
            if first(peer, "namespace_selector") is not None
        ]
        if k8s.name(policy) == name and allowed and all(allowed):
            asked_for = [one for one in allowed if one not in usual] or allowed[:1]
            yield found("reached_by", [{"namespace": one} for one in asked_for], policy, "spec[0].ingress")


def _called_there(written: str) -> str:
    """What Grafana calls the one datasource of a file."""
    try:
        file = load(written)
    except YamlError:
        return ""
    sources = file.get("datasources") if isinstance(file, dict) else None
    only = sources[0] if isinstance(sources, list) and len(sources) == 1 else None
    return str(only.get("name") or "") if isinstance(only, dict) else ""


def datasource(stack: Standing) -> Iterator[Inferred]:
    """Whether Grafana reads its database."""
    grafana = stack.facts["grafana"]
    for resource in k8s.of_kind(stack.own, "config_map") if stack.secrets.databases else ():
        usual = name_of(resource) == f"grafana-{stack.called}-datasource"
        if usual and grafana["datasource_label"] in labels(resource.get("metadata", 0, "labels")):
            yield found("grafana_datasource", True, resource, "metadata[0].labels", Certainty.LIKELY)
            written = k8s.mapping(resource.get("data")).get(f"{stack.called}-datasource.yaml")
            if title := _called_there(text(written)):
                yield found("title", title, resource, "data", Certainty.LIKELY)
