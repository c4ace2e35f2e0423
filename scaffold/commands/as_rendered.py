"""A stack as the version of the templates that it records rendered it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from scaffold.commands.service_entry import service_entry
from scaffold.commands.stored import Record
from scaffold.indexes.entry import ServiceEntry
from scaffold.templates import template
from scaffold.templates.questions import Value, asked
from scaffold.templates.render import render
from scaffold.updates.merge import Tree


@dataclass(frozen=True, slots=True)
class AsRendered:
    """The files, and the Service's entry for the lists outside.

    ``entry`` is None if that version decided in another form than this program reads.
    """

    files: Tree
    entry: ServiceEntry | None


def as_rendered(record: Record, stored: Mapping[str, Value], templates: Path | None) -> AsRendered:
    """What was rendered from everything that an answers file says (``stored``).

    ``templates`` is the directory of the version that it names, None for the installed templates. Raises
    Jinja's ``TemplateError`` where that version cannot render it.
    """
    origin = template.Origin(record.source, record.version, updatable=True)
    with ExitStack() as other:
        if templates is not None:
            other.enter_context(template.using(templates))
        answers = {name: stored[name] for name in asked() if name in stored}
        found = render(answers, record.sensed, record.recorded, origin)
        try:
            entry = service_entry(found.values)
        except (LookupError, StopIteration, TypeError, AttributeError):
            entry = None
    return AsRendered(found.files, entry)
