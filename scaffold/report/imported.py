"""What became of a compose file, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.answers.compose.report import Entry, Fate, Report
from scaffold.answers.compose.roles import Role
from scaffold.templates.questions import Value

_TITLES = {Fate.TAKEN: "Taken", Fate.DECIDED: "Decided otherwise", Fate.LEFT: "Left out"}


def import_json(report: Report) -> dict[str, Value]:
    """The report as JSON: the services and what they became, and each key in one of three lists."""
    lists = {fate.value: [_entry_json(entry) for entry in report.of(fate)] for fate in Fate}
    return {
        "file": report.source, "service": report.services[0].name, "services": report.services, **lists,
        "unseen": report.unseen,
    }  # fmt: skip


def _entry_json(entry: Entry) -> dict[str, Value]:
    return {"key": entry.key, **({"answer": entry.answer} if entry.answer else {}), "why": entry.why}


def import_text(report: Report) -> Iterator[str]:
    """The report line by line: the services first, the app before the others."""
    yield f"{report.source}:"
    for service in report.services:
        verb = "is" if service.role == Role.OUT.value else "becomes"
        yield f"  {service.name} {verb} {service.role}, since {service.why}."
    for fate, title in _TITLES.items():
        if entries := report.of(fate):
            yield f"  {title}:"
            yield from (f"    {_line(entry)}" for entry in entries)
    if report.unseen:
        yield "  Look up in the documentation of the image:"
        yield from (f"    {one.service}: {one.why}. {one.fix}" for one in report.unseen)


def _line(entry: Entry) -> str:
    """One key. Control characters in a key are shown, not sent to the terminal."""
    to = f" → {entry.answer}" if entry.answer else ""
    why = f": {entry.why.rstrip('.')}." if entry.why else ""
    line = f"{entry.key}{to}{why}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
