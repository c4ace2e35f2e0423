"""Whether texts look like literal secrets, by the rules with which the template judges answers."""

from __future__ import annotations

from collections.abc import Iterable

from scaffold.templates import decisions


def suspected(texts: Iterable[tuple[str, str]]) -> list[str]:
    """Why each text looks like a literal secret, or nothing if it does not.

    Takes each with the name that it is given under, such as that of a variable; the name may be empty. The
    rules stand in ``templates/decisions/secrets.yml``. Nothing of a text is in what is returned, but names
    that it gives values to.
    """
    told: list[str] = decisions.evaluate("templates/decisions/suspected.jinja", {"texts": list(texts)})
    return told
