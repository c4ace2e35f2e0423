"""The program that plans: which one it is, its version, and its opinion of a file's format."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scaffold.errors import MissingError

TOOLS = ("terraform", "tofu")
CHOICE = "SCAFFOLD_TERRAFORM"
"""The environment variable that names the program to plan with, where PATH does not say it."""
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that plans: ``terraform`` or ``tofu``, where it is, and its version once it has said so."""

    name: str
    path: str
    version: str = ""


def find_tool() -> Tool:
    """The program that plans: the one in ``SCAFFOLD_TERRAFORM``, else ``terraform``, else ``tofu`` on PATH.

    Raises ``MissingError`` if there is none.
    """
    chosen = os.environ.get(CHOICE)
    for name in (chosen,) if chosen else TOOLS:
        if path := shutil.which(name):
            kind = "tofu" if "tofu" in Path(name).name else "terraform"
            return Tool(kind, str(Path(path).absolute()))
    raise MissingError(
        f"{chosen or ' or '.join(TOOLS)} is not installed: nothing can be planned",
        f"install one of them, or name it with {CHOICE}",
    )


def with_version(tool: Tool) -> Tool:
    """The tool with the version that it reports. Raises ``MissingError`` if it cannot be asked."""
    try:
        done = _run([tool.path, "version", "-json"])
        return replace(tool, version=str(json.loads(done.stdout)["terraform_version"]))
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        raise MissingError(
            f"{tool.path} does not say its version: {error}", f"name the program itself with {CHOICE}"
        ) from error


def is_formatted(tool: Tool, content: bytes) -> bool:
    """Whether ``terraform fmt`` would leave a file as it is; a file that is not HCL counts as formatted.

    Raises ``MissingError`` if the tool cannot be asked.
    """
    try:
        return _run([tool.path, "fmt", "-"], content).stdout == content
    except subprocess.CalledProcessError:
        return True
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"{tool.path} does not run: {error}", f"name another one with {CHOICE}") from error


def _run(command: Sequence[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What the tool prints, without the user's settings; an error if it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment = {**kept, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        command, env=environment, input=given, capture_output=True, check=True, timeout=_PATIENCE
    )
