"""What the indexes say about a Service: derived from its decisions, none of it decided here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.indexes.entry import (
    BuildModel,
    Database,
    Engine,
    Host,
    Monitor,
    OwnImage,
    Protection,
    PublicPath,
    ServiceEntry,
    UpstreamImage,
)
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value, asked

_GITHUB = "ghcr.io/"
_CONTAINERS = ("sidecars", "init_containers", "workloads", "cron_jobs", "jobs")


def service_entry(values: Mapping[str, Value]) -> ServiceEntry:
    """The entry of a Service with these combined values."""
    name, ingress, facts = values["name"], values["ingress"], values["facts"]
    volumes = values["storage"]["volumes"]
    return ServiceEntry(
        name=name,
        stack=name,
        description=values["description"],
        title=values["title"],
        section=next(o.consequence for o in asked()["section"].options if o.value == values["section"]),
        hosts=_hosts(values),
        domain=facts["domain"],
        home=facts["stacks"],
        databases=_databases(values["credentials"]["database"]),
        public_paths=tuple(
            PublicPath(way["key"], tuple(way["paths"]), way["url"], way["reason"])
            for way in (ingress["public"] if values["stack"]["ingress"] else ())
        ),
        anubis=ingress["anubis"],
        own_image=_own_image(values),
        images_beside=tuple(_images_beside(values)),
        pull_namespace=_pull_namespace(values),
        upstream_images=tuple(_upstream_images(values)),
        protection=_protection(values["storage"]),
        monitor=_monitor(values),
        nfs_directories=_nfs_directories(values["storage"]),
        encrypted=any(v["storage_class"]["value"] == facts["storage_encrypted"] for v in volumes),
        sqlite=any(v["embedded_database"] == "sqlite" for v in volumes),
    )  # fmt: skip


def _hosts(values: Mapping[str, Value]) -> tuple[Host, ...]:
    """The hosts below the house's domain; those of other domains are in no list."""
    if not values["stack"]["ingress"]:
        return ()
    ingress, domain = values["ingress"], values["facts"]["domain"]
    calls = [
        (ingress["fqdn"], ingress["dns"]["value"]),
        *((call["fqdn"], call["dns"]["value"]) for call in ingress["hosts"]),
    ]
    below = f".{domain}"
    return tuple(
        Host(host.removesuffix(below), dns) for host, dns in calls if host == domain or host.endswith(below)
    )


def _monitor(values: Mapping[str, Value]) -> Monitor | None:
    """What to monitor from inside, if no ingress creates a monitor from outside."""
    if values["stack"]["ingress"] or not values["stack"]["app"]:
        return None
    names = values["names"]
    place = f"{names['service']['value']}.{names['namespace']['value']}.svc.cluster.local"
    return Monitor(place, values["service_port"])


def _databases(database: Mapping[str, Value]) -> tuple[Database, ...]:
    if not database:
        return ()
    engine = Engine(database["engine"])
    role, name, user = (database[part]["value"] for part in ("role", "database", "user"))
    return (Database(engine, role, name, user),)


def _own_image(values: Mapping[str, Value]) -> OwnImage | None:
    how = values["facts"]["builds"][values["build"]]
    if not how["owned"]:
        return None
    repository = ImageReference.parse(values["workload"]["image_base"]).base
    model = BuildModel(how["model"])
    secret = values["workload"]["pull_secret"]["value"]
    package = ("private" if secret else "public") if how["registry"].startswith(_GITHUB) else ""
    return OwnImage(repository, model, package=package)


def _images_beside(values: Mapping[str, Value]) -> Iterator[OwnImage]:
    """The images that are built with the Service's own for other containers, which its name begins."""
    if (own := _own_image(values)) is None:
        return
    home = ImageReference.parse(values["workload"]["image_base"]).home
    containers = [item for kind in _CONTAINERS for item in values[kind]]
    beside = {ImageReference.parse(item.get("image") or "") for item in containers}
    for base in sorted({image.base for image in beside if image.home == home}):
        if base.startswith(f"{values['name']}-") and base != own.repository:
            yield OwnImage(base, own.model)


def _pull_namespace(values: Mapping[str, Value]) -> str:
    """The namespace that pulls a private GitHub package, the Service's own or another's."""
    secret = values["workload"]["pull_secret"]["value"]
    of_github = {
        row["pull_secret"]
        for row in values["facts"]["builds"].values()
        if row["registry"].startswith(_GITHUB)
    }
    return values["names"]["namespace"]["value"] if secret and secret in of_github else ""


def _upstream_images(values: Mapping[str, Value]) -> Iterator[UpstreamImage]:
    """Where releases are published: for known images, and for those in GitHub's own registry."""
    registries = [f"{row['registry']}/" for row in values["facts"]["builds"].values() if row["owned"]]
    if values["facts"]["builds"][values["build"]]["owned"] or values["image"].startswith(tuple(registries)):
        return
    image = ImageReference.parse(values["workload"]["image"]["value"])
    in_github = image.name.removeprefix(_GITHUB).split("/")[:2] if image.name.startswith(_GITHUB) else ()
    if repository := values["workload"]["upstream"] or "/".join(in_github):
        yield UpstreamImage(image.name, repository)


def _protection(storage: Mapping[str, Value]) -> Protection | None:
    # Where a claim is that somebody else created is not known here.
    volumes = [volume for volume in storage["volumes"] if not volume["exists"]]
    if not volumes:
        return None
    first = next((v for v in volumes if not v["on_nfs"]), volumes[0])
    kind = "NFS" if first["on_nfs"] else first["storage_class"]["value"]
    return Protection(kind, storage["backup"]["every"] if storage["backup"]["volumes"] else "")


def _nfs_directories(storage: Mapping[str, Value]) -> tuple[str, ...]:
    mounted = [v["nfs_path"] for v in storage["volumes"] if v["on_nfs"] and not v["nfs_server"]]
    backup = storage["backup"]
    return (*mounted, *([backup["nfs_path"]] if backup["volumes"] else []))
