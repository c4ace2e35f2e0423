"""The house at a glance as a single HTML file that makes no network request."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from scaffold.commands.house import House

_PAGE = Path(__file__).parent / "page"


def as_html(house: House) -> str:
    """The page. Its policy allows its own style and script by their hashes, and nothing else."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = ((_PAGE / name).read_text("utf-8") for name in ("house.css", "house.js"))
    return environment.get_template("house.html.jinja").render(
        house=house, style=style, script=script, style_hash=_hash(style), script_hash=_hash(script)
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
