"""Files in which a merge left a conflict for a person to resolve."""

from __future__ import annotations

_MARKS = (b"<<<<<<< ", b"=======", b">>>>>>> ")
SETTLE = "Resolve the conflict, and remove its three markers."
"""What to do about one."""


def conflict(content: bytes) -> int | None:
    """The line at which a merge left a conflict, counted from 1; None if there is none.

    Its three marks stand at the beginning of lines, in their order.
    """
    if _MARKS[0] not in content:
        return None
    begun: list[int] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.startswith(_MARKS[len(begun)]):
            begun.append(number)
            if len(begun) == len(_MARKS):
                return begun[0]
    return None
