"""What an answers file records: what was given, what is kept, and a hash that reveals manual edits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ANSWERS, ORIGIN, scaffold

from scaffold.commands import stored
from scaffold.errors import RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions
from scaffold.templates.render import ANSWERS_FILE, render

DRONE = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())


def file_of(answers: Mapping[str, Any]) -> str:
    """The answers file of a stack of these answers."""
    files = {str(path): content for path, content in render(answers, {}, {}, ORIGIN).files.items()}
    text = files[ANSWERS_FILE]
    assert isinstance(text, bytes)
    return text.decode()


def keep(monorepo: Monorepo, text: str) -> stored.Record:
    """What is read of a stack with this answers file."""
    directory = monorepo.stack_directory(DRONE["name"])
    directory.mkdir(exist_ok=True)
    (directory / ANSWERS_FILE).write_text(text)
    return stored.record_of(monorepo, DRONE["name"])


@pytest.mark.parametrize("more", [{}, {"memory": "256Mi"}, {"title": "Drone Logbook", "uid": None}])
def test_what_was_given_is_recorded_and_no_default(monorepo: Monorepo, more: dict[str, Any]) -> None:
    """Also where it is the default; and what is read of the file renders the same file again."""
    text = file_of({**DRONE, **more})
    said = yaml.safe_load(text)
    assert said["given"] == list(DRONE | more)
    assert set(said) == {
        *said["given"],
        "_commit",
        "_src_path",
        "template",
        "sensed",
        "recorded",
        "checked",
        "given",
        "hash",
    }
    record = keep(monorepo, text)
    assert (record.given.values, record.edited) == ({**DRONE, **more}, False)
    assert (record.source, record.version) == (ORIGIN.source, ORIGIN.version)
    again = render(record.given.values, record.sensed, record.recorded, ORIGIN)
    assert keep(monorepo, file_of(record.given.values)) == record
    assert again.values["recorded_now"] == record.recorded


def test_what_was_chosen_stays_once_it_is_the_default_and_what_was_not_goes_with_it() -> None:
    """The template's own part in it, over versions with other defaults: no update by hand says this."""
    context = dict(render({**DRONE, "memory": "1Gi"}, {}, {}, ORIGIN).values)
    own: dict[str, Any] = {"_copier_conf": {"data": {}}, "_origin": {"_src_path": "x"}}
    name = "templates/stack/{{ _copier_conf.answers_file }}.jinja"

    def after(given: list[str], memory: str, usual: str) -> dict[str, Any]:
        answers = {**DRONE, "memory": memory, "given": given}
        values = {**context, "given": given, "usual_answers": {**context["usual_answers"], "memory": usual}}
        text = decisions.environment().get_template(name).render(**values, **own, _copier_answers=answers)
        said: dict[str, Any] = yaml.safe_load(text)
        return said

    first = after([], "1Gi", "256Mi")
    second = after(first["given"], "1Gi", "1Gi")
    assert (second["memory"], second["given"]) == ("1Gi", first["given"])
    assert "memory" in after(second["given"], "1Gi", "2Gi")
    assert "memory" not in after([], "1Gi", "1Gi")


def test_an_older_file_has_all_answers_and_its_defaults_were_not_given(monorepo: Monorepo) -> None:
    values = render(DRONE, {}, {}, ORIGIN).values
    older = {name: values[name] for name in (*values["usual_answers"], *DRONE) if name in values}
    older |= {"volumes": DRONE["volumes"], "backend": "192.0.2.7", "gone": 1, "checked": "yes"}
    record = keep(monorepo, yaml.safe_dump(older))
    usual = values["usual_answers"]
    assert record.given.values == {key: value for key, value in DRONE.items() if usual.get(key) != value}
    assert not record.edited, "nothing is known of it"


@pytest.mark.parametrize(
    ("old", "new", "edited"),
    [
        ("port: 80\n", "port: 81\n", True), ("given: [", "given: [memory, ", True), ("_commit: v0.1.0", "_commit: v1", False),
        ("# The", "# My", False), ("hash: ", "hash: 0", True), ("hash: ", "# ", False),
    ],
)  # fmt: skip
def test_an_edit_by_hand_is_noticed(monorepo: Monorepo, old: str, new: str, edited: bool) -> None:
    text = file_of({**DRONE, "port": 80})
    assert text.count(old) == 1
    assert keep(monorepo, text.replace(old, new)).edited is edited
    if edited:
        with pytest.raises(RefusedError, match="was edited by hand"):
            stored.record_of(monorepo, DRONE["name"]).demand_unedited()


def test_a_stack_of_edited_answers_is_not_nothing_to_do(monorepo: Monorepo) -> None:
    answers = ANSWERS / "valid" / "drone-logbook.yml"
    first: list[str | Path] = [
        "new-service",
        "--answers",
        answers,
        "--verify",
        "static",
        "--monorepo",
        monorepo.root,
    ]
    assert scaffold(*first).returncode == 0
    file = monorepo.stack_directory("drone-logbook") / ANSWERS_FILE
    file.write_text(file.read_text().replace("given:", "memory: 1Gi\ngiven:"))
    done = scaffold(*first, "--set", "memory=1Gi")
    assert done.returncode == 4
    assert (
        "was edited by hand" in done.stderr
        and f"git checkout HEAD -- stacks/drone-logbook/{ANSWERS_FILE}" in done.stderr
    )
