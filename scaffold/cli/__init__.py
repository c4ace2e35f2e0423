"""The command line: options to one command call, results to text, errors to exit codes."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # typing itself is a tenth of what the help takes
if TYPE_CHECKING:
    from typing import NoReturn

_ALLOCATIONS = 200_000
"""Objects between two collections of garbage: by Python's 700, a fifth of a run goes by looking for some."""


def main() -> NoReturn:
    """Run the command line and exit with the code that the kind of its outcome has.

    The help of all commands is text that is generated: for that alone, click is not imported.
    """
    gc.set_threshold(_ALLOCATIONS)
    if not _is_help_alone():
        from scaffold.cli.group import run

        run()
    try:
        with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as text:  # noqa: PTH118, PTH120, PTH123
            sys.stdout.write(text.read())
        sys.stdout.flush()
    except OSError as error:
        from scaffold.cli.group import refused

        refused(error, as_json=False)
    sys.exit(0)


def _is_help_alone() -> bool:
    """Whether the help of all commands is wanted, where it looks as click prints it on 80 columns or more."""
    program, *arguments = sys.argv
    if os.path.basename(program) != "scaffold" or "_SCAFFOLD_COMPLETE" in os.environ or sys.stdout is None:  # noqa: PTH119
        return False
    if arguments not in (["--help"], ["-h"]) and (arguments or sys.stdout.isatty()):
        return False
    return _columns() >= 80


def _columns() -> int:
    """As ``shutil.get_terminal_size`` has them, whose import takes as long as all of this."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
