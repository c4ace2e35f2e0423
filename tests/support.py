"""What tests of several kinds share."""

from __future__ import annotations

from pathlib import Path

from scaffold.templates.template import Origin

ANSWERS = Path(__file__).parent / "answers"
GOLDEN = Path(__file__).parent / "golden"
ORIGIN = Origin("https://git.example.test/scaffold.git", "v0.1.0", updatable=True)
