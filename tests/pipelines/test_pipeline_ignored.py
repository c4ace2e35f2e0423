"""Ignore files: Git's own answer for `.gitignore`, and Docker's documented one for `.dockerignore`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scaffold.pipelines.ignored import ignored_by_docker, ignored_by_git

GIT = """\
# a comment

server
/relay
dist/
*.db
!seed.db
build/*
!build/keep
docs/**/draft
[ab].txt
[z-a]
!
\\!important
assets
!assets/logo
"""
PATHS = [
    "server",
    "app/server",
    "server/main.go",
    "relay",
    "app/relay",
    "dist",
    "dist/",
    "app/dist/",
    "dist/index.html",
    "x.db",
    "data/x.db",
    "seed.db",
    "data/seed.db",
    "build/",
    "build/out",
    "build/keep",
    "docs/draft",
    "docs/a/b/draft",
    "docs/a/other",
    "a.txt",
    "c.txt",
    "!important",
    "important",
    "assets/",
    "assets/logo",
    "assets/icon",
    "server.go",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_gitignore_is_read_as_git_reads_it(tmp_path: Path, path: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text(GIT)
    place = tmp_path / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.mkdir() if path.endswith("/") else place.touch()
    told = subprocess.run(
        ["git", "check-ignore", "-v", "--", path.rstrip("/")],
        cwd=tmp_path,
        check=False,  # 1 where nothing matches
        capture_output=True,
        text=True,
    ).stdout
    pattern = told.partition("\t")[0].partition(":")[2].partition(":")[2]
    assert ignored_by_git(GIT, path) == (None if not pattern or pattern.startswith("!") else pattern)


@pytest.mark.parametrize(
    "text,path,pattern",
    [
        ("server", "server", "server"),
        ("server", "app/server", None),
        ("**/server", "app/server", "**/server"),
        ("/server", "server", "/server"),
        ("./dist/", "dist", "./dist/"),
        ("dist/", "dist/a.js", "dist/"),
        ("*.md", "docs/a.md", None),
        ("*.md\n!README.md", "README.md", None),
        ("*\n!app", "app/", None),
        ("*\n!app", "app/main.py", None),
        ("*\n!app", "server", "*"),
        ("dist\n!dist/keep", "dist/keep", None),
        ("# dist\n\n", "dist", None),
        (" node_modules ", "node_modules/", " node_modules "),
        ("[z-a]\n!\ndist", "dist", "dist"),
    ],
)
def test_a_dockerignore_is_read_as_docker_reads_it(text: str, path: str, pattern: str | None) -> None:
    assert ignored_by_docker(text, path) == pattern
