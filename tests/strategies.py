"""Valid answers, generated from the very schema that validates them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st

from scaffold.answers import validation
from scaffold.answers.sources import Answers
from scaffold.templates import decisions, questions

TEXT = st.text(
    st.characters(min_codepoint=32, blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=40
)
"""One line of any text, with everything that HCL, YAML and the shell find special among it."""


NAME = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)


@cache
def of_type(value_type: str) -> st.SearchStrategy[Any]:
    """Values of a type of the questions. Made once, for making it costs more than what it draws."""
    return by_schema(questions.types()[value_type])


def by_schema(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a JSON Schema of the kind that the questions use."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "type" not in schema:
        return st.nothing()
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_kind(kind, schema) for kind in kinds])


def _of_kind(kind: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if kind == "null":
        return st.none()
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if kind == "array":
        return st.lists(by_schema(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
    if kind == "object":
        return _mapping(schema)
    if schema["pattern"].startswith(r"^[^\x00-\x1f") and "minLength" in schema:
        return TEXT
    return _matching(schema["pattern"], schema.get("maxLength", 200))


@cache
def _matching(pattern: str, longest: int) -> st.SearchStrategy[str]:
    found = st.from_regex(re.compile(pattern), fullmatch=True)
    return found.filter(lambda text: len(text) <= longest and "\n" not in text)


def _mapping(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "propertyNames" in schema:
        return st.dictionaries(
            by_schema(schema["propertyNames"]), by_schema(schema["additionalProperties"]), max_size=4
        )
    required = set(schema.get("required", []))
    properties = {name: by_schema(part) for name, part in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: part for name, part in properties.items() if name in required},
        optional={name: part for name, part in properties.items() if name not in required},
    )


_OF_MANY = {
    "answers.namespace-quota": (
        "quota", "memory", "memory_request", "cpu", "replicas", "sidecars", "workloads", "init_containers", "cron_jobs",
        "jobs",
    ),
    "answers.volume-unused": ("volumes",),
}  # fmt: skip
"""Findings that hang on more answers than the one that they name."""


@st.composite
def valid_answers(draw: st.DrawFn) -> dict[str, Any]:
    """Answers that pass every check: by their schema, together, and in conditions of each other."""
    values: dict[str, Any] = {}
    for question in questions.asked().values():
        if question.has_default and draw(st.booleans()) and not question.core:
            continue
        if question.options:
            values[question.name] = draw(st.sampled_from([option.value for option in question.options]))
        elif question.type == "bool":
            values[question.name] = draw(st.booleans())
        else:
            values[question.name] = draw(of_type(question.name))
    _reconcile(values, draw)
    found = validation.problems(Answers(values), {}, {})
    for _ in range(20):
        if not found:
            break
        for finding in found:
            name = re.split(r"[.\[]", finding.answer or "")[0]
            # The default of the title is made of the name, which may look drawn at random.
            if values.pop(name, None) is None and name == "title":
                values["title"] = "A title"
            for name in _OF_MANY.get(finding.code, ()):
                values.pop(name, None)
        _reconcile(values, draw)
        found = validation.problems(Answers(values), {}, {})
    assert not found, found
    return values


def _reconcile(values: dict[str, Any], draw: st.DrawFn) -> None:
    """What the answers need of each other, chosen anew where it does not fit."""
    values.setdefault("name", draw(NAME))
    values.setdefault("description", draw(TEXT))
    shape = values.get("shape", "web")
    if shape == "jobs" and not values.get("cron_jobs"):
        values["cron_jobs"] = [{"name": "nightly", "schedule": "5 1 * * *"}]
    values.setdefault("port", draw(st.integers(1024, 65535)))
    if shape == "external":
        values.setdefault("backend", draw(st.sampled_from(["192.0.2.7", "drive.example.org"])))
        if values.get("gate") == "anubis":
            values["gate"] = "required"
        if not re.fullmatch(r"[0-9.]+", values["backend"]):
            values["service_port"] = values["port"]
    if values.get("gpu"):
        values["tier"] = "gpu"
    gate = values.get("gate", "required")
    if gate != "required":
        values.setdefault("gate_reason", f"{draw(TEXT).replace(' ', '')}! is why")
        if not re.search(r"\S \S", values["gate_reason"]):
            values["gate_reason"] = "a reason in words"
    built = decisions.house()["builds"][values.get("build", "upstream")]
    owned = built["owned"]
    values["image"] = (
        draw(st.sampled_from(["", f"{built['registry']}/app"]))
        if owned
        else draw(
            st.sampled_from(
                [
                    "docker.io/library/nginx:1.29.0",
                    "ghcr.io/a/b:v2",
                    "quay.io/a/b@sha256:" + "0" * 64,
                    "lscr.io/linuxserver/code-server:4.100.3",
                ]
            )
        )
    )
    values["memory"] = draw(st.sampled_from(["128Mi", "256Mi", "1Gi", "3Gi"]))
    if values.get("tier", "aux") in ("aux", "edge"):
        values["memory_request"] = draw(st.sampled_from(["", "32Mi", "64Mi"]))
    else:
        values.pop("memory_request", None)
    if values.get("dns") == "internal":
        values["dns"] = "proxied"
    template = values.get("database_env", {}).get("template")
    if template:
        values["database_env"] = {
            **values["database_env"], "dsn": "DSN", "scheme": "", "template": "{user}:{password}@tcp({host}:{port})/{name}",
        }  # fmt: skip
    _reconcile_volumes(values, draw)
    values["adopt"] = [kind for kind in values.get("adopt", []) if kind in ("namespace", "service")]
    if not decisions.house()["shapes"][values.get("shape", "web")]["app"]:
        values["adopt"] = []
    _reconcile_pod(values, draw)
    _reconcile_workloads(values, draw)
    _reconcile_ingresses(values)
    _reconcile_reasons(values)
    for name in [name for name in questions.asked() if name in values and not applies(name, values)]:
        del values[name]


def applies(name: str, values: Mapping[str, Any]) -> bool:
    """Whether the declared condition of a question holds for these answers and the defaults of the others."""
    asked = questions.asked()
    return all(
        questions.fits(values.get(other, asked[other].default), wanted)
        for other, wanted in questions.condition(asked[name]).items()
    )


def _reconcile_pod(values: dict[str, Any], draw: st.DrawFn) -> None:
    shared = values.get("rwx", False)
    if any((shared if v.get("rwx") is None else v["rwx"]) is False for v in values.get("volumes", [])):
        values["replicas"] = min(values.get("replicas", 1), 1)
        if values.get("strategy") == "RollingUpdate":
            values["strategy"] = "Recreate"
    for probe in values.get("probes", {}).values():
        probe["port"] = draw(st.sampled_from([None, values.get("port")]))
        if probe.get("command"):
            probe.pop("path", None)
            probe.pop("port", None)
        if values.get("shape") == "worker":
            probe.pop("port", None)
            probe.pop("path", None)
            probe.setdefault("command", ["alive"])
    if values.get("shape") in ("worker", "jobs", "external"):
        values.get("annotations", {}).pop("service", None)
    if values.get("busy"):
        values.get("probes", {}).pop("liveness", None)
    if values.get("ephemeral_storage"):
        values["ephemeral_storage"].update(request="1Gi", limit="2Gi")
    for number, item in enumerate(values.get("config_maps", [])):
        item["name"] = f"state-{number}"
    lists = ("sidecars", "init_containers", "cron_jobs", "jobs")
    for one in (values, *(item for name in lists for item in values.get(name) or ())):
        for given in (one.get("env") or {}).values():
            if isinstance(given, dict) and "variable" in given:
                given["variable"] = "public_ip"  # the house gives every stack this one
    if values.get("quota"):
        values["quota"]["requests_memory"] = "8Gi"
    if values.get("limit_range"):
        values["limit_range"] = {"max_memory": draw(st.sampled_from(["4Gi", "16Gi"]))}
    for item in values.get("cron_jobs", []):
        item["schedule"] = draw(st.sampled_from(["5 1 * * *", "*/5 0-6/2 1,15 jan-MAR,7 SUN"]))
        item["timezone"] = draw(st.sampled_from(["", "Europe/Sofia"]))
    values.get("availability", {}).pop("max_unavailable", None)
    if values.get("availability", {}).get("min_available") or values.get("replicas", 1) < 2:
        values.pop("availability", None)
    if values.get("devices"):
        values["node_selector"] = {"kubernetes.io/hostname": "node-1"}
        values.get("security", {}).pop("privilege_escalation", None)
    for device in values.get("devices", []):
        device["reason"] = "it reads there"
    for number, port in enumerate(values.get("ports", [])):
        if port.get("to"):
            first = 20000 + 100 * number
            port |= {"name": f"range-{number}", "port": first, "to": first + 1 + port["to"] % 9}
            port.pop("service_port", None)
        if not port.get("in_service", True):
            port.pop("service_port", None)
    jobs = [*values.get("cron_jobs", []), *values.get("jobs", [])]
    if values.get("service_account") == "jobs" and not any(job.get("service_account") for job in jobs):
        values.pop("service_account")
    for item in values.get("depends_on", []):
        item["stack"] = draw(st.sampled_from(["monitoring", "platform", "vault"]))
        item.pop("note", None)
    for item in values.get("scratch", []):
        item.pop("read_only", None)  # no other container writes to it
        if item.get("in_memory"):
            item["size_limit"] = "32Mi"
    options = values.get("keel_options", {})
    options["match_tag"] = options.get("policy") == "force"
    if values.get("sablier"):
        values["sablier"]["idle"] = "3h"
        values.pop("load_balancer", None)
        values.pop("replicas", None)
    if values.get("load_balancer"):
        names = ["http", *(port["name"] for port in values.get("ports", []))]
        ports = draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=3))
        values["load_balancer"] |= {"ports": ports, "reason": "machines call it"}
        if not values["load_balancer"].get("address"):
            values["load_balancer"].pop("client_addresses", None)
    for file in values.get("files", []):
        said = [part for part in ("content", "source", "vault", "secret", "config_map") if file.get(part)]
        for part in said[1:]:
            file.pop(part)
        if not said:
            file["content"] = "a line"
        elif said[0] in ("vault", "secret", "config_map"):
            file.pop("writable", None)
        if not file.get("secret") and not file.get("config_map"):
            file.pop("key", None)
    for number, item in enumerate(values.get("directories", [])):
        item["name"] = f"directory-{number}"
        if item.get("config_map"):
            item.pop("secret", None)
        elif not item.get("secret"):
            item["config_map"] = "elsewhere"
    if values.get("pull_secrets"):
        values["pull_secrets"] = ["team-credentials"]
    if values.get("secrets_form") == "extract":
        values.pop("secrets_form")
    if values.get("secrets_form") == "data" and not values.get("secrets"):
        values.pop("secrets_env_from", None)


def _reconcile_workloads(values: dict[str, Any], draw: st.DrawFn) -> None:
    """Deployments that can run: each on volumes of its own or of all, with ports that differ."""
    shared = values.get("rwx", False)
    volumes = values.get("volumes", [])
    on_nfs = [v["purpose"] for v in volumes if (shared if v.get("rwx") is None else v["rwx"])]
    for number, item in enumerate(values.get("workloads", [])):
        item.update(name=f"part-{number}", memory=draw(st.sampled_from(["64Mi", "256Mi"])), memory_request="")
        if item.get("object_name"):
            item["object_name"] = f"own-{number}"
        mounts = draw(st.lists(st.sampled_from(on_nfs), unique=True)) if on_nfs else []
        item["mounts"] = [{"volume": purpose, "path": f"/part/{purpose}"} for purpose in mounts]
        if len(on_nfs) < len(volumes) and item.get("inherits"):
            item.pop("inherits")
        owned = decisions.house()["builds"][values.get("build", "upstream")]["owned"]
        item["image"] = draw(
            st.sampled_from(["", "ghcr.io/a/b:v2.0.1", "lscr.io/linuxserver/code-server:4.100.3"])
        )
        if item["image"] == "":
            item.pop("keel", None)
        item["wait_for"] = draw(st.lists(st.sampled_from(["redis", "postgresql"]), unique=True))
        item["availability"] = {"apart": "preferred"} if item.get("replicas", 1) > 1 else {}
        item["env"] = draw(
            st.sampled_from([{}, {"QUEUE": {"host": "redis", "text": "redis://{host}:6379/3"}}])
        )
        if item.get("port") is None:
            for key in ("ports", "service_port", "health_path", "metrics"):
                item.pop(key, None)
        ports = [{"name": f"more-{n}", "port": 20000 + n} for n, _ in enumerate(item.get("ports", []))]
        item["ports"] = ports
        item["probes"] = {} if item.get("port") is None else draw(st.sampled_from([{}, {"startup": {}}]))
        if owned and item["image"] == "":
            item.setdefault("command", ["work"])


def _reconcile_ingresses(values: dict[str, Any]) -> None:
    if values.get("gate") != "anubis":
        values.pop("anubis", None)
    elif values.get("anubis", {}).get("redis_database") is None:
        values.get("anubis", {}).pop("replicas", None)
    if values.get("full_host"):
        values.update(host="www.example.org", dns="none")
    if values.get("gate") == "anubis":
        values.get("ingress_options", {}).pop("paths", None)
    entrances = [values.get("ingress_options", {}), *values.get("machine_clients", [])]
    if any(place.get("allowlist") for place in entrances) and not values.get("full_host"):
        values["dns"] = "non-proxied"
    for place in (*entrances, *values.get("hosts", [])):
        place.pop("allowed_groups", None)  # the sample's ingress module takes none
    for client in values.get("machine_clients", []):
        client.pop("port", None)
        client.pop("service", None)  # no stack of these tests makes another one
        client["prefix"] = True
        if client["auth"] == "required":
            client.pop("reason", None)
        else:
            client["reason"] = client.get("reason") or "they have a token"
    fronted = [item["name"] for item in values.get("workloads", []) if item.get("port")]
    for item in values.get("hosts", []):
        if item.get("auth") == "anubis":
            item.pop("paths", None)
        item.pop("port", None)
        item.pop("service", None)
        if fronted and item.get("auth") != "anubis":
            item["service"] = fronted[0]
        if "." not in item["host"]:
            item.pop("full", None)
        if item.get("dns") in ("internal", None) or item.get("full"):
            item.pop("dns", None)
        if item.get("allowlist") and not item.get("full"):
            item["dns"] = "non-proxied"
        if item.get("auth", "required") == "required":
            item.pop("reason", None)
        else:
            item["reason"] = item.get("reason") or "guests look at it"


def _reconcile_reasons(values: dict[str, Any]) -> None:
    values.pop("image_reason", None)  # after the image, which it hangs on
    if values["image"]:
        values["image_reason"] = "it is unlike the others"
    for name in ("priority_class", "capabilities", "database"):
        if values.get(name, "none") in ("", [], "none"):
            values.pop(f"{name}_reason", None)
        else:
            values[f"{name}_reason"] = "it cannot do without"
    for kind in ("sidecars", "workloads", "init_containers", "cron_jobs", "jobs"):
        for item in values.get(kind, []):
            item["capabilities_reason"] = "it cannot do without" if item.get("capabilities") else ""
            if item.get("uid") == 0:
                item.pop("security", None)
            _reconcile_security(item)
    _reconcile_security(values)
    for rule in values.get("rbac", []):
        rule["reason"] = "it looks there"
        if rule.get("resource_names"):
            rule["verbs"] = ["get", "patch"]
    for secret in values.get("secrets", []):
        secret.pop("reason", None)
        if secret.get("vault"):
            secret["reason"] = "it is the same account"
    for volume in values.get("volumes", []):
        volume.pop("nfs_reason", None)
        if volume.get("nfs_path"):
            volume["nfs_path"] = f"/srv/nfs/{volume['purpose']}"


def _reconcile_security(of: dict[str, Any]) -> None:
    """What a container is kept from; the house asks for no reason."""
    security = of.get("security", {})
    security.pop("reason", None)
    if "SYS_ADMIN" in of.get("capabilities", []) or of.get("image", "").startswith("lscr.io"):
        of.pop("security", None)


def _reconcile_volumes(values: dict[str, Any], draw: st.DrawFn) -> None:
    """Volumes that are each one thing: new or existing, with one form of backup and what it needs."""
    saved = False
    for index, volume in enumerate(values.get("volumes", [])):
        volume["purpose"], volume["path"] = f"{volume.get('purpose', 'data')[:20]}-{index}", f"/data/{index}"
        if volume.get("in_app") is False:
            volume.pop("mounts", None)
        for number, mount in enumerate(volume.get("mounts", [])):
            mount["path"] = f"/data/{index}-{number}"
        if volume.get("claim"):
            volume["claim"] = f"claim-{index}"
            for key in ("size", "limit", "sensitive", "nfs_server", "nfs_path"):
                volume.pop(key, None)
        if draw(st.booleans()):
            volume["backup"] = draw(st.sampled_from(["sqlite", "pg_dump", "mysqldump"]))
        shared = values.get("rwx", False) if volume.get("rwx") is None else volume["rwx"]
        if shared:
            volume.pop("embedded_database", None)
            if volume.get("backup") not in ("files", "none"):
                volume.pop("backup", None)
        form = volume.get("backup", "decided")
        if form == "none" or (form == "decided" and shared):
            volume.pop("may_be_empty", None)
        else:
            saved = True
        volume.pop("backup_reason", None)
        if form == "none":
            volume["backup_reason"] = "it can be made again"
        if form != "sqlite":
            volume.pop("sqlite_files", None)
        elif volume.get("embedded_database", "none") != "sqlite":
            volume.pop("embedded_database", None)
        if form not in ("pg_dump", "mysqldump"):
            volume.pop("dump", None)
        elif draw(st.booleans()) and values.get("shape", "web") in ("web", "internal"):
            _database_beside(values, volume)
        else:
            volume.pop("owner", None)
            password = {"secret": "own-secret", "key": "password"}
            image = "docker.io/library/postgres:16.4"
            volume["dump"] = {
                **volume.get("dump", {}),
                "host": "own-db",
                "password": password,
                "image": image,
            }
    if saved:
        values.get("backup_job", {}).pop("memory", None)
    else:
        values.pop("backup_job", None)


def _database_beside(values: dict[str, Any], volume: dict[str, Any]) -> None:
    """A sidecar that has its data on a volume, and tells what the dump has to know."""
    variable = {"pg_dump": "POSTGRES_PASSWORD", "mysqldump": "MYSQL_ROOT_PASSWORD"}[volume["backup"]]
    name = f"db-{volume['purpose'][-1]}"
    others = [item for item in values.get("sidecars", []) if item["name"] != name]
    port = 20000 + int(volume["purpose"][-1])
    values["sidecars"] = [
        *others,
        {
            "name": name, "image": "docker.io/library/postgres:16.4", "inherits": False,
            "env": {variable: {"secret": "own-secret", "key": "password"}},
            "ports": [{"name": name, "port": port}], "mounts": [{"volume": volume["purpose"], "sub_path": "data"}],
        },
    ]  # fmt: skip
    volume.pop("dump", None)
    values.pop("diun", None)
