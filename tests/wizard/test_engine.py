"""The wizard's steps, without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import ANSWERS

from scaffold import questions
from scaffold.answers import parse, show
from scaffold.commands.new_service import judge
from scaffold.monorepo import Monorepo
from scaffold.wizard import fields
from scaffold.wizard.draft import from_draft, to_draft
from scaffold.wizard.engine import MORE, Engine, State, Step
from scaffold.wizard.walk import explanation

IMAGE = "docker.io/vikunja/vikunja:1.0.0"
CORE = [("gate", "required"), ("machine_clients[0]", MORE), ("sensitive", True), ("rwx", False)]
CORE += [("build", "upstream"), ("image", IMAGE)]


@pytest.fixture
def engine(pristine: Monorepo) -> Engine:
    return Engine(judge(pristine, {}), {})


def said(engine: Engine, answers: list[tuple[str, Any]], state: State | None = None) -> State:
    state = state or State()
    for path, value in answers:
        assert not engine.problem(state, parse(path), value), path
        state = engine.answer(state, parse(path), value)
    return state


def asked(engine: Engine, state: State) -> list[str]:
    return [show(step.path) for step in engine.steps(state)]


def test_the_core_questions_are_first_and_each_is_followed_by_what_belongs_to_it(engine: Engine) -> None:
    order = asked(engine, State())
    assert order[:6] == ["gate", "machine_clients[0]", "sensitive", "rwx", "build", "image"]
    assert set(order[6:]) == {"name", "description", "port", "env[0]", "volumes[0].path", "secrets[0].env"}
    assert asked(engine, said(engine, [("gate", "app")]))[:3] == ["gate", "gate_reason", "sensitive"]


def test_every_question_that_the_wizard_names_is_declared() -> None:
    every = questions.asked()
    for question in every.values():
        assert not question.after or question.after in every
        assert not question.suggests or question.options == ()
    properties = [fields.item_schema(q)["properties"] for q in every.values() if fields.item_schema(q)]
    assert properties
    for item in properties:
        for schema in item.values():
            assert set(schema.get("x-consequences", {})) <= set(schema.get("enum", (True, False)))


def test_an_image_gives_defaults_and_an_answer_holds_over_them(engine: Engine) -> None:
    state = said(engine, CORE)
    assert engine.step(state, ("name",)).default == "vikunja"
    assert engine.step(state, ("port",)).default == 3456
    assert engine.result(state)["title"] == "Vikunja"
    state = said(engine, [("name", "watch")], state)
    assert engine.values(state)["name"] == "watch"
    assert "title" not in engine.values(state), (
        "a Service with a name of its own is not titled like the image"
    )


def test_a_default_that_was_taken_is_computed_anew_and_an_answer_is_kept(engine: Engine) -> None:
    state = said(engine, [*CORE, ("name", "vikunja"), ("description", "Watches"), ("port", 3456)])
    changed = said(engine, [("image", "docker.io/usememos/memos:0.25.0")], state)
    assert engine.values(changed)["name"] == "memos"
    assert engine.values(changed)["port"] == 5230
    kept = said(engine, [("port", 4000), ("image", "docker.io/usememos/memos:0.25.0")], state)
    assert engine.values(kept)["port"] == 4000
    unknown = said(engine, [("image", "docker.io/acme/9:1.0.0")], state)
    open_ = engine.first_open(unknown)
    assert open_ is not None
    assert open_.path == ("name",), "a default that is gone has to be asked for again"


def test_answers_that_no_longer_apply_are_dropped(engine: Engine) -> None:
    state = said(engine, [("gate", "app"), ("gate_reason", "It has its own accounts")])
    assert engine.values(state)["gate_reason"]
    closed = said(engine, [("gate", "required")], state)
    assert "gate_reason" not in engine.values(closed)
    again = said(engine, [("gate", "app")], closed)
    assert "gate_reason" not in engine.values(again), "it was said of another gate"
    volume = [("volumes[0].path", "/data"), ("volumes[0].embedded_database", "sqlite")]
    shared = said(engine, [*volume, ("volumes[0].rwx", True)])
    assert engine.values(shared)["volumes"] == [{"path": "/data", "rwx": True}]


def test_a_default_that_would_be_refused_is_asked(engine: Engine) -> None:
    taken = said(engine, [*CORE, ("name", "music")])
    assert "host" in asked(engine, taken), "stacks/navidrome has the host music"
    assert "stacks/navidrome" in engine.problem(taken, ("host",), "music")
    mended = said(engine, [("host", "tunes")], taken)
    assert "host" in asked(engine, mended), "a question that was asked stays, to come back to"
    two = said(engine, [("volumes[0].path", "/data"), ("volumes[1].path", "/more")])
    assert "volumes[1].purpose" in asked(engine, two)
    assert "volumes[0].purpose" not in asked(engine, two)


def test_names_in_use_are_told_with_who_uses_them(engine: Engine) -> None:
    assert "stacks/journal" in engine.problem(State(), ("name",), "journal")
    assert "Tier 0" in engine.problem(State(), ("name",), "vault")
    assert not engine.problem(State(), ("name",), "new-one")


def test_an_own_image_needs_no_answer(engine: Engine) -> None:
    state = said(engine, [*CORE[:-1], ("build", "forgejo-woodpecker")])
    assert "image" not in asked(engine, state)
    with_image = said(engine, CORE)
    assert "image" not in engine.values(said(engine, [("build", "forgejo-woodpecker")], with_image))


def test_lists_grow_until_nothing_is_answered(engine: Engine) -> None:
    state = said(
        engine,
        [
            ("env[0]", "A=1"),
            ("env[1]", "B=x=y"),
            ("env[2]", MORE),
            ("secrets[0].env", "TOKEN"),
            ("secrets[1].env", MORE),
        ],
    )
    assert engine.values(state)["env"] == {"A": "1", "B": "x=y"}
    assert engine.values(state)["secrets"] == [{"env": "TOKEN"}]
    assert engine.values(said(engine, [("env[0]", MORE)], state))["env"] == {"B": "x=y"}
    assert "hunter2" not in engine.problem(state, ("env", 0), "API_TOKEN=hunter2-hunter2")
    assert "secret" in engine.problem(state, ("env", 0), "API_TOKEN=hunter2-hunter2")
    assert engine.problem(state, ("env", 0), "no equals sign")


def test_a_proposal_fills_a_carve_out(engine: Engine) -> None:
    state = said(engine, [("machine_clients[0]", "webhooks")])
    assert asked(engine, state)[1:5] == [
        "machine_clients[0]", "machine_clients[0].paths", "machine_clients[0].auth", "machine_clients[0].reason",
    ]  # fmt: skip
    (client,) = engine.values(state)["machine_clients"]
    assert client["paths"] == ["/api/webhook"]
    assert len(client["reason"].split()) > 2
    other = said(engine, [("machine_clients[0].paths", ["/hook"])], state)
    assert engine.values(other)["machine_clients"][0]["paths"] == ["/hook"]
    assert engine.values(said(engine, [("machine_clients[0]", MORE)], other))["machine_clients"] == []


def test_back_leads_through_every_question_to_the_first(engine: Engine) -> None:
    state = said(
        engine,
        [*CORE, ("name", "a-b"), ("description", "x"), ("port", 1), ("env[0]", "A=1"), ("env[1]", MORE)],
    )
    step: Step | None = engine.first_open(state)
    seen = []
    while step is not None:
        seen.append(show(step.path))
        step = engine.previous(state, step.path)
    assert seen == list(reversed(asked(engine, state)))[-len(seen) :]
    assert seen[-1] == "gate"


def test_what_was_given_is_not_asked(engine: Engine) -> None:
    state = State({"gate": "app", "name": "a-b"})
    assert asked(engine, state)[0] == "gate_reason"
    assert "name" not in asked(engine, state)


def test_consequences_name_what_follows_here(pristine: Monorepo) -> None:
    here = Engine(judge(pristine, {}), {"storage_encrypted": "luks-fast"})
    told = {o.value: o.consequence for o in here.step(State(), ("sensitive",)).options}
    assert "luks-fast" in told[True]
    assert all(
        o.consequence
        for name in ("gate", "sensitive", "rwx", "build")
        for o in here.step(State(), (name,)).options
    )
    assert any("rule" in line for line in explanation(here.step(State(), ("gate",))))


def replay(engine: Engine, answers: dict[str, Any]) -> State:
    """Answer every step as an answer file does."""
    state = State()
    for _ in range(200):
        step = engine.first_open(state)
        if step is None:
            return state
        state = engine.answer(state, step.path, wanted(answers, step))
    raise AssertionError("it never ends")


def wanted(answers: dict[str, Any], step: Step) -> Any:
    question = questions.asked()[str(step.path[0])]
    value = answers.get(question.name)
    if len(step.path) == 1:
        return step.default if value is None else value
    index = int(step.path[1])
    if isinstance(value, dict):
        pairs = list(value.items())
        return "=".join(pairs[index]) if index < len(pairs) else MORE
    if value is None or index >= len(value):
        return MORE
    if len(step.path) == 2:
        return "other"
    return value[index].get(step.path[2], step.default)


BY_FILE = {
    "call-relay",
    "camera-eye",
    "cloud-drive",
    "house-router",
    "meter-sync",
    "reading-room",
    "tide-station",
}
"""Examples of what only an answer file says so far: jobs, sidecars, widgets, references as values."""


def examples() -> list[Any]:
    """Every example; those that the wizard cannot lead to yet are expected to fail, and told when they do not."""
    missing = pytest.mark.xfail(strict=True, reason="the wizard does not ask for this yet")
    paths = sorted((ANSWERS / "valid").glob("*.yml"))
    return [pytest.param(p, id=p.stem, marks=[missing] if p.stem in BY_FILE else []) for p in paths]


@pytest.mark.parametrize("path", examples())
def test_the_questions_lead_to_every_example(engine: Engine, path: Any) -> None:
    answers = yaml.safe_load(path.read_text())
    state = replay(engine, answers)
    reached = engine.result(replace(state, said={**state.said, **edits(answers)}))
    for name, value in answers.items():
        assert complete(name, engine.known(reached)[name]) == complete(name, value), name


def edits(answers: dict[str, Any]) -> dict[Any, Any]:
    """What is changed in the review: answers that the wizard does not ask for by itself."""
    found: dict[Any, Any] = {}
    for name, value in answers.items():
        question = questions.asked()[name]
        if not fields.is_list(question):
            found[name,] = value
        elif fields.item_schema(question):
            found.update({(name, i): "other" for i in range(len(value)) if question.proposals})
            found.update({(name, i, k): v for i, item in enumerate(value) for k, v in item.items()})
    return found


def complete(name: str, value: Any) -> Any:
    """An answer with the defaults of its items."""
    properties = fields.item_schema(questions.asked()[name]).get("properties")
    if properties is None:
        return value
    return [
        {key: item.get(key, schema.get("default")) for key, schema in properties.items()} for item in value
    ]


def test_a_draft_brings_everything_back(engine: Engine) -> None:
    state = said(engine, [*CORE, ("name", "vikunja"), ("volumes[0].path", "/data")])
    state = replace(state, given={"memory": "1Gi"}, suggested={"port": 8080})
    assert from_draft(yaml.safe_load(yaml.safe_dump(to_draft(state)))) == state


def moves() -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(
        st.tuples(st.sampled_from(["take", "option", "back", "text"]), st.integers(0, 9)), max_size=25
    )


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(moves())
def test_no_way_through_gets_stuck_or_keeps_what_does_not_apply(
    pristine: Monorepo, walk: list[tuple[str, int]]
) -> None:
    engine = Engine(judge(pristine, {}), {})
    state = State()
    step = engine.first_open(state)
    for move, number in walk:
        if step is None:
            break
        if move == "back":
            step = engine.previous(state, step.path) or step
            continue
        options = step.options or step.field.options
        value = step.default
        if move == "option" and options:
            value = options[number % len(options)].value
        elif move == "text" and not options:
            value = fields.typed(step.field, ["", "/x", "web-app", "8080", "A=1", "two words"][number % 6])
        if engine.problem(state, step.path, value):
            continue
        state = engine.answer(state, step.path, value)
        step = engine.next(state, step.path)
        known = engine.known(engine.values(state))
        for name in engine.values(state):
            when = questions.condition(questions.asked()[name])
            assert all(questions.fits(known[other], wish) for other, wish in when.items())
        assert from_draft(to_draft(state)) == state


def test_typed_and_editable_are_inverse() -> None:
    def every() -> Iterator[tuple[fields.Field, Any]]:
        yield fields.field_at(("port",)), 8080
        yield fields.field_at(("name",)), "a-b"
        yield fields.field_at(("uid",)), None
        yield fields.field_at(("uid",)), 1000
        yield fields.field_at(("machine_clients", 0, "paths")), ["/a", "/b"]
        yield fields.field_at(("database_env",)), {"dsn": "DATABASE_URL"}

    for field, value in every():
        assert fields.typed(field, fields.editable(field, value)) == value
