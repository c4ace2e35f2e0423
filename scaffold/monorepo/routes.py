"""Traefik's own routes, the IngressRoutes: which hosts and paths a rule lets in, and through what.

No released library reads these rules; Traefik itself treats them as Go expressions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from scaffold.hcl.evaluate import Names, evaluate, known_text, text
from scaffold.hcl.expressions import Expression
from scaffold.hcl.syntax import Block
from scaffold.monorepo.manifests import manifest_of

KIND = "IngressRoute"
_TOKEN = re.compile(r"(&&|\|\||!)|`([^`]*)`|\"((?:[^\"\\]|\\.)*)\"")
_SIGNS = {"&&": "and", "||": "or", "!": "not"}
"""What a rule's operators are in Python, whose parser reads a rule then."""
_PATHS = ("path", "pathprefix")

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
        python = _TOKEN.sub(_as_python, rule).replace("\n", " ").strip()
        found = _places(ast.parse(python, mode="eval").body)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
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


def _as_python(token: re.Match[str]) -> str:
    sign, raw, quoted = token.groups()
    return f" {_SIGNS[sign]} " if sign else repr(raw if raw is not None else quoted)


def _places(rule: ast.expr) -> list[_Place]:
    """The places that a rule, or a part of one, lets in. Raises ValueError if it is no rule."""
    match rule:
        case ast.BoolOp(ast.Or(), parts):
            found = [place for part in parts for place in _places(part)]
        case ast.BoolOp(ast.And(), parts):
            first, *others = map(_places, parts)
            found = reduce(_together, others, first)
        case ast.UnaryOp(ast.Not(), part):
            _places(part)
            found = [_ANYWHERE]
        case ast.Call(ast.Name(name), values, []):
            texts = [str(ast.literal_eval(value)) for value in values]
            found = [(None, text) for text in texts] if name.lower() in _PATHS else [_ANYWHERE]
            found = [(text, None) for text in texts] if name.lower() == "host" else found
        case _:
            raise ValueError
    return list(dict.fromkeys(found))


def _together(some: list[_Place], others: list[_Place]) -> list[_Place]:
    joined = (_joined(one, other) for other in others for one in some)
    return list(dict.fromkeys(place for place in joined if place is not None))


def _joined(one: _Place, other: _Place) -> _Place | None:
    """Where both hold: at one host, and at the longer of two paths."""
    hosts = {host for host in (one[0], other[0]) if host is not None}
    paths = [path for path in (one[1], other[1]) if path is not None]
    return None if len(hosts) > 1 else (next(iter(hosts), None), max(paths, key=len, default=None))
