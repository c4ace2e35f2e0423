"""Where the indexes and the stacks of a monorepo disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from scaffold.changes.change import is_ciphertext
from scaffold.errors import Finding
from scaffold.indexes import (
    all_indexes,
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
from scaffold.indexes.base import Index, MissingAnchorError
from scaffold.indexes.entry import BuildModel, OwnImage, Protection, ServiceEntry, slug
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import template
from scaffold.templates.image import ImageReference


class State(Enum):
    """How an index and the stacks disagree."""

    MISSING = "missing"
    STALE = "stale"
    NO_ANCHOR = "no-anchor"

    @property
    def code(self) -> str:
        """The rule that reports it."""
        return {State.MISSING: "IDX001", State.STALE: "IDX002", State.NO_ANCHOR: "IDX003"}[self]


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement. ``entry`` is what can be inserted to fix it, where that is certain."""

    index: Index[Any]
    state: State
    service: str
    key: str
    what: str
    fix: str
    entry: ServiceEntry | None = None

    @property
    def finding(self) -> Finding:
        """The disagreement as a finding about the index file."""
        which = f"{self.index.name} of {self.service}" if self.service else self.index.name
        message = f"{which}: {self.what}"
        path = str(self.index.path)
        return Finding(path, None, None, self.state.code, message, value=self.key or None, fix=self.fix)


@dataclass(frozen=True, slots=True)
class _View:
    """One index file beside the stacks."""

    reader: StackReader
    text: str
    entries: frozenset[str]


Expected = Callable[[StackReader], Iterable[ServiceEntry]]


def _never(_entry: ServiceEntry) -> bool:
    return False


def _always(_entry: ServiceEntry) -> bool:
    return True


def _is_listed(view: _View, _entry: ServiceEntry, key: str) -> bool:
    return key in view.entries


def _nothing_stale(_view: _View) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class _Comparison:
    """How one index is compared with the stacks.

    ``expected`` gives everything that has to be in it, ``present`` says whether it is, under any key;
    ``certain`` says what may be inserted without a person. ``stale`` names the entries that nothing
    stands behind, with the reason.
    """

    index: Index[Any]
    expected: Expected
    stale: Callable[[_View], Mapping[str, str]] = _nothing_stale
    certain: Callable[[ServiceEntry], bool] = _never
    present: Callable[[_View, ServiceEntry, str], bool] = _is_listed
    advice: str = "Add it by hand."


def drift(monorepo: Monorepo) -> tuple[Drift, ...]:
    """Every disagreement, by index. Files that are missing or encrypted are not judged."""
    reader = StackReader(monorepo)
    here = {index.name: index for index in all_indexes(monorepo.root)}
    kept = (replace(c, index=here[c.index.name]) for c in _COMPARISONS if c.index.name in here)
    return tuple(found for comparison in kept for found in _compare(reader, comparison))


def _compare(reader: StackReader, comparison: _Comparison) -> Iterator[Drift]:
    index = comparison.index
    content = reader.monorepo.files.read(index.path)[0]
    if not isinstance(content, bytes) or is_ciphertext(content):
        return
    try:
        entries = index.entries(content)
    except MissingAnchorError as error:
        what = f"{index.path} lacks {error.what}."
        yield Drift(index, State.NO_ANCHOR, "", "", what, _NO_PLACE)
        return
    view = _View(reader, content.decode(), entries)
    groups: dict[str, str] = {}
    for entry in comparison.expected(reader):
        groups |= {_name(key): key.rpartition(":")[0] for key in index.keys(entry)}
        certain = comparison.certain(entry)
        fix = "`scaffold index --fix` adds it." if certain else comparison.advice
        for key in sorted(index.keys(entry)):
            if not comparison.present(view, entry, key):
                what = f"{_told(key)} is missing."
                yield Drift(index, State.MISSING, entry.name, key, what, fix, entry if certain else None)
    for key, reason in sorted(comparison.stale(view).items()):
        what = f"{_told(key)} is listed, but {reason}."
        group = groups.get(_name(key))
        fix = f"Remove it here: it belongs under {group}." if group else "Remove it, if it is really gone."
        yield Drift(index, State.STALE, "", key, what, fix)


def _told(key: str) -> str:
    """The name of an entry for people, with its group at the end."""
    group, _, name = key.rpartition(":")
    return f"{name} ({group})" if group else name


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


def _compared(index: Index[Any], expected: Expected, reason: str) -> _Comparison:
    """An index whose entries all follow from the stacks: an entry that nothing asks for is stale."""

    def stale(view: _View) -> Mapping[str, str]:
        known = {key for entry in expected(view.reader) for key in index.keys(entry)}
        return dict.fromkeys(view.entries - known, reason)

    return _Comparison(index, expected, stale, _always)


def _has_row(view: _View, entry: ServiceEntry, key: str) -> bool:
    """A row of the stack under another name counts too."""
    return key in view.entries or entry.stack in catalog.stacks_by_name(view.text).values()


def _stale_rows(view: _View) -> Mapping[str, str]:
    return {
        name: f"there is no {view.reader.monorepo.place(stack)}"
        for name, stack in catalog.stacks_by_name(view.text).items()
        # A cell without a word says that there is none.
        if any(map(str.isalnum, stack)) and stack.split("/")[0] not in view.reader.monorepo.stacks
    }


def _is_made(view: _View, entry: ServiceEntry, key: str) -> bool:
    """A database that the stack creates itself counts too."""
    return key in view.entries or view.reader.makes_database(entry)


def _is_probed(view: _View, entry: ServiceEntry, key: str) -> bool:
    """Any address below one of the paths counts, whatever its name."""
    public = next(public for public in entry.public_paths if public.key == key)
    below = tuple(path.rstrip("/") for path in public.paths) or ("",)
    targets = map(urlsplit, walloff.targets(view.text).values())
    return any(t.netloc == urlsplit(public.url).netloc and t.path.startswith(below) for t in targets)


def _is_said_to_have_anubis(view: _View, entry: ServiceEntry, key: str) -> bool:
    """The list has hosts, and here and there the name of a Service, or both as ``host/service``."""
    return not view.entries.isdisjoint((key, *_anubis_names(entry)))


def _behind_no_anubis(view: _View) -> Mapping[str, str]:
    gated = [entry for entry in view.reader.entries.values() if entry.anubis]
    known = {slug(host.label) for entry in gated for host in entry.hosts}.union(*map(_anubis_names, gated))
    return dict.fromkeys(view.entries - known, "no ingress with this host leads to Anubis")


def _anubis_names(entry: ServiceEntry) -> set[str]:
    return {slug(entry.name), *(slug(f"{host.label}/{entry.name}") for host in entry.hosts)}


def _protected(reader: StackReader) -> Iterator[ServiceEntry]:
    """The Services with a claim of their own; only a person knows what the row has to say."""
    return (replace(entry, protection=Protection("")) for entry in reader.services if reader.claims(entry))


def _has_part(view: _View, entry: ServiceEntry, key: str) -> bool:
    """A row about one part of a Service counts too."""
    return any(f"{row}-".startswith(f"{key}-") for row in view.entries)


def _own_images(reader: StackReader) -> Iterator[ServiceEntry]:
    """The stacks that run the house's own images; only its repository tells how each is built."""
    for repository, stack in sorted(reader.own_images.items()):
        yield ServiceEntry(stack, stack, own_image=OwnImage(repository, BuildModel.GITHUB))


def _in_any_group(view: _View, _entry: ServiceEntry, key: str) -> bool:
    return _name(key) in map(_name, view.entries)


def _name(key: str) -> str:
    return key.rpartition(":")[2]


def _unmentioned(view: _View) -> Mapping[str, str]:
    gone = (key for key in view.entries if not any(map(view.reader.mentions, _spellings(key))))
    return dict.fromkeys(gone, "no stack names it")


def _spellings(image: str) -> tuple[str, ...]:
    """The ways in which stacks may write an image: one on Docker Hub also without its registry."""
    short = ImageReference.parse(image).repository.removeprefix("library/")
    on_hub = ImageReference.parse(image).host == ImageReference.parse(short).host
    return (image, short) if on_hub else (image,)


def _uses_server(view: _View, entry: ServiceEntry, key: str) -> bool:
    """A Service may be listed under the name of its user or its database, or be named in a remark."""
    engine = key.partition(":")[0]
    names = {n for d in entry.databases if d.engine.value == engine for n in (d.user, d.name)}
    listed = view.entries | databases.remarks(view.text).keys()
    return key in listed or any(f"{engine}:{slug(name)}" in listed for name in names)


def _uses_no_server(view: _View) -> Mapping[str, str]:
    users = ((entry.name, d) for entry in view.reader.entries.values() for d in entry.databases)
    known = {
        f"{database.engine.value}:{slug(name)}"
        for stack, database in (*users, *((d.user, d) for d in view.reader.roles.values()))
        for name in (stack, database.user, database.name)
    }
    remarked = {item for remark, item in databases.remarks(view.text).items() if remark in known}
    gone = view.entries - known - remarked
    return dict.fromkeys(gone, "no stack reads credentials of that server under this name")


def _nowhere(view: _View) -> Mapping[str, str]:
    return dict.fromkeys(view.entries - view.reader.namespaces, "no stack makes a namespace of this name")


def _watches_nothing(view: _View) -> Mapping[str, str]:
    parts = {name: host.split(".") for name, host in monitors.hostnames(view.text).items()}
    places = {name: part[1] for name, part in parts.items() if part[2:3] == ["svc"]}
    gone = (name for name, place in places.items() if place not in view.reader.namespaces)
    return dict.fromkeys(gone, "no stack makes the namespace that it watches")


def _nobody(_reader: StackReader) -> Iterable[ServiceEntry]:
    return ()


_NO_PLACE = (
    "Restore the place of the list; if the house gave it up, `scaffold check --update-baseline` accepts that."
)
_NO_ROLE = "Vault has no static role for this user"
_BUILT = "Add it to the list for the way it is built."
_COMPARISONS = (
    _Comparison(
        catalog.CATALOG,
        _services,
        _stale_rows,
        certain=lambda entry: bool(entry.description),
        present=_has_row,
        advice="Add a row that says what it is.",
    ),
    _compared(catalog.DOMAINS, _all_stacks, "no ingress has this host with this DNS record"),
    _compared(vault.ALLOWED_ROLES, _roles, "there is no such static role"),
    _Comparison(vault.STATIC_ROLES, _roles),
    _Comparison(dbaas.DATABASES, _services, present=_is_made),
    _Comparison(
        walloff.TARGETS,
        _all_but_the_gate,
        present=_is_probed,
        advice="Add an address below the path that answers today without signing on.",
    ),
    _compared(claude.ROTATION, _in_vault, _NO_ROLE),
    _Comparison(claude.ANUBIS, _all_stacks, _behind_no_anubis, _always, _is_said_to_have_anubis),
    _compared(databases.ROTATION, _in_vault, _NO_ROLE),
    _Comparison(upgrade_config.DATABASES, _services),
    _Comparison(upgrade_config.REPOSITORIES, _nobody, _unmentioned),
    _Comparison(databases.USED_BY, _all_stacks, _uses_no_server, present=_uses_server),
    _Comparison(backup.MATRIX, _protected, present=_has_part, advice="Add a row that says what backs it up."),
    *(
        _Comparison(builds, _own_images, present=_in_any_group, advice=_BUILT)
        for builds in (ci_cd.BUILDS, claude.BUILDS)
    ),
    # Which number a repository has only Woodpecker tells, and a repository needs no stack.
    *(_Comparison(numbers, _nobody) for numbers in (ci_cd.REPO_IDS, claude.REPO_IDS)),
    # What is in these no stack tells in its syntax: it is only seen that they can be read.
    *(
        _Comparison(unseen, _nobody)
        for unseen in (claude.PACKAGES, storage.CONSUMERS, storage.ENCRYPTED, storage.SQLITE)
    ),
    _Comparison(ghcr.NAMESPACES, _nobody, _nowhere),
    _Comparison(monitors.MONITORS, _nobody, _watches_nothing),
)
