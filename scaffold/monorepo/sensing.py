"""What the monorepo says about itself, where it differs from the facts of this version of the templates.

It is kept between runs, as long as all that it was read from is the same: reading all that takes
longer than checking whether it has changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from scaffold.monorepo.facts import merged, overrides
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import OVERRIDES
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value

_PACKAGE = Path(__file__).parent.parent
_READERS = ("hcl", "monorepo", "templates")
"""The parts of this package that find the facts; one is in the templates."""


def sense(monorepo: Monorepo) -> dict[str, Value]:
    """The facts of this monorepo that differ from the template's defaults.

    Only what differs is returned, by rows, for only that is recorded with a stack: the rest has to follow the
    defaults of a later version. ``scaffold.yml`` at the monorepo's root holds over what is sensed; where it
    has the lists, no stack needs to know. Raises :class:`MissingError` if that file is not usable.
    """
    directory = template.cache_directory("sensed")
    if directory is None:
        return _survey(monorepo)
    found = _digest(monorepo)
    file = directory / sha256(str(monorepo.root).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    kept = template.recalled(file)
    if isinstance(kept, dict) and kept.get("of") == found:
        with suppress(OSError):
            os.utime(file)  # what is used stays
        facts: dict[str, Value] = kept["facts"]
        return facts
    facts = _survey(monorepo)
    if _digest(monorepo) == found:  # nobody has changed anything meanwhile
        template.remember(file, {"of": found, "facts": facts})
        template.drop_unused(directory)
    return facts


def _survey(monorepo: Monorepo) -> dict[str, Value]:
    from scaffold.monorepo.survey import survey

    return survey(monorepo)


def _digest(monorepo: Monorepo) -> bytes:
    total = sha256()
    for what, content in (*_code(), *state(monorepo)):
        total.update(b"%d %d " % (len(name := what.encode("utf-8", "surrogateescape")), len(content)))
        total.update(name + content)
    return total.digest()


def _code() -> Iterator[tuple[str, bytes]]:
    """What finds the facts: another version of it never trusts what this one kept."""
    modules = (path for part in _READERS for path in sorted((_PACKAGE / part).glob("*.py")))
    for path in (*modules, _PACKAGE / "reading.py"):
        yield path.name, path.read_bytes()
    for name in ("house", "house_types", "operations"):
        yield name, _content(template.root() / "templates" / "decisions" / f"{name}.yml")


def state(monorepo: Monorepo) -> Iterator[tuple[str, bytes]]:
    """All that the facts are found in, by its path: the content of files, and whether others are there."""
    root = monorepo.root
    yield OVERRIDES, _content(root / OVERRIDES)
    yield from ((str(path), content) for path, content in monorepo.terraform_files(""))
    shared = (root / monorepo.shared.path(name) for name in monorepo.shared.names.values() if name)
    modules = (path for directory in shared for path in sorted(directory.glob("*.tf")) if path.is_file())
    for path in (*modules, *([root / monorepo.root_file] if monorepo.root_file else [])):
        yield str(path), _content(path)
    house = decisions.house()
    for sought in (house["lists"]["internal-monitors"], house["mirror"]["script"]):
        yield sought, b"there" if (root / sought).exists() else b""


def _content(path: Path) -> bytes:
    """What is in a file; of one that cannot be read, that is all there is to know."""
    try:
        return path.read_bytes()
    except OSError as error:
        return str(error.errno).encode()


def facts(monorepo: Monorepo) -> dict[str, Value]:
    """The facts of this monorepo: the template's own, with what is sensed over them."""
    return merged(decisions.house(), sense(monorepo))


def unseen_classes(monorepo: Monorepo) -> Iterator[tuple[str, str]]:
    """The facts with a StorageClass that is only the templates' own: no stack has one of that name."""
    said = overrides(monorepo.root)
    for fact in ("storage_encrypted", "storage_plain") if monorepo.fleet else ():
        name = decisions.house()[fact]
        if fact not in said and next(monorepo.terraform_files(f'"{name}"'), None) is None:
            yield fact, name
