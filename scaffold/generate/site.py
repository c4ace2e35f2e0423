"""MkDocs hooks: the pages at the root of the repository are also pages of the site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.templates import template

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

AT_ROOT = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
_NAMES = {"README.md": "readme.md"}
"""The name of a page on the site: a README would be the index, which the site has already."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages of ``docs`` and those at the root."""
    from mkdocs.structure.files import File

    for name in AT_ROOT:
        # A page at the root, as it is read from docs: docs/life.md is life.md there.
        below_docs = (template.root() / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, _NAMES.get(name, name), content=below_docs))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page in which links to the root of the repository lead to pages of the site."""
    up = "../" * len(Path(page.file.src_uri).parents)
    for name in AT_ROOT:
        there = f"{up.removesuffix('../')}{_NAMES.get(name, name)}"
        markdown = markdown.replace(f"]({up}{name}", f"]({there}")
    return markdown


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page in which wide tables scroll by themselves: on a phone, the page is as wide as the screen."""
    scrolling = html.replace("<table>", '<div class="table-responsive"><table>')
    return scrolling.replace("</table>", "</table></div>")
