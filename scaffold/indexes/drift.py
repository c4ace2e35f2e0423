"""What the indexes and the stacks of a monorepo do not agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from scaffold.change import is_ciphertext, read
from scaffold.errors import Finding
from scaffold.indexes import catalog, claude, databases, dbaas, upgrade_config, vault, walloff
from scaffold.indexes.base import Index, MissingAnchor
from scaffold.indexes.entry import ServiceEntry, slug
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo import STACKS, Monorepo


class State(Enum):
    """How an index and the stacks disagree."""

    MISSING = "missing"
    STALE = "stale"
    NO_ANCHOR = "no-anchor"


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement. ``entry`` is what can be inserted to mend it, where that is certain."""

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
        code = f"index.{self.index.name}.{self.state.value}"
        return Finding(str(self.index.path), None, None, code, self.what, value=self.key, hint=self.fix)


Expected = Callable[[StackReader], Iterable[ServiceEntry]]


def _never(_entry: ServiceEntry) -> bool:
    return False


def _not_covered(_reader: StackReader, _text: str, _entry: ServiceEntry, _key: str) -> bool:
    return False


def _nothing_stale(_reader: StackReader, _text: str, _entries: frozenset[str]) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class _Comparison:
    """How one index is held against the stacks.

    ``expected`` gives everything that has to be in it, ``covered`` says what stands there under another
    key, ``certain`` what may be inserted without a person. ``stale`` names the entries that nothing
    stands behind, with the reason.
    """

    index: Index[Any]
    expected: Expected
    stale: Callable[[StackReader, str, frozenset[str]], Mapping[str, str]] = _nothing_stale
    certain: Callable[[ServiceEntry], bool] = _never
    covered: Callable[[StackReader, str, ServiceEntry, str], bool] = _not_covered
    advice: str = "Add it by hand."


def drift(monorepo: Monorepo) -> tuple[Drift, ...]:
    """Every disagreement, by index. Files that are missing or encrypted are not judged."""
    reader = StackReader(monorepo)
    return tuple(found for comparison in _COMPARISONS for found in _compare(reader, comparison))


def _compare(reader: StackReader, comparison: _Comparison) -> Iterator[Drift]:
    index = comparison.index
    content = read(reader.monorepo.root, index.path)[0]
    if not isinstance(content, bytes) or is_ciphertext(content):
        return
    entries = index.entries(content)
    if isinstance(entries, MissingAnchor):
        what = f"{index.path} lacks {entries.what}."
        yield Drift(index, State.NO_ANCHOR, "", "", what, "Give the list its place again.")
        return
    text = content.decode()
    for entry in comparison.expected(reader):
        certain = comparison.certain(entry)
        fix = "`scaffold index --fix` adds it." if certain else comparison.advice
        for key in sorted(index.keys(entry) - entries):
            if not comparison.covered(reader, text, entry, key):
                what = f"{entry.name}: {key} is missing."
                yield Drift(index, State.MISSING, entry.name, key, what, fix, entry if certain else None)
    for key, reason in sorted(comparison.stale(reader, text, entries).items()):
        what = f"{key} is listed, but {reason}."
        yield Drift(index, State.STALE, "", key, what, "Take it out, if it is really gone.")


def _services(reader: StackReader) -> Iterable[ServiceEntry]:
    return reader.services


def _all_stacks(reader: StackReader) -> Iterable[ServiceEntry]:
    return reader.entries.values()


def _roles(reader: StackReader) -> Iterator[ServiceEntry]:
    """One entry per role, of Vault or of a stack, under the name of a stack that uses it."""
    users = {d.role: entry.name for entry in _all_stacks(reader) for d in entry.databases}
    known = {d.role: d for entry in _all_stacks(reader) for d in entry.databases} | dict(reader.roles)
    for role, database in sorted(known.items()):
        name = users.get(role, "vault")
        yield ServiceEntry(name, name, databases=(database,))


def _in_vault(reader: StackReader) -> Iterator[ServiceEntry]:
    return (entry for entry in _roles(reader) if entry.databases[0].role in reader.roles)


def _always(_entry: ServiceEntry) -> bool:
    return True


def _compared(index: Index[Any], expected: Expected, reason: str) -> _Comparison:
    """An index whose entries all follow from the stacks: what nothing asks for is stale."""

    def stale(reader: StackReader, _text: str, entries: frozenset[str]) -> Mapping[str, str]:
        known = {key for entry in expected(reader) for key in index.keys(entry)}
        return dict.fromkeys(entries - known, reason)

    return _Comparison(index, expected, stale, _always)


def _stale_rows(reader: StackReader, text: str, _entries: frozenset[str]) -> Mapping[str, str]:
    rows = catalog.stacks_by_name(text)
    return {
        name: f"there is no {STACKS}/{stack}"
        for name, stack in rows.items()
        if stack.split("/")[0] not in reader.monorepo.stacks
    }


def _has_row_under_another_name(_reader: StackReader, text: str, entry: ServiceEntry, _key: str) -> bool:
    return entry.stack in catalog.stacks_by_name(text).values()


def _is_probed(_reader: StackReader, text: str, entry: ServiceEntry, key: str) -> bool:
    """A target for any address below the paths is as good as one for the first of them."""
    public = next(public for public in entry.public_paths if public.key == key)
    wanted = urlsplit(public.url)
    return any(
        target.netloc == wanted.netloc
        and target.path.startswith(tuple(path.rstrip("/") for path in public.paths))
        for target in map(urlsplit, walloff.targets(text).values())
    )


def _anubis(text: str) -> frozenset[str]:
    entries = claude.ANUBIS.entries(text.encode())
    return frozenset() if isinstance(entries, MissingAnchor) else entries


def _behind_no_anubis(reader: StackReader, _text: str, entries: frozenset[str]) -> Mapping[str, str]:
    """The list has hosts, and here and there the name of a Service."""
    gated = [entry for entry in reader.entries.values() if entry.anubis]
    known = {slug(name) for entry in gated for name in (entry.name, *(host.label for host in entry.hosts))}
    return dict.fromkeys(entries - known, "no ingress with this host leads to Anubis")


_NO_ROLE = "Vault has no static role for this user"
_COMPARISONS = (
    _Comparison(
        catalog.CATALOG,
        _services,
        _stale_rows,
        certain=lambda entry: bool(entry.description),
        covered=_has_row_under_another_name,
        advice="Add a row that says what it is.",
    ),
    _compared(catalog.DOMAINS, _all_stacks, "no ingress has this host with this DNS record"),
    _compared(vault.ALLOWED_ROLES, _roles, "there is no such static role"),
    _Comparison(vault.STATIC_ROLES, _roles),
    _Comparison(dbaas.DATABASES, _services),
    _Comparison(
        walloff.TARGETS,
        _all_stacks,
        covered=_is_probed,
        advice="Add an address below the path that answers today without signing on.",
    ),
    _compared(claude.ROTATION, _in_vault, _NO_ROLE),
    _Comparison(
        claude.ANUBIS, _all_stacks, _behind_no_anubis, _always, lambda r, t, e, k: slug(e.name) in _anubis(t)
    ),
    _compared(databases.ROTATION, _in_vault, _NO_ROLE),
    _Comparison(upgrade_config.DATABASES, _services),
)
