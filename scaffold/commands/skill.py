"""``scaffold skill``: what a coding agent needs to know to create Services, put where agents look for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from scaffold.changes.change import ChangeSet, Content, Files
from scaffold.errors import EXITS, RefusedError
from scaffold.templates import decisions
from scaffold.templates.decisions import holds, rendered
from scaffold.templates.questions import Option, Question, Value, asked, condition, in_words, types

SKILL = PurePosixPath(".claude/skills/new-service/SKILL.md")
SECTION = PurePosixPath("AGENTS.md")
_BEGIN = "<!-- scaffold: begin; `scaffold skill --write` brings this section up to date -->"
_END = "<!-- scaffold: end -->"


def skill(facts: Mapping[str, Value]) -> str:
    """The skill file of a house with these facts, from the declarations of the questions."""
    return _rendered("skill", facts)


def page() -> str:
    """The same for the documentation, with the templates' own facts."""
    return _rendered("page", decisions.house())


def planned(files: Files, facts: Mapping[str, Value]) -> ChangeSet:
    """The skill file and its section in ``AGENTS.md``, as a change of a monorepo's files; nothing is written.

    The rest of ``AGENTS.md`` is kept. Raises :class:`RefusedError` if that cannot be: it is not text, or only
    one of the section's two marks is left.
    """
    return ChangeSet.plan(
        files,
        {
            SKILL: skill(facts).encode(),
            SECTION: _with_section(files.read(SECTION)[0], _rendered("section", facts)).encode(),
        },
    )


def is_behind(files: Files, facts: Mapping[str, Value]) -> bool:
    """Whether a monorepo has the skill file, but not as this version would write it there."""
    there = files.read(SKILL)[0]
    return there is not None and there != skill(facts).encode()


def _with_section(content: Content | None, written: str) -> str:
    try:
        text = content.decode() if isinstance(content, bytes) else ""
    except UnicodeDecodeError:
        text = ""
    if content is not None and not text:
        raise RefusedError(f"{SECTION} is not a text file that a section can be added to.", "Add it by hand.")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if bool(begin) != bool(end) or _END in before:
        raise RefusedError(
            f"{SECTION} has only one of the section's two markers.",
            f"Remove it, or put the section between `{_BEGIN}` and `{_END}`.",
        )
    section = written.removesuffix("\n")
    if begin:
        return before + section + after
    return (f"{text.rstrip()}\n\n" if text.strip() else "") + section + "\n"


def _rendered(name: str, facts: Mapping[str, Value]) -> str:
    questions = asked().values()
    choices = {question.name: _choices(question, facts) for question in questions}
    items = {q.name: types().get(q.name, {}).get("items", {}).get("required", ()) for q in questions}
    return decisions.environment().get_template(f"templates/agents/{name}.md.jinja").render(
        required=[_named(q, choices) for q in questions if q.required or not (q.has_default or q.core)],
        decisive=[q for q in questions if len(choices[q.name]) > 1 and (q.core or q.ask is q.when is True)],
        choices=choices, items={name: keys for name, keys in items.items() if keys},
        facts=facts, skill=SKILL, begin=_BEGIN, end=_END, exits=EXITS,
    )  # fmt: skip


def _choices(question: Question, facts: Mapping[str, Value]) -> tuple[Option, ...]:
    """The choices in this house: the options or, if they are described, yes and no."""
    seen = {"facts": facts}
    told = {**{option.value: option.consequence for option in question.options}, **question.consequences}
    return tuple(
        Option(str(value).lower() if isinstance(value, bool) else str(value), rendered(text, seen))
        for value, text in told.items()
        if holds(question.needs.get(value, True), seen)
    )


def _named(question: Question, choices: Mapping[str, tuple[Option, ...]]) -> str:
    """A question's key, and when it applies, in terms of the values that can be chosen here."""
    where = []
    for other, wanted in condition(question).items():
        known = [choice.value for choice in choices[other]]
        here = {"enum": [value for value in wanted.get("enum", ()) if value in known]}
        where.append(f"`{other}` {in_words(here if 'enum' in wanted else wanted, '`')}")
    return f"`{question.name}`" + (f" (if {' and '.join(where)})" if where else "")
