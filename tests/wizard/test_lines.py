"""The wizard as numbered lines, in this process: what is asked, printed and kept."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from support import ORIGIN, scaffold
from test_terminal import GIVEN

from scaffold.monorepo.repository import Monorepo

Done = subprocess.CompletedProcess[str]


def typed(monorepo: Monorepo, lines: list[str], *arguments: str | Path) -> Done:
    """What comes of lines that a person types; where they end, Ctrl-C is pressed."""
    options = ("--plain", "--verify=static", "--template-source", ORIGIN.source, *arguments)
    stdin = "".join(f"{line}\n" for line in lines)
    return scaffold("new-service", *options, stdin=stdin, terminal=True, cwd=monorepo.root)


def test_the_answers_alone_are_saved(monorepo: Monorepo) -> None:
    done = typed(monorepo, ["s"], *(f"--set={name}={value}" for name, value in GIVEN.items()))
    assert done.returncode == 0, done.stderr
    assert "ip-echo (given)" in done.stdout
    kept = Path(done.stdout.partition("The answers are in ")[2].partition(". To create")[0])
    assert monorepo.root not in kept.parents, "nothing is written into the monorepo"
    assert kept.stat().st_mode & 0o77 == 0
    saved = yaml.safe_load(kept.read_text())
    assert saved["health_path"] == "/health", "what follows from the image is an answer too"
    assert saved["volumes"] == [{"path": "/data", "embedded_database": "none"}]
    assert not monorepo.stack_directory("ip-echo").exists()


def test_a_compose_file_gives_defaults_and_no_secret(
    monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = tmp_path / "compose.yml"
    file.write_text(
        "services:\n  ledger:\n    image: ghcr.io/acme/ledger:2.1.0\n    ports: ['9000:8080']\n"
        "    volumes: [data:/var/lib/ledger, media:/media]\n"
        "    environment: {SESSION_KEY: swordfish-1, PUBLIC_NAME: The Ledger}\n"
    )
    what, core = ["", "", "", "", "Books"], ["", "", "", ""]
    more = ["", "", "", "", "", "", ""]
    done = typed(monorepo, [*what, *core, *more], "--from-compose", file)
    assert done.returncode == 130, done.stderr
    for title, shown in [
        ("The image, with its registry", "[ghcr.io/acme/ledger:2.1.0]"),
        ("The Service's name", "[ledger]"),
        ("Environment variables", "['PUBLIC_NAME=The Ledger']"),
        ("How many requests", "429s"),
        ("What it keeps on disk", "[/var/lib/ledger /media]"),
        ("/var/lib/ledger: Whether several pods", "Number"),
    ]:
        assert shown in done.stdout.partition(title)[2], title
    assert "--resume ledger" in done.stderr
    (draft,) = (tmp_path / "state").rglob("*.yml")
    assert "SESSION_KEY" in draft.read_text()
    assert "swordfish" not in draft.read_text() + done.stdout + done.stderr


def test_a_clone_gives_defaults(monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    clone = tmp_path / "Paper_Planes"
    subprocess.run(["git", "init", "--quiet", "--initial-branch=trunk", clone], check=True)
    url = "https://git.example.test/robin/Paper_Planes.git"
    subprocess.run(["git", "-C", clone, "remote", "add", "origin", url], check=True)
    (clone / "pyproject.toml").write_text(
        '[project]\nname = "x"\ndescription = "Folds planes"\ndependencies = ["fastapi"]\n'
    )
    (clone / "uv.lock").touch()
    done = typed(monorepo, [""] * 9, "--app-repo", clone)
    assert done.returncode == 130, done.stderr
    for title, shown in [
        ("How is it built", "Number [2]"),
        ("The Service's name", "[paper-planes]"),
        ("What kind of app is it", "Number [3]"),
    ]:
        assert shown in done.stdout.partition(title)[2], title
    (draft,) = (tmp_path / "state").rglob("*.yml")
    assert "Folds planes" in draft.read_text(), "what is known is not asked, and shown in the review"


def test_a_start_that_answers_nothing_leaves_no_draft(
    monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert typed(monorepo, []).returncode == 130
    assert not list((tmp_path / "state").rglob("*.yml"))
    assert typed(monorepo, [""]).returncode == 130
    assert len(list((tmp_path / "state").rglob("*.yml"))) == 1, "one answer is something to go on with"


def test_a_secret_that_is_typed_into_a_description_is_in_no_draft(
    monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    given = [f"--set={name}={value}" for name, value in GIVEN.items() if name != "description"]
    done = typed(monorepo, ["the password is hunter2hunter2"], *given)
    assert done.returncode == 130, done.stderr
    assert "looks like a literal secret" in done.stdout
    (draft,) = (tmp_path / "state").rglob("*.yml")
    assert "hunter2" not in draft.read_text() + done.stdout + done.stderr


def test_a_pipe_is_refused_before_the_first_question(monorepo: Monorepo) -> None:
    done = scaffold("new-service", "--monorepo", monorepo.root, stdin="\n\n\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--answers" in done.stderr


def test_a_given_answer_that_is_refused_stops_before_the_first_question(monorepo: Monorepo) -> None:
    done = typed(monorepo, [], "--set", "env.API_TOKEN=hunter2-hunter2", "--set", "memory=lots")
    assert (done.returncode, done.stdout) == (3, "")
    assert "hunter2" not in done.stderr
    assert "memory" in done.stderr
    assert "env.API_TOKEN" in done.stderr
