"""``scaffold skill``: what a coding agent needs to know to create Services, put where agents look for it."""

from __future__ import annotations

from pathlib import PurePosixPath

from scaffold.changes.change import ChangeSet, Content, Files
from scaffold.errors import EXITS, RefusedError
from scaffold.templates.decisions import environment
from scaffold.templates.questions import Question, asked, condition, in_words

SKILL = PurePosixPath(".claude/skills/new-service/SKILL.md")
SECTION = PurePosixPath("AGENTS.md")
_BEGIN = "<!-- scaffold: begin; `scaffold skill --write` brings this section up to date -->"
_END = "<!-- scaffold: end -->"


def skill() -> str:
    """The skill file, from the declarations of the questions."""
    return _rendered("skill")


def page() -> str:
    """The same for the documentation."""
    return _rendered("page")


def planned(files: Files) -> ChangeSet:
    """The skill file and its section in ``AGENTS.md``, as a change of a monorepo's files; nothing is written.

    The rest of ``AGENTS.md`` is kept. Raises :class:`RefusedError` if that cannot be: it is not text, or only
    one of the section's two marks is left.
    """
    return ChangeSet.plan(
        files, {SKILL: skill().encode(), SECTION: _with_section(files.read(SECTION)[0]).encode()}
    )


def is_behind(files: Files) -> bool:
    """Whether a monorepo has the skill file, but not as this version writes it."""
    there = files.read(SKILL)[0]
    return there is not None and there != skill().encode()


def _with_section(content: Content | None) -> str:
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
    section = _rendered("section").removesuffix("\n")
    if begin:
        return before + section + after
    return (f"{text.rstrip()}\n\n" if text.strip() else "") + section + "\n"


def _rendered(name: str) -> str:
    questions = asked().values()
    return environment().get_template(f"templates/agents/{name}.md.jinja").render(
        required=[_named(q) for q in questions if q.required or not (q.has_default or q.core)],
        core=[question for question in questions if question.core],
        skill=SKILL, begin=_BEGIN, end=_END, exits=EXITS,
    )  # fmt: skip


def _named(question: Question) -> str:
    """A question's key, and where it applies."""
    where = [f"`{other}` {in_words(wanted, '`')}" for other, wanted in condition(question).items()]
    return f"`{question.name}`" + (f" (if {' and '.join(where)})" if where else "")
