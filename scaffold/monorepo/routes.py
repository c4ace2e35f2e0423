"""Traefik's own routes, the IngressRoutes: which hosts and paths a rule lets in, and through what.

No released library reads these rules; Traefik itself treats them as Go expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.hcl.evaluate import Names, evaluate, known_text, text
from scaffold.hcl.expressions import Expression
from scaffold.hcl.syntax import Block
from scaffold.monorepo.manifests import manifest_of

KIND = "IngressRoute"
_TOKEN = re.compile(r"\s*(?:(&&|\|\||[!(),])|([A-Za-z]\w*)|`([^`]*)`|\"((?:[^\"\\]|\\.)*)\"|(\S))")
_PATHS = ("path", "pathprefix")
_DEEPEST = 50
"""No rule that a person writes has parentheses nested so deeply."""

_Place = tuple[str | None, str | None]
_ANYWHERE: _Place = (None, None)


@dataclass(frozen=True, slots=True)
class Route:
    """One route that is written out: the hosts and paths that it lets in, and its middlewares.

    A middleware whose name cannot be seen is empty.
    """

    places: tuple[tuple[str, str], ...]
    middlewares: tuple[str, ...]
    path: str
    line: int


def places(rule: str) -> tuple[tuple[str, str], ...]:
    """The hosts and paths that a rule lets in: ``Host(`a`) && PathPrefix(`/x`)``.

    Whatever else it asks lets in less of them: headers, addresses, all after ``!``. A host that is not
    written out has no place, and a rule that cannot be read has none.
    """
    try:
        found = _Rule(rule).whole()
    except (ValueError, IndexError):
        return ()
    return tuple(dict.fromkeys((host, path or "/") for host, path in found if host))


def middleware(name: str, namespace: str) -> str:
    """A route's middleware as an ingress names it; one of another provider names that itself."""
    return name if "@" in name else f"{namespace}-{name}@kubernetescrd"


def written(blocks: Iterable[Block], names: Names) -> Iterator[Route]:
    """The routes of the IngressRoutes among these blocks."""
    for block in blocks:
        manifest = manifest_of(block)
        if manifest is None or _text(manifest, names, "kind") != KIND:
            continue
        namespace, listed = _text(manifest, names, "metadata", "namespace"), manifest.at("spec", "routes")
        for route in listed.elements if listed else ():
            through = _middlewares(route.at("middlewares"), namespace, names)
            yield Route(places(_text(route, names, "match")), through, block.source.path, route.line)


def _middlewares(value: Expression | None, namespace: str, names: Names) -> tuple[str, ...]:
    if value is None or value.elements:
        return tuple(_middleware(item, namespace, names) for item in (value.elements if value else ()))
    found = evaluate(value, names)
    listed = found if isinstance(found, list) else [None]
    return tuple(
        middleware(str(one.get("name")), str(one.get("namespace") or namespace))
        if isinstance(one, Mapping)
        else ""
        for one in listed
    )


def _middleware(item: Expression, namespace: str, names: Names) -> str:
    name, own = _text(item, names, "name"), item.at("namespace")
    its = text(own, names) if own else namespace
    return middleware(name, its or "") if name and (its or "@" in name) else ""


def _text(value: Expression, names: Names, *keys: str) -> str:
    return known_text(value.at(*keys), names)


class _Rule:
    """Reads a rule into its alternatives; raises ValueError or IndexError for an invalid one."""

    def __init__(self, rule: str) -> None:
        self._tokens = [match.groups() for match in _TOKEN.finditer(rule)]
        self._at = 0
        self._depth = 0

    def whole(self) -> list[_Place]:
        found = self._either()
        if self._at != len(self._tokens):
            raise ValueError
        return found

    def _either(self) -> list[_Place]:
        found = self._both()
        while self._takes("||"):
            found = list(dict.fromkeys([*found, *self._both()]))
        return found

    def _both(self) -> list[_Place]:
        found = self._one()
        while self._takes("&&"):
            joined = [_joined(one, other) for other in self._one() for one in found]
            found = list(dict.fromkeys(place for place in joined if place is not None))
        return found

    def _one(self) -> list[_Place]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError
        if self._takes("!"):
            self._one()
            found = [_ANYWHERE]
        elif self._takes("("):
            found = self._either()
            self._need(")")
        else:
            found = self._matcher()
        self._depth -= 1
        return found

    def _matcher(self) -> list[_Place]:
        name, arguments = self._next()[1].lower(), []
        self._need("(")
        while not self._takes(")"):
            _, _, raw, quoted, _ = self._next()
            arguments.append(raw or quoted)
            self._takes(",")
        if name == "host":
            return [(argument, None) for argument in arguments]
        return [(None, argument) for argument in arguments] if name in _PATHS else [_ANYWHERE]

    def _next(self) -> tuple[str, ...]:
        self._at += 1
        return tuple(part or "" for part in self._tokens[self._at - 1])

    def _takes(self, sign: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at][0] == sign
        self._at += found
        return found

    def _need(self, sign: str) -> None:
        if not self._takes(sign):
            raise ValueError


def _joined(one: _Place, other: _Place) -> _Place | None:
    """Where both hold: at one host, and at the longer of two paths."""
    hosts = {host for host in (one[0], other[0]) if host is not None}
    paths = [path for path in (one[1], other[1]) if path is not None]
    return None if len(hosts) > 1 else (next(iter(hosts), None), max(paths, key=len, default=None))
