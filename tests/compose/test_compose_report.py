"""The report of an import in text: what is alike is one line, and every key stands in exactly one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from scaffold.answers.compose.report import Report
from scaffold.answers.compose.translation import translate
from scaffold.report.imported import import_text

FILE = """
x-env: &env {TZ: Europe/London, LANG: en, API_KEY: '${API_KEY}', BASE_URL: '${BASE_URL}', SITE: '${SITE}'}
services:
  app: {image: 'acme/app:1', ports: [80], restart: always, depends_on: [events], environment: *env, tty: true}
  worker: {image: 'acme/app:1', command: work, restart: always, depends_on: [events], environment: *env}
  events: {image: 'acme/events:1', expose: [9000, 9001], restart: always, volumes: ['kept:/kept', 'more:/more']}
volumes: {kept: {}, more: {}}
"""


def report(tmp_path: Path, text: str = FILE) -> Report:
    path = tmp_path / "compose.yml"
    path.write_text(text)
    return translate(path).report


def expanded(line: str) -> Iterator[str]:
    """The keys of a line, as a shell expands its braces."""
    keys = re.split(r" → |: ", line.strip())[0].rstrip(":.")
    for word in re.split(r", (?![^{]*\})", keys):
        parts = [part.split(", ") for part in re.split(r"[{}]", word)]
        yield from ("".join(chosen) for chosen in product(*parts))


def test_every_key_stands_in_exactly_one_line(tmp_path: Path) -> None:
    found = report(tmp_path)
    lines = [line for line in import_text(found) if line.startswith("    ")][: -len(found.unseen)]
    assert Counter(key for line in lines for key in expanded(line)) == Counter(e.key for e in found.entries)


def test_what_is_alike_is_told_once(tmp_path: Path) -> None:
    told = list(import_text(report(tmp_path)))
    assert "    services.app.environment.{TZ, LANG} → env" in told
    assert (
        "    services.{app, worker}.environment.API_KEY → secrets: its value belongs in Vault, under this name "
        "in lower case." in told
    )
    assert "    services.{app, worker, events}.restart: Kubernetes restarts containers that stop." in told
    assert "    volumes.{kept, more}: the services that name it say what becomes of it." in told
    assert (
        "    services.app.environment.{BASE_URL, SITE}: its value is not in the file. Give it under env, or "
        "under secrets." in told
    )


def test_what_several_containers_take_alike_is_told_once(tmp_path: Path) -> None:
    beside = "depends_on: [app], expose: [{port}], environment: {{TZ: UTC, A: {port}}}"
    text = "services:\n  app: {image: 'acme/app:1', ports: [80], environment: {TZ: UTC}}\n"
    text += "".join(
        f"  {n}: {{image: 'acme/{n}:1', {beside.format(port=p)}}}\n" for n, p in (("one", 1), ("two", 2))
    )
    told = list(import_text(report(tmp_path, text)))
    assert "    services.{one, two}.environment.{TZ, A} → sidecars.*.env" in told
    assert "    services.{one, two}.image → sidecars.*" in told
    assert "    services.app.environment.TZ → env.TZ" in told


def test_what_differs_is_told_apart(tmp_path: Path) -> None:
    told = list(import_text(report(tmp_path, "services: {a: {image: 'acme/a:1', ports: [80], tty: true}}")))
    assert "    services.a.image → image" in told and "    services.a.ports[0] → port" in told
    assert "    services.a.tty: a pod has no terminal." in told
