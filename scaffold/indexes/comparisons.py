"""What each index is compared with: what the stacks say that has to be in it, and what may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from scaffold.indexes import (
    backup,
    catalog,
    ci_cd,
    claude,
    databases,
    dbaas,
    ghcr,
    monitors,
    storage,
    upgrade_config,
    vault,
    walloff,
)
from scaffold.indexes.base import Index
from scaffold.indexes.entry import BuildModel, OwnImage, Protection, ServiceEntry, slug
from scaffold.indexes.stacks import StackReader
from scaffold.templates import template
from scaffold.templates.image import ImageReference


@dataclass(frozen=True, slots=True)
class View:
    """One index file beside the stacks."""

    reader: StackReader
    text: str
    entries: frozenset[str]


Expected = Callable[[StackReader], Iterable[ServiceEntry]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one index is compared with the stacks.

    ``expected`` gives everything that has to be in it, ``present`` says whether it is, under any key;
    ``certain`` says what may be inserted without a person. ``stale`` names the entries that nothing
    stands behind, with the reason.
    """

    index: Index[Any]
    expected: Expected = lambda _reader: ()
    stale: Callable[[View], Mapping[str, str]] = lambda _view: {}
    certain: Callable[[ServiceEntry], bool] = lambda _entry: False
    present: Callable[[View, ServiceEntry, str], bool] = lambda view, _entry, key: key in view.entries
    advice: str = "Add it by hand."


def _services(reader: StackReader) -> Iterable[ServiceEntry]:
    return reader.services


def _all_stacks(reader: StackReader) -> Iterable[ServiceEntry]:
    return reader.entries.values()


def _all_but_the_gate(reader: StackReader) -> Iterable[ServiceEntry]:
    """All stacks but that of the login itself: nothing can wall that off."""
    return (e for e in _all_stacks(reader) if e.stack != template.facts("operations")["groups_stack"])


def _roles(reader: StackReader) -> Iterator[ServiceEntry]:
    """One entry per role, of Vault or of a stack, under the name of a stack that uses it."""
    users = {d.role: entry.name for entry in _all_stacks(reader) for d in entry.databases}
    known = {d.role: d for entry in _all_stacks(reader) for d in entry.databases} | dict(reader.roles)
    for role, database in sorted(known.items()):
        name = users.get(role, "vault")
        yield ServiceEntry(name, name, databases=(database,))


def _in_vault(reader: StackReader) -> Iterator[ServiceEntry]:
    return (entry for entry in _roles(reader) if entry.databases[0].role in reader.roles)


def _compared(index: Index[Any], expected: Expected, reason: str) -> Comparison:
    """An index whose entries all follow from the stacks: an entry that nothing asks for is stale."""

    def stale(view: View) -> Mapping[str, str]:
        known = {key for entry in expected(view.reader) for key in index.keys(entry)}
        return dict.fromkeys(view.entries - known, reason)

    return Comparison(index, expected, stale, certain=lambda _entry: True)


def _has_row(view: View, entry: ServiceEntry, key: str) -> bool:
    """A row of the stack under another name counts too."""
    return key in view.entries or entry.stack in catalog.stacks_by_name(view.text).values()


def _stale_rows(view: View) -> Mapping[str, str]:
    return {
        name: f"there is no {view.reader.monorepo.place(stack)}"
        for name, stack in catalog.stacks_by_name(view.text).items()
        # A cell without a word says that there is none.
        if any(map(str.isalnum, stack)) and stack.split("/")[0] not in view.reader.monorepo.stacks
    }


def _is_made(view: View, entry: ServiceEntry, key: str) -> bool:
    """A database that the stack creates itself counts too, for instance with a Job."""
    return key in view.entries or any(
        b"CREATE DATABASE" in content for content in view.reader.monorepo.sources(entry.stack).values()
    )


def _is_probed(view: View, entry: ServiceEntry, key: str) -> bool:
    """Any address below one of the paths counts, whatever its name."""
    public = next(public for public in entry.public_paths if public.key == key)
    below = tuple(path.rstrip("/") for path in public.paths) or ("",)
    targets = map(urlsplit, walloff.targets(view.text).values())
    return any(t.netloc == urlsplit(public.url).netloc and t.path.startswith(below) for t in targets)


def _is_said_to_have_anubis(view: View, entry: ServiceEntry, key: str) -> bool:
    """The list has hosts, and here and there the name of a Service, or both as ``host/service``."""
    return not view.entries.isdisjoint((key, *_anubis_names(entry)))


def _behind_no_anubis(view: View) -> Mapping[str, str]:
    gated = [entry for entry in view.reader.entries.values() if entry.anubis]
    known = {slug(host.label) for entry in gated for host in entry.hosts}.union(*map(_anubis_names, gated))
    return dict.fromkeys(view.entries - known, "no ingress with this host leads to Anubis")


def _anubis_names(entry: ServiceEntry) -> set[str]:
    return {slug(entry.name), *(slug(f"{host.label}/{entry.name}") for host in entry.hosts)}


def _protected(reader: StackReader) -> Iterator[ServiceEntry]:
    """The Services with a claim of their own; only a person knows what the row has to say."""
    return (replace(entry, protection=Protection("")) for entry in reader.services if reader.claims(entry))


def _has_part(view: View, entry: ServiceEntry, key: str) -> bool:
    """A row about one part of a Service counts too."""
    return any(f"{row}-".startswith(f"{key}-") for row in view.entries)


def _own_images(reader: StackReader) -> Iterator[ServiceEntry]:
    """The stacks that run the house's own images; only its repository tells how each is built."""
    for repository, stack in sorted(reader.own_images.items()):
        yield ServiceEntry(stack, stack, own_image=OwnImage(repository, BuildModel.GITHUB))


def _in_any_group(view: View, _entry: ServiceEntry, key: str) -> bool:
    return name_in(key) in map(name_in, view.entries)


def name_in(key: str) -> str:
    """An entry's key without its group."""
    return key.rpartition(":")[2]


def _unmentioned(view: View) -> Mapping[str, str]:
    gone = (key for key in view.entries if not any(map(view.reader.mentions, _spellings(key))))
    return dict.fromkeys(gone, "no stack names it")


def _spellings(image: str) -> tuple[str, ...]:
    """The ways in which stacks may write an image: one on Docker Hub also without its registry."""
    short = ImageReference.parse(image).repository.removeprefix("library/")
    on_hub = ImageReference.parse(image).host == ImageReference.parse(short).host
    return (image, short) if on_hub else (image,)


def _uses_server(view: View, entry: ServiceEntry, key: str) -> bool:
    """A Service may be listed under the name of its user or its database, or be named in a remark."""
    engine = key.partition(":")[0]
    names = {n for d in entry.databases if d.engine.value == engine for n in (d.user, d.name)}
    listed = view.entries | databases.remarks(view.text).keys()
    return key in listed or any(f"{engine}:{slug(name)}" in listed for name in names)


def _uses_no_server(view: View) -> Mapping[str, str]:
    users = ((entry.name, d) for entry in view.reader.entries.values() for d in entry.databases)
    known = {
        f"{database.engine.value}:{slug(name)}"
        for stack, database in (*users, *((d.user, d) for d in view.reader.roles.values()))
        for name in (stack, database.user, database.name)
    }
    remarked = {item for remark, item in databases.remarks(view.text).items() if remark in known}
    gone = view.entries - known - remarked
    return dict.fromkeys(gone, "no stack reads credentials of that server under this name")


def _nowhere(view: View) -> Mapping[str, str]:
    return dict.fromkeys(view.entries - view.reader.namespaces, "no stack makes a namespace of this name")


def _watches_nothing(view: View) -> Mapping[str, str]:
    parts = {name: host.split(".") for name, host in monitors.hostnames(view.text).items()}
    places = {name: part[1] for name, part in parts.items() if part[2:3] == ["svc"]}
    gone = (name for name, place in places.items() if place not in view.reader.namespaces)
    return dict.fromkeys(gone, "no stack makes the namespace that it watches")


_NO_ROLE = "Vault has no static role for this user"
_BUILT = "Add it to the list for the way it is built."
COMPARISONS = (
    Comparison(
        catalog.CATALOG,
        _services,
        _stale_rows,
        certain=lambda entry: bool(entry.description),
        present=_has_row,
        advice="Add a row that says what it is.",
    ),
    _compared(catalog.DOMAINS, _all_stacks, "no ingress has this host with this DNS record"),
    _compared(vault.ALLOWED_ROLES, _roles, "there is no such static role"),
    Comparison(vault.STATIC_ROLES, _roles),
    Comparison(dbaas.DATABASES, _services, present=_is_made),
    Comparison(
        walloff.TARGETS,
        _all_but_the_gate,
        present=_is_probed,
        advice="Add an address below the path that answers today without signing on.",
    ),
    _compared(claude.ROTATION, _in_vault, _NO_ROLE),
    Comparison(claude.ANUBIS, _all_stacks, _behind_no_anubis, lambda _entry: True, _is_said_to_have_anubis),
    _compared(databases.ROTATION, _in_vault, _NO_ROLE),
    Comparison(upgrade_config.DATABASES, _services),
    Comparison(upgrade_config.REPOSITORIES, stale=_unmentioned),
    Comparison(databases.USED_BY, _all_stacks, _uses_no_server, present=_uses_server),
    Comparison(backup.MATRIX, _protected, present=_has_part, advice="Add a row that says what backs it up."),
    *(
        Comparison(builds, _own_images, present=_in_any_group, advice=_BUILT)
        for builds in (ci_cd.BUILDS, claude.BUILDS)
    ),
    # Which number a repository has only Woodpecker tells, and a repository needs no stack.
    *(Comparison(numbers) for numbers in (ci_cd.REPO_IDS, claude.REPO_IDS)),
    # What is in these no stack tells in its syntax: it is only seen that they can be read.
    *(
        Comparison(unseen)
        for unseen in (claude.PACKAGES, storage.CONSUMERS, storage.ENCRYPTED, storage.SQLITE)
    ),
    Comparison(ghcr.NAMESPACES, stale=_nowhere),
    Comparison(monitors.MONITORS, stale=_watches_nothing),
)
