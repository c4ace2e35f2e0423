"""The command line as people expect it: what to do next, nearest names, working examples, completion."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path

import click
import pytest
from support import ANSWERS, scaffold

from scaffold.cli.group import COMMANDS, cli
from scaffold.monorepo.repository import Monorepo
from scaffold.wizard.drafts import Drafts

HELP = files("scaffold.cli").joinpath("help.txt").read_text("utf-8")
EVERY = [cli, *(cli.commands.get(name) or cli.get_command(click.Context(cli), name) for name in COMMANDS)]


def completed(words: str, cwd: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What fish is told where the cursor stands behind these words."""
    from click.shell_completion import get_completion_class

    made = get_completion_class("fish")
    assert made is not None
    monkeypatch.chdir(cwd)
    *args, incomplete = words.split(" ")
    return [item.value for item in made(cli, {}, "scaffold", "_C").get_completions(args, incomplete)]


def test_alone_in_a_terminal_it_says_what_to_do_here(monorepo: Monorepo) -> None:
    Drafts.of(monorepo.root).save("kit", {"given": {}})
    told = scaffold(terminal=True, cwd=monorepo.root)
    assert told.returncode == 0
    assert f"{monorepo.root}: {len(monorepo.stacks)} stacks" in told.stdout
    assert "scaffold new-service --resume kit" in told.stdout
    assert "scaffold update" not in told.stdout, "nothing is behind"


def test_what_older_templates_rendered_is_told(monorepo: Monorepo) -> None:
    (monorepo.root / "stacks/kit").mkdir()
    (monorepo.root / "stacks/kit/main.tf").write_text("")
    (monorepo.root / "stacks/kit/.copier-answers.yml").write_text("_commit: v0.0.1\nname: kit\n")
    told = scaffold(terminal=True, cwd=monorepo.root).stdout
    assert re.search(r"scaffold update --all --plan +see what newer templates change in 1 stack", told)


def test_alone_where_there_is_no_monorepo_it_says_how_to_get_one(tmp_path: Path) -> None:
    told = scaffold(terminal=True, cwd=tmp_path)
    assert told.returncode == 0
    assert "is not in a monorepo" in told.stdout
    assert "scaffold demo homelab" in told.stdout


def test_the_sample_needs_no_name_and_names_what_comes_next(tmp_path: Path) -> None:
    told = scaffold("demo", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    directory = told.stdout.splitlines()[-1].removeprefix("  cd ").removesuffix(" && scaffold")
    assert "scaffold new-service" in scaffold(terminal=True, cwd=tmp_path / directory).stdout
    again = scaffold("demo", cwd=tmp_path)
    assert again.returncode == 4 and f"{directory} is not empty" in again.stderr


def test_alone_in_a_script_it_prints_its_help(tmp_path: Path) -> None:
    assert scaffold(cwd=tmp_path).stdout == scaffold("--help", cwd=tmp_path).stdout


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_the_help_that_is_kept_is_what_click_prints(columns: int) -> None:
    context = cli.context_class(cli, info_name="scaffold", terminal_width=columns, **cli.context_settings)
    assert f"{context.get_help()}\n" == HELP == scaffold("-h").stdout


def test_in_a_narrow_terminal_the_help_is_wrapped() -> None:
    told = scaffold("--help", env={"COLUMNS": "64"})
    assert told.returncode == 0
    assert max(map(len, told.stdout.splitlines())) <= 62
    texts = ["".join(text.split()).partition("[OPTIONS]")[2] for text in (told.stdout, HELP)]
    assert texts[0] == texts[1] != ""


def test_a_misspelt_command_gets_the_nearest_one() -> None:
    told = scaffold("new-servce")
    assert told.returncode == 2
    assert told.stderr == "error: There is no command new-servce.\nDid you mean new-service?\n"
    assert "See `scaffold --help`." in scaffold("xyzzy").stderr


def test_the_name_of_a_new_service_may_stand_behind_the_command(monorepo: Monorepo) -> None:
    answers = ANSWERS / "valid/drone-logbook.yml"
    told = scaffold(
        "new-service", "kit", f"--answers={answers}", "--dry-run", "--verify=static", cwd=monorepo.root
    )
    assert told.returncode == 0, told.stderr
    assert "stacks/kit/main.tf" in told.stdout


def test_versions_of_everything_that_matters_are_told() -> None:
    told = scaffold("--version")
    assert told.returncode == 0
    assert re.match(r"scaffold \d+\.\d+\.\d+\ntemplates \S+ from \S+\n(terraform|tofu)\b", told.stdout)


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command.name)
def test_every_help_has_an_example_that_is_understood(command: click.Command) -> None:
    (example,) = re.findall(r"(?m)^ *For (?:example|bash.*): +(.*)$", command.help or "")
    words = shlex.split(re.sub(r'^eval "\$\((.*)\)"$', r"\1", example), comments=True)
    words = words[: words.index(">")] if ">" in words else words
    assert words[0] == "scaffold"
    name = words[1]
    assert command is cli or name == command.name
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    found.make_context(name, words[2:], parent=click.Context(cli), resilient_parsing=False)


@pytest.mark.parametrize("command", EVERY[1:], ids=lambda command: command.name)
def test_the_list_of_commands_says_each_in_a_whole_sentence(command: click.Command) -> None:
    """What does not fit into the list's line on 80 columns, click cuts off with an ellipsis."""
    room = 78 - 6 - max(map(len, COMMANDS))
    assert re.fullmatch(r"[A-Z].*\.(?<!\.\.\.)", command.get_short_help_str(room))


def test_drafts_are_listed_and_dropped(monorepo: Monorepo) -> None:
    assert scaffold("drafts", cwd=monorepo.root).stdout == "There are no drafts.\n"
    drafts = Drafts.of(monorepo.root)
    for name in ("kit", "unnamed"):
        drafts.save(name, {"given": {}})
    assert scaffold("drafts", cwd=monorepo.root).stdout.splitlines() == [
        "unnamed: scaffold new-service --resume unnamed",
        "kit: scaffold new-service --resume kit",
    ]
    unknown = scaffold("drafts", "--drop", "kit", "--drop", "kot", cwd=monorepo.root)
    assert unknown.returncode == 2
    assert "There is no draft of kot." in unknown.stderr
    assert set(drafts.names) == {"kit", "unnamed"}, "all or nothing"
    assert (
        scaffold("drafts", "--drop", "unnamed", "--json", cwd=monorepo.root).stdout
        == '{\n  "drafts": [\n    "kit"\n  ]\n}\n'
    )


@pytest.mark.parametrize(
    "words,some",
    [
        ("plan sto", ["storefront"]),
        ("rule ING00", ["ING001", "ING002"]),
        ("sweep lif00", ["LIF001", "LIF002"]),
        ("sweep LIF001 sto", ["storefront"]),
        ("sweep --from own.yml sto", ["storefront"]),
        ("check --select STO001,ing00", ["STO001,ING001"]),
        ("new-service --set memory_", ["memory_request="]),
        ("completion z", ["zsh"]),
        ("dr", ["drafts"]),
        ("drafts --drop k", ["kit"]),
    ],
)
def test_a_shell_completes(
    words: str, some: list[str], monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (monorepo.root / "stacks/storefront").mkdir()
    Drafts.of(monorepo.root).save("kit", {})
    found = completed(words, monorepo.root, monkeypatch)
    assert set(some) <= set(found)
    assert all(word.upper().startswith(words.rsplit(" ", maxsplit=1)[-1].upper()) for word in found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_reads_calls_scaffold(shell: str) -> None:
    told = scaffold("completion", shell)
    assert told.returncode == 0
    assert f"_SCAFFOLD_COMPLETE={shell}_complete" in told.stdout
