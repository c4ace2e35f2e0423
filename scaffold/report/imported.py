"""What became of a compose file, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scaffold.answers.compose.report import Entry, Fate, Report
from scaffold.answers.compose.roles import Role, service_name
from scaffold.answers.sources import Path, show
from scaffold.templates.questions import Value

_TITLES = {Fate.TAKEN: "Taken", Fate.DECIDED: "Decided otherwise", Fate.LEFT: "Left out"}


def import_json(report: Report) -> dict[str, Value]:
    """The report as JSON: the services and what they became, and each key in one of three lists."""
    lists = {
        fate.value: [
            {"key": entry.key, **({"answer": entry.answer} if entry.answer else {}), "why": entry.why}
            for entry in report.of(fate)
        ]
        for fate in Fate
    }
    return {
        "file": report.source, "service": report.services[0].name, "services": report.services, **lists,
        "unseen": report.unseen,
    }  # fmt: skip


def import_text(report: Report) -> Iterator[str]:
    """The report line by line: the services first, the app before the others."""
    yield f"{report.source}:"
    for service in report.services:
        verb = "is" if service.role == Role.OUT.value else "becomes"
        yield f"  {service.name} {verb} {service.role}, since {service.why}."
    for fate, title in _TITLES.items():
        if entries := report.of(fate):
            yield f"  {title}:"
            yield from (f"    {_line(group)}" for group in _alike(entries))
    if report.unseen:
        yield "  Look up in the documentation of the image:"
        yield from (f"    {one.service}: {one.why}. {one.fix}" for one in report.unseen)


def _alike(entries: Iterable[Entry]) -> Iterable[list[Entry]]:
    """The entries with the same reason that went to the same place: a reader is told of them once."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((_place(entry), entry.why), []).append(entry)
    return groups.values()


def _place(entry: Entry) -> str:
    """Where a key was taken to, for all containers alike: ``sidecars.*.env``."""
    place = entry.answer.removesuffix(f".{entry.path[-1]}")
    own = f".{service_name(str(entry.path[1]))}" if len(entry.path) > 1 else ""
    above, its, below = f"{place}.".partition(f"{own}.") if len(own) > 1 else (place, "", "")
    return f"{above}.*.{below}".rstrip(".") if its else place


def _line(group: Sequence[Entry]) -> str:
    """One key, or several alike. Control characters in a key are shown, not sent to the terminal."""
    first = group[0]
    keys = ", ".join(_keys([entry.path for entry in group]))
    places = {entry.answer.removesuffix(f".{entry.path[-1]}") for entry in group}
    answer = first.answer if len(group) == 1 else places.pop() if len(places) == 1 else _place(first)
    to = f" → {answer}" if answer else ""
    why = f": {first.why.rstrip('.')}." if first.why else ""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"{keys}{to}{why}")


def _keys(paths: Sequence[Path]) -> Iterator[str]:
    """Keys as a shell writes them: ``services.{app, worker}.environment.{TZ, LANG}``."""
    services: dict[tuple[Path, Path], list[Path]] = {}
    for path in paths:
        level = 1 if len(path) > 2 else len(path) - 1
        services.setdefault((path[:level], path[level + 1 :]), []).append(path[level : level + 1])
    beside: dict[tuple[Path, str, Path], list[Path]] = {}
    for (above, below), names in services.items():
        named = bool(below) and isinstance(below[-1], str)
        where = (above, _one_of(names), below[:-1] if named else below)
        beside.setdefault(where, []).extend([below[-1:]] if named else [()])
    for (above, of, below), last in beside.items():
        parts = (show(above), of, show(below), _one_of([name for name in last if name]))
        yield "".join(f"{'' if part.startswith('[') else '.'}{part}" for part in parts if part)[1:]


def _one_of(names: Sequence[Path]) -> str:
    shown = [show(name) for name in names]
    return f"{{{', '.join(shown)}}}" if len(shown) > 1 else "".join(shown)
