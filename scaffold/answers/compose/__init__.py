"""A docker-compose file as a starting point: it is translated into answers, with a report of every key.

The way of the data: ``document`` (what the file says, whole) → ``roles`` (which service is the app, and what
becomes of the others) → ``container`` and ``variables`` (answers) → ``report``. Values that look like secrets
become references by name; the values themselves go nowhere: not into answers, reports or errors.
"""

from __future__ import annotations

from collections.abc import Mapping

from scaffold.templates import template
from scaffold.templates.questions import Value


def facts() -> Mapping[str, Value]:
    """What is known of compose files, and of the images that they often name."""
    return template.facts("compose")
