"""What is generated from the hand-written sources: every file with its text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffold.cli.group import cli
from scaffold.commands import schema, skill
from scaffold.generate import images, licences, names, reference, rows
from scaffold.templates import questions, template

_DECISIONS = Path("templates", "decisions")
_IMAGES = "images"


def tables() -> dict[str, tuple[rows.Table, ...]]:
    """The tables, by the names of their files. Raises :class:`RowsError` for a mistake in one."""
    read = {path.stem: rows.read(path.stem, path.read_text("utf-8")) for path in _sources()}
    for file, its_tables in read.items():
        names.check(file, its_tables, names.given(compiled_path(file).as_posix()))
    return read


def _sources() -> list[Path]:
    return sorted((template.root() / _DECISIONS / "tables").glob("*.yml"))


def compiled_path(file: str) -> Path:
    """Where the rows in a file of tables are compiled to."""
    return _DECISIONS / "rows" / f"{file}.jinja"


def generated() -> Iterator[tuple[Path, str]]:
    """Each generated file, by its path in the checkout, with the text that it should have."""
    for file, read in tables().items():
        yield compiled_path(file), rows.compiled(file, read)
    known = (template.root() / _DECISIONS / f"{_IMAGES}.yml").read_text("utf-8")
    yield compiled_path(_IMAGES), images.compiled(known)
    yield Path("templates", "questions", "answers.jinja"), _answers()
    yield Path("templates", "questions", "usual_answers.jinja"), "".join(_usual())
    yield Path("templates", "questions", "unasked.jinja"), "".join(_unasked())
    yield _DECISIONS / "timezones.txt", (files("tzdata") / "zones").read_text("utf-8")
    yield Path("docs", "answers.md"), schema.markdown()
    yield Path("docs", "rules.md"), reference.rules()
    yield Path("docs", "decisions.md"), reference.decisions()
    yield Path("docs", "facts.md"), reference.facts()
    yield Path("docs", "exit-codes.md"), reference.exits()
    yield Path("docs", "agents.md"), skill.page()
    yield Path("docs", "licences.md"), licences.markdown()
    context = cli.context_class(cli, info_name="scaffold", terminal_width=80, **cli.context_settings)
    yield Path("scaffold", "cli", "help.txt"), f"{context.get_help()}\n"
    yield from _stubs()


def stale() -> list[Path]:
    """Compiled files whose tables no longer exist."""
    there = (template.root() / _DECISIONS / "rows").glob("*.jinja")
    known = {_IMAGES, *(path.stem for path in _sources())}
    return sorted(path for path in there if path.stem not in known)


def _answers() -> str:
    """Each answer that has a type, by name, because Jinja cannot look up a value by its name."""
    head = "{# Generated from types.yml by `python3 dev generate`. #}\n{% set answers = [\n"
    return head + "".join(f"  ('{name}', {name}),\n" for name in questions.types()) + "] %}\n"


def _usual() -> Iterator[str]:
    """The default of each question, even if it follows from other answers.

    It is not what was recorded under an earlier name: that was given.
    """
    yield "{# Generated from the defaults of the questions by `python3 dev generate`. #}\n"
    usual = {name: question.default for name, question in questions.asked().items() if question.has_default}
    follows = {name for name, default in usual.items() if isinstance(default, str) and "{" in default}
    for name, text in usual.items():
        was = questions.asked()[name].was
        inner = f"{{% with {was} = no_such_answer %}}{text}{{% endwith %}}" if was else text
        if name in follows:
            yield f"{{% set usual_{name} %}}{inner}{{% endset %}}\n"
    yield "{{ {\n"
    for name, default in usual.items():
        text = f"usual_{name}" + ("" if questions.asked()[name].type == "str" else " | from_yaml")
        yield f"  {name!r}: {text if name in follows else repr(default)},\n"
    yield "} | tojson }}\n"


def _unasked() -> Iterator[str]:
    """What stock Copier says about an answer whose question does not apply, unless it is the default.

    What was recorded is not among them: Copier forgets that before.
    """
    yield "{# Generated from the conditions of the questions by `python3 dev generate`. #}\n"
    for question in questions.asked().values():
        wanted = questions.condition(question)
        if not wanted:
            continue
        before, _, when = str(question.when).rpartition("{{")
        name = question.name
        differs = f"{name} != usual_answers.{name}" if question.has_default else f"{name} is defined"
        told = " and ".join(f"{other} {questions.in_words(schema)}" for other, schema in wanted.items())
        yield f"{before}{{% if {differs} and not ({when.removesuffix('}}').strip()}) %}}\n"
        yield f"{name}: applies only where {told}\n{{% endif %}}\n"


def _stubs() -> Iterator[tuple[Path, str]]:
    """The Python code for our declaration of Terraform's plugin protocol."""
    declaration = Path("scaffold", "terraform", "plugin.proto")
    with TemporaryDirectory() as scratch:
        out = [f"--python_out={scratch}", f"--pyi_out={scratch}"]
        command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *out, str(declaration)]
        subprocess.run(command, cwd=template.root(), check=True)
        for made in sorted(Path(scratch, declaration.parent).iterdir()):
            yield declaration.parent / made.name, made.read_text("utf-8")
