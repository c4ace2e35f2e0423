"""The sample is package data: dot-directories, ciphertext and all have to reach the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from scaffold.demo import sample

PROJECT = Path(__file__).parents[2]
SAMPLE = Path(str(sample()))


def test_the_wheel_has_every_file_of_the_sample(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "scaffold/demo", project / "scaffold/demo")
    for name in ("pyproject.toml", ".gitignore", "hatch_build.py", "scaffold/__init__.py"):
        shutil.copy(PROJECT / name, project / name)
    (project / "templates").mkdir()
    for name in ("README.md", "copier.yml", "templates/stand-in"):
        (project / name).touch()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=project,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    prefix = "scaffold/demo/monorepo/"
    with zipfile.ZipFile(wheel) as archive:
        packed = {
            name.removeprefix(prefix): archive.read(name)
            for name in archive.namelist()
            if name.startswith(prefix)
        }
    assert packed == {
        path.relative_to(SAMPLE).as_posix(): path.read_bytes()
        for path in SAMPLE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {".gitattributes", ".gitignore", ".claude/CLAUDE.md", "secrets/fullchain.pem"} <= packed.keys()


def test_secrets_look_like_git_crypts_ciphertext() -> None:
    secrets = sorted((SAMPLE / "secrets").iterdir())
    assert [path.name for path in secrets] == ["fullchain.pem", "nfs_directories.txt", "privkey.pem"]
    for path in secrets:
        assert path.read_bytes().startswith(b"\0GITCRYPT\0")
