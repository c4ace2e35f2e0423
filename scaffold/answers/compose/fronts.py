"""What a proxy of a file does besides leading visitors to the app, which the proxy of the house does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scaffold.answers.compose import sharing
from scaffold.answers.compose.forms import source
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.names import Said
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.roles import Placed
from scaffold.answers.compose.storage import Storage
from scaffold.answers.compose.web import web_port
from scaffold.reading import mapping

_SIZE = 100_000


def tell_of_proxy(placed: Placed, pod: Sequence[Part], storage: Storage, ledger: Ledger) -> None:
    """Tell what the house does instead of a service, and what a proxy did that is lost.

    ``pod`` are the containers that always run, the app first.
    """
    part = placed.part
    told, fixes = [placed.why], []
    if served := sharing.served(part, pod, storage):
        told.append(f"it has no {', '.join(served)} of the app, as this one has")
        fixes.append(
            "If the app does not serve what is there, put nginx beside it under sidecars, with that volume "
            "among its mounts and a port of its own under ports."
        )
    if others := list(_led_to(part, pod, storage)):
        names = " and ".join(other.name for other in others)
        told.append(f"it leads every path to the app, and this one may lead some to {names}")
        port = next((port for other in others if (port := web_port(other, sorted(other.listens))[0])), "PORT")
        fixes.append(
            "Give the port of each under ports too, and those paths with it under machine_clients, for "
            f"example {{paths: [/api/], auth: required, port: {port}}}."
        )
    if fixes:
        ledger.left(part.at, "; ".join(told), " ".join(fixes))
    else:
        ledger.decided(part.at, placed.why)


def _led_to(proxy: Part, pod: Sequence[Part], storage: Storage) -> Iterator[Part]:
    """The containers beside the app that a proxy may lead to: those that it names, if that can be read."""
    if not (proxy.known and proxy.known.serves):
        return
    app, *beside = pod
    texts = list(_configuration(proxy, storage))
    lines = [Said(line) for told in texts for line in (told or "").split("\n")]
    for part in beside:
        if part.is_like(app) or part.is_front:
            continue
        may_serve = None in texts and not (part.is_companion or part.is_helper)
        if may_serve or part.has_web_labels or any(any(part.in_texts.found(line)) for line in lines):
            yield part


def _configuration(proxy: Part, storage: Storage) -> Iterator[str | None]:
    """The texts that a proxy is given, in the file and beside it; nothing for each that is elsewhere."""
    tops = mapping(storage.project.top.get("configs"))
    for _, item in proxy.items("configs"):
        content = mapping(tops.get(source(item))).get("content")
        yield str(content) if isinstance(content, str) else None
    for its in proxy.mounts:
        if storage.is_file(its):
            is_beside = its.source.startswith(".") and UNKNOWN not in its.source
            yield _read(storage.project.directory / its.source) if is_beside else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace") if path.is_file() and path.stat().st_size <= _SIZE else None
    except (OSError, ValueError):
        return None
