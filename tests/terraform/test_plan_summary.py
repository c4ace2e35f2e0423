"""A plan for people."""

from __future__ import annotations

from typing import Any

from support import frozen

from scaffold.terraform.planned import Mark, Placeholder, PlannedResource
from scaffold.terraform.summary import summarize


def resource(
    type_: str, name: str, settings: dict[str, object] | None = None, **values: Any
) -> PlannedResource:
    values.setdefault("metadata", [{"name": name, "namespace": "app"}])
    return PlannedResource(
        f"{type_}.{name}", type_, name, "", None, {k: frozen(v) for k, v in values.items()}, settings or {}
    )


def lines(*resources: PlannedResource) -> dict[str, tuple[str, ...]]:
    return {section.title: section.lines for section in summarize(resources)}


def container(image: object, **resources: Any) -> dict[str, Any]:
    return {"name": "c", "image": image, "resources": [resources] if resources else []}


def test_workloads_with_image_and_resources() -> None:
    fixed = {"requests": {"memory": "64Mi", "cpu": "10m"}, "limits": {"memory": "64Mi"}}
    burst = {"requests": {"memory": "64Mi"}, "limits": {"memory": "1Gi"}}
    spec = {
        "container": [container("a:1", **fixed), container(Mark.UNKNOWN, **burst)],
        "init_container": [container("i:1")],
    }
    deployment = resource("kubernetes_deployment", "web", spec=[{"template": [{"spec": [spec]}]}])
    assert lines(deployment) == {
        "Workloads": (
            "deployment web: a:1, memory 64Mi, cpu 10m",
            "deployment web: (known after apply), memory 64Mi to 1Gi",
            "deployment web (before it): i:1, no resources",
        )
    }


def test_storage_with_class_and_share() -> None:
    def claim(name: str, volume: str | None, class_: object) -> PlannedResource:
        spec = {
            "storage_class_name": class_,
            "access_modes": ["ReadWriteOnce"],
            "volume_name": volume,
            "resources": [{"requests": {"storage": "2Gi"}}],
        }
        return resource("kubernetes_persistent_volume_claim", name, spec=[spec])

    def volume(name: str) -> PlannedResource:
        source = [{"csi": [{"volume_attributes": {"share": f"/srv/{name}", "server": "x"}}]}]
        return resource("kubernetes_persistent_volume", name, spec=[{"persistent_volume_source": source}])

    told = lines(claim("data", None, "block"), claim("files", "nfs", "nfs"), volume("nfs"), volume("alone"))
    assert told == {
        "Storage": (
            "data, 2Gi, block, ReadWriteOnce",
            "files, 2Gi, nfs, ReadWriteOnce, share /srv/nfs",
            "alone, a volume that no claim names, share /srv/alone",
        )
    }


def test_hosts_with_gate_monitor_and_dns() -> None:
    def ingress(
        name: str, settings: dict[str, object], paths: list[str], **annotations: Any
    ) -> PlannedResource:
        rule = {"host": f"{name}.example.test", "http": [{"path": [{"path": path} for path in paths]}]}
        shown = {key.replace("_", "/"): value for key, value in annotations.items()}
        return resource(
            "kubernetes_ingress_v1",
            name,
            settings,
            metadata=[{"name": name, "annotations": shown}],
            spec=[{"rule": [rule]}],
        )

    watched = {
        "uptime.example.test/external-monitor": "true",
        "gethomepage.dev/enabled": "true",
        "gethomepage.dev/name": "Web",
    }
    web = ingress("web", {"auth": "app", "dns_type": "proxied"}, ["/"], **watched)
    api = ingress(
        "api",
        {},
        ["/a", "/b"],
        **{"x/external-monitor": "false", "cloudflare.example.test/dns-type": "non-proxied"},
    )
    bare = ingress("bare", {"auth": "none"}, [])
    assert lines(web, api, bare)["Hosts"] == (
        "web.example.test, gate app, DNS proxied, monitored, tile Web",
        "api.example.test /a /b, gate not known, DNS non-proxied, not monitored, no tile",
        "bare.example.test, gate none, no DNS record, no monitor set, no tile",
    )


def test_secrets_by_name_without_their_values() -> None:
    external = resource(
        "kubernetes_manifest",
        "x",
        manifest={
            "kind": "ExternalSecret",
            "metadata": {"name": "app-secrets", "namespace": "app"},
            "spec": {
                "secretStoreRef": {"name": "store"},
                "dataFrom": [{"extract": {"key": "app"}}],
                "data": [{"secretKey": "k", "remoteRef": {"key": "static/pg", "property": "password"}}],
            },
        },
    )
    tls = resource("kubernetes_secret", "tls", type="kubernetes.io/tls", data={"tls.key": "SECRET"})
    assert lines(external, tls) == {
        "Secrets": ("app-secrets from store: app, static/pg", "tls, kubernetes.io/tls")
    }


def test_jobs_with_their_schedule() -> None:
    pod = {"spec": [{"container": [container(Placeholder("x:scaffold-stand-in.var.tag"))]}]}
    job = resource(
        "kubernetes_cron_job_v1",
        "sync",
        spec=[{"schedule": "5 * * * *", "job_template": [{"spec": [{"template": [pod]}]}]}],
    )
    assert lines(job) == {"Jobs": ("sync at 5 * * * *: ‹x:scaffold-stand-in.var.tag›, no resources",)}


def test_everything_is_counted() -> None:
    namespace = resource(
        "kubernetes_namespace", "app", metadata=[{"name": "app", "labels": {"tier": "4-aux"}}]
    )
    others = [resource("kubernetes_service", name) for name in ("a", "b")] + [resource("random_id", "c")]
    assert lines(namespace, *others) == {
        "Namespace": ("app, tier=4-aux",),
        "Other": ("2 × kubernetes_service, random_id",),
    }
    assert lines() == {}
