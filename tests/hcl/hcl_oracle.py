"""Terraform's own view of HCL files, many at a time, and the files that the HCL tests use."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from support import needs

from scaffold import demo

EVERY_KIND = (Path(__file__).parent / "data" / "every_kind.tf").read_bytes()
_SAMPLE = Path(demo.__file__).parent / "monorepo"
FILES = (
    EVERY_KIND,
    *(path.read_bytes() for path in sorted(_SAMPLE.rglob("*")) if path.suffix in (".tf", ".hcl", ".tfvars")),
)

needs_terraform = needs("terraform")


def formatted_by_terraform(sources: Sequence[bytes], directory: Path) -> list[bytes | None]:
    """Each source as ``terraform fmt`` writes it; None where it says that it is no HCL."""
    names = [f"case{number:04d}.tf" for number in range(len(sources))]
    for name, source in zip(names, sources, strict=True):
        (directory / name).write_bytes(source)
    done = subprocess.run(
        ["terraform", "fmt", "-no-color", "-list=false", str(directory)],
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode("utf-8", "replace")
    return [None if name in said else (directory / name).read_bytes() for name in names]
