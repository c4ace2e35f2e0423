"""The probes of a container, and the path that all of them request."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.adoption.inferred import Certainty, Inferred, found
from scaffold.adoption.reading import first, known, number, text, words
from scaffold.adoption.standing import Standing
from scaffold.templates.questions import Value
from scaffold.terraform.planned import Tree, get

_TIMINGS = ("initial_delay_seconds", "period_seconds", "timeout_seconds", "failure_threshold")
_CONTAINER = "spec[0].template[0].spec[0].container[0]"


def probes(stack: Standing) -> Iterator[Inferred]:
    """The probes of the app's container."""
    if stack.app is None:
        return
    there = {
        k: p for k in ("readiness", "liveness", "startup") if (p := first(stack.container, f"{k}_probe"))
    }
    paths = {kind: path for kind, probe in there.items() if (path := text(probe, "http_get", 0, "path"))}
    # With a health path, every probe requests that or a path of its own, unless it runs a command or the app
    # is busy: where readiness asks a bare port, there is none.
    # The monitor requests it whatever the probes do, also where all of them run commands.
    ports_alone = any(first(probe, "tcp_socket") is not None for probe in there.values())
    is_watched = there and not stack.main and ("readiness" in paths or not ports_alone)
    monitored = stack.monitored_path if is_watched else ""
    main = monitored or paths.get("readiness") or ("" if ports_alone else next(iter(paths.values()), ""))
    owner, main_port = stack.app.owner, number(stack.port, "container_port")
    if main:
        yield found("health_path", main, owner, f"{_CONTAINER}.readiness_probe")
    by_port = "liveness" in there and first(there["liveness"], "tcp_socket") is not None
    if "readiness" in paths and by_port:
        yield found("busy", True, owner, f"{_CONTAINER}.liveness_probe", Certainty.LIKELY)
    for kind, probe in there.items():
        path = paths[kind] if paths.get(kind, main) != main else ""
        yield found("probes", {kind: probe_row(probe, path, main_port)}, owner, f"{_CONTAINER}.{kind}_probe")


def probe_row(probe: Tree, path: str, usual: int | None) -> dict[str, Value]:
    """A probe as an answer has it; ``usual`` is the port that it asks at where it says none."""
    port = number(get(probe, "http_get", 0, "port") or get(probe, "tcp_socket", 0, "port"))
    row = {
        "path": path,
        "port": port if port != usual else None,
        "command": words(probe, "exec", 0, "command"),
        **{name: number(probe, name) or None for name in _TIMINGS},
    }
    return known(row)
