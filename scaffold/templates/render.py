"""From answers to files: the bytes that stock Copier renders, by the evaluator that decides.

Copier is the contract: ``copier copy`` and ``copier update`` work on the same files, and tests keep both
equal. Through Copier, one render takes a second, so no command starts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from jinja2 import Environment, Template, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from scaffold.changes.change import Content, Symlink
from scaffold.templates import decisions, template
from scaffold.templates.questions import Role, Value, all_questions, exclusions

ANSWERS_FILE = ".copier-answers.yml"
RENDERED = ("main.tf", "terragrunt.hcl", ANSWERS_FILE)
"""The files that every stack is rendered to."""
SUFFIX = ".jinja"
"""What a file ends in that is rendered (``_templates_suffix``); any other is copied."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the template makes of answers: the files by their path below its root, and all combined values."""

    files: Mapping[PurePosixPath, Content]
    values: Mapping[str, Value]


def render(
    answers: Mapping[str, Value],
    sensed: Mapping[str, Value],
    recorded: Mapping[str, Value],
    origin: template.Origin,
    target: str = "stack",
) -> Rendered:
    """The files and values that the template gives for these answers, which have to be valid.

    ``target`` is which of the two templates: ``stack``, or ``service`` for the app's repository.
    ``answers`` hold only what was given, in the order in which it is recorded.
    """
    given = dict(answers)
    if target != "stack":
        given["template"] = target
    if sensed:
        given["sensed"] = sensed
    if recorded:
        given["recorded"] = recorded
    values = decisions.combine(given)
    context = {
        **values,
        "_copier_answers": _remembered(given, values),
        "_copier_conf": {"answers_file": ANSWERS_FILE, "data": given},
        "_origin": {"_src_path": origin.source, "_commit": origin.version},
    }
    files = dict(_files(template.root() / "templates" / target, context))
    # A wheel holds no links, so those of an installed package's template come from its decisions.
    links = values["stack"].get("links", {}) if target == "stack" else {}
    linked = {PurePosixPath(path): Symlink(aim) for path, aim in links.items()}
    return Rendered({**files, **linked}, values)


def _remembered(given: Mapping[str, Value], values: Mapping[str, Value]) -> dict[str, Value]:
    """What Copier records: first what was given, then the rest, but nothing computed or inapplicable."""
    stored = {
        question.name
        for question in all_questions()
        if question.role is not Role.COMPUTED and decisions.holds(question.when, values)
    }
    return {name: values[name] for name in dict.fromkeys([*given, *values]) if name in stored & values.keys()}


def _files(directory: Path, context: Mapping[str, Value]) -> Iterator[tuple[PurePosixPath, Content]]:
    for source in sorted(directory.rglob("*")):
        left_out = any(fnmatch(part, p) for part in source.relative_to(directory).parts for p in exclusions())
        if left_out or not (source.is_symlink() or source.is_file()):
            continue
        name = source.relative_to(template.root()).as_posix()
        for path, item in _paths(source.relative_to(directory).as_posix().removesuffix(SUFFIX), context):
            if source.is_symlink():
                yield path, Symlink(source.readlink().as_posix())
            elif not name.endswith(SUFFIX):
                yield path, source.read_bytes()
            else:
                text = decisions.environment().get_template(name).render({**context, **item})
                yield path, text.encode()


def _paths(name: str, context: Mapping[str, Value]) -> Iterable[tuple[PurePosixPath, Mapping[str, Value]]]:
    """The paths that a template's name stands for, each with its item if there are several."""
    each: list[tuple[PurePosixPath, Mapping[str, Value]]] = []
    text = _name(name).render({**context, _Yield.FOUND: each})
    return each or ([(PurePosixPath(text), {})] if text else [])


@template.kept
def _names() -> Environment:
    return decisions.environment().overlay(extensions=[_Yield])


@template.kept
def _name(text: str) -> Template:
    return _names().get_template(decisions.TEXT + text)


class _Yield(Extension):
    """Copier's ``{% yield item from items %}…{% endyield %}`` in the name of a file: a file for each item."""

    FOUND = "_yielded"
    tags = {"yield"}  # noqa: RUF012 (as Jinja declares it)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        item = parser.parse_assign_target(name_only=True)
        parser.stream.expect("name:from")
        items = parser.parse_expression()
        body = parser.parse_statements(("name:endyield",), drop_needle=True)
        call = self.call_method("_each", [nodes.ContextReference(), nodes.Const(item.name), items])
        return nodes.CallBlock(call, [nodes.Name(item.name, "param")], [], body, lineno=line)

    def _each(
        self, context: Context, name: str, items: Iterable[Value], caller: Callable[[Value], str]
    ) -> str:
        context[self.FOUND].extend((PurePosixPath(caller(item)), {name: item}) for item in items)
        return ""
