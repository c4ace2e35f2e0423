#!/usr/bin/env python3
"""Says where an ingress leaves the house's sign-on without saying why.

Every line `auth = "app"` or `auth = "none"` of a stack needs a comment right above it, of one line or
more, that starts with `# auth = "<mode>":` and goes on with the reason. It reads lines, not HCL.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

STACKS = Path(__file__).resolve().parent.parent / "stacks"


def ungated_mode(line: str) -> str | None:
    """The mode that the line sets, if it is one that needs a reason."""
    name, _, value = line.partition("=")
    if name.strip() != "auth":
        return None
    return next((mode for mode in ("app", "none") if value.strip().startswith(f'"{mode}"')), None)


def has_reason(lines_above: list[str], mode: str) -> bool:
    """Whether the comment that ends directly above gives a reason for the mode."""
    for line in reversed(lines_above):
        comment = " ".join(line.split())
        if not comment.startswith("#"):
            return False
        if comment.startswith(f'# auth = "{mode}": '):
            return True
    return False


def violations(directory: Path) -> Iterator[str]:
    """One message per line without a reason, over all .tf files under the directory."""
    for path in sorted(directory.rglob("*.tf")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines):
            mode = ungated_mode(line)
            if mode and not has_reason(lines[:number], mode):
                yield f'{path}:{number + 1}: auth = "{mode}" needs `# auth = "{mode}": <why>` right above it'


def main() -> None:
    """Check one stack or all of them; exit with 1 and a list where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("stack", nargs="?", type=Path, metavar="STACKDIR")
    which.add_argument("--all", action="store_true", help="every stack of the repository")
    arguments = parser.parse_args()
    directory = STACKS if arguments.all else arguments.stack
    if not directory.is_dir():
        parser.error(f"{directory} is not a directory")
    if found := list(violations(directory)):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
