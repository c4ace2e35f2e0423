"""What a wheel records of the checkout that it is built from: the commit whose templates it has."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltFrom(BuildHookInterface):  # type: ignore[type-arg]
    """Writes ``built-from``, which ``scaffold/templates/template.py`` reads."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have the file in the wheel; a build outside of a checkout has none."""
        if version == "editable" or not (Path(self.root) / ".git").exists():
            return
        # As Copier names it: an update that changes nothing then changes that neither.
        commit = self._git("describe", "--tags", "--always")
        changed = " changed" if self._git("status", "--porcelain", "--", "copier.yml", "templates") else ""
        file = Path(self.directory) / "built-from"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{commit}{changed}\n", "utf-8")
        build_data["force_include"][str(file)] = "scaffold/_template/built-from"

    def _git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", self.root, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()
