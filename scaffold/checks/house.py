"""The names that a house has given to things, by which planned resources are judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scaffold.answers.sources import texts
from scaffold.hcl.modules import terraform_files
from scaffold.monorepo import collisions, features
from scaffold.monorepo.manifests import TRUSTED_IMAGES, UNJUDGED, UNTIERED
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.monorepo.uses import Use
from scaffold.templates import template
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value, asked

_SEALED = "sealed-*.yaml"


@dataclass(frozen=True, slots=True)
class Tier:
    """What the pods of a namespace may use, as quantities: each container, and all requests together."""

    memory_max: str
    memory_quota: str


@dataclass(frozen=True, slots=True)
class HouseNames:
    """The names that a house has given to things; what is empty is not checked.

    ``block_classes`` are the StorageClasses of volumes that one node mounts at a time, ``shared_classes``
    those of volumes that are made by hand and named by the claim. ``gates`` are the middlewares by the mode
    of the gate that adds them; a mode without one adds none. ``public_dns`` are the kinds of DNS record that
    make a host reachable from the internet. ``given_secrets`` exist in every namespace without the stack,
    ``given_claims`` in the stack's own. Of manifests of the ``inert_kinds`` no controller makes pods, claims
    or Secrets but those that they name. The ``rotating_stores`` give passwords that change. Claims end like
    the ``claim_suffixes`` by their class, and have the ``resizing`` annotations; where one has a value it is
    that. What ends in ``_images`` is a pattern; a job that runs one of the ``dump_tools`` saves a server. A
    copy of the files of ``copied_databases`` can be restored. Database servers keep their data at
    ``server_paths``, a pattern; those that images of the repositories in ``own_servers`` run beside the app
    do so at the path there. ``own_registries`` are those that own images are pushed to, with the Secret to
    pull with if nobody may without. Images are like one of the ``trusted_images``, except for those in
    ``unjudged_namespaces``. The policy that goes by tiers leaves the ``untiered_namespaces`` out.
    ``allowlists`` are middlewares that let the house's own network in; a host of the ``domain`` without a
    record of its own has that of the ``wildcard``. For a namespace with the ``quota_label`` its tier's quota
    does not hold, with the ``limits_label`` its LimitRange. ``mover`` is what Keel reads among
    annotations, and with ``mover_label`` its policy among labels.
    """

    block_classes: frozenset[str] = frozenset()
    shared_classes: frozenset[str] = frozenset()
    gates: Mapping[str, str] = field(default_factory=dict)
    public_dns: frozenset[str] = frozenset()
    given_secrets: frozenset[str] = frozenset()
    given_claims: frozenset[str] = frozenset()
    inert_kinds: frozenset[str] = frozenset()
    rotating_stores: frozenset[str] = frozenset()
    claim_suffixes: Mapping[str, str] = field(default_factory=dict)
    resizing: Mapping[str, str] = field(default_factory=dict)
    linuxserver_images: str = ""
    database_images: str = ""
    copied_databases: str = ""
    dump_tools: frozenset[str] = frozenset()
    server_paths: str = ""
    own_servers: Mapping[str, str] = field(default_factory=dict)
    alerting_images: str = ""
    database_pin: str = ""
    embedded_databases: str = ""
    rotated_names: str = ""
    own_registries: Mapping[str, str] = field(default_factory=dict)
    trusted_images: tuple[str, ...] = ()
    unjudged_namespaces: frozenset[str] = frozenset()
    untiered_namespaces: frozenset[str] = frozenset()
    allowlists: frozenset[str] = frozenset()
    domain: str = ""
    wildcard: str = ""
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    quota_label: str = ""
    limits_label: str = ""
    external_secret_api: str = ""
    usual_groups: frozenset[str] = frozenset()
    shared: Mapping[str, Sequence[tuple[Use, tuple[str, ...]]]] = field(default_factory=dict)
    """The names that a stack takes although others have them, with those others, by stack."""
    reloader: str = "reloader.stakater.com/"
    gate_annotation: str = "traefik.ingress.kubernetes.io/router.middlewares"
    dns_annotation: str = "/dns-type"
    monitor_annotation: str = "/external-monitor"
    dashboard: str = "gethomepage.dev/"
    groups_annotation: str = "/allowed-groups"
    enrolled: str = ""
    mover: str = ""
    mover_label: bool = False
    resting: str = ""
    watcher: str = "diun.enable"
    home: str = STACKS
    lacks: frozenset[str] = frozenset()
    """The features that the house has not."""


def house_names(monorepo: Monorepo, values: Mapping[str, Value]) -> HouseNames:
    """The names that planned resources are judged by, for a stack with these combined values."""
    given = (volume["claim"]["value"] for volume in values["storage"]["volumes"] if volume["exists"])
    house = with_own_image(house_of(monorepo, values["facts"], given), values)
    return replace(house, given_secrets=house.given_secrets | _to_seal(monorepo, values))


def with_own_image(house: HouseNames, values: Mapping[str, Value]) -> HouseNames:
    """The names of the house, and where a stack's own image is pushed, which its answers may decide."""
    if not values["facts"]["builds"][values["build"]]["owned"]:
        return house
    home = ImageReference.parse(values["workload"]["image_base"]).home
    return replace(house, own_registries={home: "", **house.own_registries})


def _to_seal(monorepo: Monorepo, values: Mapping[str, Value]) -> set[str]:
    """The Secrets that answers name before the first one is sealed, a step that comes after the stack."""
    if not values["sealed_secrets"] or any(monorepo.stack_directory(values["name"]).glob(_SEALED)):
        return set()
    said = {name: values[name] for name in asked() if name in values}
    return {text for path, text in texts(said) if path[-1] == "secret"}


def house_of(monorepo: Monorepo, facts: Mapping[str, Value], given_claims: Iterable[str] = ()) -> HouseNames:
    """The names that planned resources are judged by: facts, and the StorageClass that the NFS module uses.

    ``given_claims`` are said to exist in the stack's namespace.
    """
    uses = [use for stack in monorepo.fleet.values() for use in stack.uses]
    groups = monorepo.ingress_module.variables.get("allowed_groups")
    operations, images = template.facts("operations"), template.facts("images")
    return HouseNames(
        block_classes=frozenset({facts["storage_encrypted"], facts["storage_plain"]}),
        shared_classes=frozenset(_nfs_classes(monorepo)),
        gates={mode: gate for mode, gate in facts["gates"].items() if gate},
        public_dns=frozenset(facts["public_dns"]),
        given_secrets=frozenset(operations["given_secrets"]),
        given_claims=frozenset(given_claims),
        inert_kinds=frozenset(operations["inert_kinds"]),
        rotating_stores=frozenset({facts["database_store"]}),
        claim_suffixes={
            facts[f"storage_{kind}"]: facts[f"storage_{kind}_suffix"] for kind in ("encrypted", "plain")
        },
        resizing=operations["resizing"],
        linuxserver_images=facts["linuxserver_images"],
        database_images=facts["database_images"],
        copied_databases=facts["copied_databases"],
        dump_tools=frozenset(operations["dump_tools"]),
        server_paths=images["server_paths"],
        own_servers={
            image: row["server_path"]
            for row in images["images"]
            if "server_path" in row
            for image in row["images"]
        },
        alerting_images=facts["alerting_images"],
        database_pin=facts["database_pin"],
        embedded_databases=operations["embedded_databases"],
        rotated_names=facts["rotated_names"],
        own_registries=_own_registries(facts),
        trusted_images=tuple(use.name for use in uses if use.kind == TRUSTED_IMAGES),
        unjudged_namespaces=frozenset(use.name for use in uses if use.kind == UNJUDGED),
        untiered_namespaces=frozenset(use.name for use in uses if use.kind == UNTIERED),
        allowlists=frozenset(facts["allowlists"]),
        domain=facts["domain"],
        wildcard=facts["wildcard_dns"],
        tiers={name: Tier(row["memory_max"], row["memory_quota"]) for name, row in facts["tiers"].items()},
        quota_label=facts["quota_label"],
        limits_label=facts["limit_range_label"],
        external_secret_api=facts["external_secret_api"],
        enrolled=operations["keel"]["enrolled"],
        mover=operations["keel"]["policy"],
        mover_label=facts["keel_label"],
        resting=operations["resting"],
        home=monorepo.stacks_home,
        lacks=frozenset(name for name in features.names() if not features.find(monorepo, name)),
        usual_groups=frozenset(groups.default if groups and isinstance(groups.default, list) else ()),
        shared=collisions.shared(monorepo, facts),
    )


def _own_registries(facts: Mapping[str, Value]) -> dict[str, str]:
    """Where the house's own images are pushed, with the pull secret if the house's own forge keeps them.

    Elsewhere an image may be public: nothing is known to be missing.
    """
    own = [row for row in facts["builds"].values() if row["owned"]]
    return {row["registry"]: row["pull_secret"] if row["forge"] == "own" else "" for row in own}


def _nfs_classes(monorepo: Monorepo) -> set[str]:
    classes = set()
    for path in terraform_files(monorepo.root / monorepo.shared.path(monorepo.shared.nfs)):
        document = monorepo.document(path, path.read_bytes())
        for block in document.body.blocks_of("resource") if document else ():
            name = block.body.inside("spec").literal("storage_class_name")
            if isinstance(name, str):
                classes.add(name)
    return classes
