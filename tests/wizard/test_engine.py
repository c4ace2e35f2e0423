"""The wizard's steps, without a screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from strategies import valid_answers
from support import ANSWERS, examples

from scaffold.answers.sources import parse, show
from scaffold.commands.taken import judge
from scaffold.errors import UsageError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import questions
from scaffold.wizard import fields
from scaffold.wizard.draft import from_draft, to_draft
from scaffold.wizard.engine import Engine
from scaffold.wizard.state import MORE, State
from scaffold.wizard.step import Step
from scaffold.wizard.walk import explanation

IMAGE = "docker.io/vikunja/vikunja:1.0.0"
CORE = [("gate", "required"), ("machine_clients[0]", MORE), ("sensitive", True), ("rwx", False)]
CORE += [("build", "upstream"), ("shape", "web"), ("image", IMAGE)]


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
    return [show(path) for path in engine.paths(state)]


def test_the_core_questions_are_first_and_each_is_followed_by_what_belongs_to_it(engine: Engine) -> None:
    what = ["build", "shape", "image", "name", "description"]
    order = asked(engine, State())
    assert order[:9] == [*what, "gate", "machine_clients[0]", "sensitive", "rwx"]
    assert set(order[9:]) == {
        "port", "health_path", "env", "memory", "host", "rate_limit", "volumes", "secrets", "database", "metrics",
    }  # fmt: skip
    open_ = asked(engine, said(engine, [("gate", "app")]))
    assert open_[5:8] == ["gate", "gate_reason", "sensitive"]
    assert {*open_} - {*order} == {"gate_reason", "tier", "dns"}
    media = asked(engine, said(engine, [("rwx", True), ("database", "mysql")]))
    assert {*media} - {*order} == {"tier", "dns", "database_env", "wait_for"}


def test_a_known_image_is_proposed_for_in_lines_and_asks_no_more_than_its_own(engine: Engine) -> None:
    known = said(engine, [("build", "upstream"), ("shape", "web"), ("image", IMAGE)])
    assert asked(engine, known) == [
        "build", "shape", "image", "name", "description", "gate", "machine_clients[0]", "sensitive", "rwx", "env",
        "volumes", "secrets",
    ]  # fmt: skip
    proposed = dict(line.split(": ", 1) for line in engine.step(known, ("name",)).proposed)
    assert proposed.items() >= {
        "port": "3456", "host": "the same as name", "memory": "256Mi", "database": "none", "metrics": "–",
    }.items()  # fmt: skip
    unknown = said(engine, [("image", "docker.io/acme/films:4.2.0")], known)
    assert engine.step(unknown, ("name",)).proposed == ()
    given = replace(known, given={"memory": "1Gi"})
    assert not [line for line in engine.step(given, ("name",)).proposed if line.startswith("memory")]


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
    for question in every.values():
        assert not fields.is_list(question) or set(fields.line_fields(question)) <= set(
            fields.item_schema(question)["properties"]
        )


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
    changed = said(engine, [("image", "docker.io/neosmemo/memos:0.25.0")], state)
    assert engine.values(changed)["name"] == "memos"
    assert engine.values(changed)["port"] == 5230
    kept = said(engine, [("port", 4000), ("image", "docker.io/neosmemo/memos:0.25.0")], state)
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
    volume = [("volumes", [{"path": "/data"}]), ("volumes[0].embedded_database", "sqlite")]
    shared = said(engine, [*volume, ("volumes[0].rwx", True)])
    assert engine.values(shared)["volumes"] == [{"path": "/data", "rwx": True}]


def test_a_default_that_would_be_refused_is_asked(engine: Engine) -> None:
    taken = said(engine, [*CORE, ("name", "music")])
    assert "host" in asked(engine, taken), "stacks/navidrome has the host music"
    assert engine.step(taken, ("host",)).default == "music-2", "no default that is refused"
    large = said(
        engine, [("build", "upstream"), ("shape", "web"), ("image", "docker.io/acme/keycloak:1.0.0")]
    )
    assert engine.step(large, ("memory",)).default == "1Gi"
    assert "stacks/navidrome" in engine.problem(taken, ("host",), "music")
    mended = said(engine, [("host", "tunes")], taken)
    assert "host" in asked(engine, mended), "a question that was asked stays, to come back to"
    two = said(engine, [("volumes", [{"path": "/data"}, {"path": "/1"}])])
    assert "volumes[1].purpose" in asked(engine, two), "1 is no name"
    assert "volumes[0].purpose" not in asked(engine, two)


def test_what_an_item_is_called_follows_from_what_is_typed(engine: Engine) -> None:
    two = said(engine, [("volumes", [{"path": "/data"}, {"path": "/srv/Shared_Media/"}])])
    assert engine.values(two)["volumes"][1]["purpose"] == "shared-media"
    assert "volumes[1].purpose" not in asked(engine, two)
    named = said(engine, [("volumes[1].purpose", "films")], two)
    assert engine.values(named)["volumes"][1]["purpose"] == "films"


def test_names_in_use_are_told_with_who_uses_them(engine: Engine) -> None:
    assert "stacks/journal" in engine.problem(State(), ("name",), "journal")
    assert "Tier 0" in engine.problem(State(), ("name",), "vault")
    assert not engine.problem(State(), ("name",), "new-one")


def test_an_own_image_needs_no_answer(engine: Engine) -> None:
    state = said(engine, [*CORE[:-1], ("build", "forgejo-woodpecker")])
    assert "image" not in asked(engine, state)
    with_image = said(engine, CORE)
    assert "image" not in engine.values(said(engine, [("build", "forgejo-woodpecker")], with_image))


def line(engine: Engine, state: State, path: str, text: str) -> State:
    """Type a line, as a person does."""
    step = engine.step(state, parse(path))
    value = step.read(text)
    assert not engine.problem(state, step.path, value)
    return engine.answer(state, step.path, value)


def test_a_list_is_one_line(engine: Engine) -> None:
    state = line(engine, State(), "env", "A=1 'B=x=y z'")
    assert engine.values(state)["env"] == {"A": "1", "B": "x=y z"}
    state = line(engine, state, "secrets", "TOKEN, KEY=other/place#key")
    assert engine.values(state)["secrets"] == [{"env": "TOKEN"}, {"env": "KEY", "vault": "other/place#key"}]
    assert engine.step(state, ("secrets",)).text == "TOKEN KEY=other/place#key"
    assert not engine.values(line(engine, state, "secrets", "")).get("secrets")
    for text in ("API_TOKEN=hunter2-hunter2", "A=1 API_TOKEN=hunter2-hunter2"):
        told = engine.problem(state, ("env",), engine.step(state, ("env",)).read(text))
        assert "hunter2" not in told
        assert "secret" in told
    with pytest.raises(UsageError, match="no ="):
        engine.step(state, ("env",)).read("no equals sign")


def test_answers_about_an_item_follow_it(engine: Engine) -> None:
    state = line(engine, State(), "volumes", "/data=2Gi /media")
    state = said(engine, [("volumes[0].embedded_database", "duckdb"), ("volumes[1].rwx", True)], state)
    swapped = line(engine, state, "volumes", "/media /new /data=4Gi")
    assert engine.values(swapped)["volumes"] == [
        {"path": "/media", "rwx": True},
        {"purpose": "new", "path": "/new"},
        {"purpose": "data", "path": "/data", "embedded_database": "duckdb", "size": "4Gi"},
    ]
    gone = line(engine, swapped, "volumes", "/new")
    assert engine.values(gone)["volumes"] == [{"path": "/new"}]


def test_an_item_of_a_file_keeps_what_is_not_on_its_line(engine: Engine) -> None:
    state = State(
        suggested={"volumes": [{"path": "/a", "read_only": True}, {"path": "/b", "purpose": "more"}]}
    )
    assert engine.step(state, ("volumes",)).text == "/a /b"
    state = line(engine, state, "volumes", "/b=5Gi /c")
    assert engine.values(state)["volumes"] == [
        {"purpose": "more", "path": "/b", "size": "5Gi"},
        {"purpose": "c", "path": "/c"},
    ]


def test_an_answer_is_set_by_its_name(engine: Engine) -> None:
    state = said(engine, CORE)
    for text, name, value in [
        ("memory=512Mi", "memory", "512Mi"),
        ("homepage_group = Media & Entertainment", "homepage_group", "Media & Entertainment"),
        ("busy=yes", "busy", True),
        ("env=A=1 B=2", "env", {"A": "1", "B": "2"}),
        ("volumes=/data", "volumes", [{"path": "/data"}]),
        ("volumes[0].size=3Gi", "volumes", [{"path": "/data", "size": "3Gi"}]),
        ("env.A=3", "env", {"A": "3", "B": "2"}),
    ]:
        path, found = engine.setting(state, text)
        assert not engine.problem(state, path, found)
        state = engine.answer(state, path, found)
        assert engine.values(state)[name] == value
    assert engine.problem(state, *engine.setting(state, "memory=lots"))
    for wrong in ("nothing=1", "gate_reason=It asks for a password", "env[0=1"):
        with pytest.raises(UsageError):
            engine.setting(state, wrong)


def test_a_proposal_fills_a_carve_out(engine: Engine) -> None:
    state = said(engine, [("machine_clients[0]", "webhooks")])
    assert asked(engine, state)[6:10] == [
        "machine_clients[0]", "machine_clients[0].paths", "machine_clients[0].auth", "machine_clients[0].reason",
    ]  # fmt: skip
    (client,) = engine.values(state)["machine_clients"]
    assert client["paths"] == ["/api/webhook/"]
    assert len(client["reason"].split()) > 2
    other = said(engine, [("machine_clients[0].paths", ["/hook"])], state)
    assert engine.values(other)["machine_clients"][0]["paths"] == ["/hook"]
    assert not engine.values(said(engine, [("machine_clients[0]", MORE)], other)).get("machine_clients")


def test_back_leads_through_every_question_to_the_first(engine: Engine) -> None:
    state = said(
        engine,
        [*CORE, ("name", "a-b"), ("description", "x"), ("port", 1), ("env", {"A": "1"})],
    )
    step: Step | None = engine.first_open(state)
    seen = []
    while step is not None:
        seen.append(show(step.path))
        step = engine.previous(state, step.path)
    assert seen == list(reversed(asked(engine, state)))[-len(seen) :]
    assert seen[-1] == "build"


def test_what_was_given_is_not_asked(engine: Engine) -> None:
    state = State({"gate": "app", "name": "a-b"})
    assert "gate" not in asked(engine, state)
    assert "gate_reason" in asked(engine, state)
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


@pytest.mark.parametrize("usual", ["forgejo-woodpecker", "github-ghcr"])
def test_the_way_of_this_monorepo_is_marked(pristine: Monorepo, usual: str) -> None:
    here = Engine(judge(pristine, {}), {"own_build": usual})
    options = here.step(State(), ("build",)).options
    assert [o.value for o in options if "own images" in o.consequence] == [usual]


def replay(engine: Engine, answers: dict[str, Any]) -> State:
    """Answer every step as an answer file does, then change in the review what was not asked."""
    state = walked(engine, State(), answers)
    for name, value in answers.items():
        question = questions.asked()[name]
        if not fields.is_list(question):
            state = reply(engine, state, (name,), value)
            continue
        if not question.proposals:
            state = reply(engine, state, (name,), value)
        for index, item in enumerate(value):
            if question.proposals and len(engine.values(state).get(name, [])) <= index:
                state = reply(engine, state, (name, index), "other")
            for key, field in item.items():
                state = reply(engine, state, (name, index, key), field)
    for at in [path for path in state.said if left_out(answers, path)]:
        state = reply(engine, state, at, fields.field_at(at).default)
    return walked(engine, state, answers)


def left_out(answers: dict[str, Any], path: Any) -> bool:
    """Whether a field is not in the example: a sidecar, which comes later, settles what asked for it."""
    return len(path) == 3 and path[-1] not in answers[path[0]][path[1]]


def walked(engine: Engine, state: State, answers: dict[str, Any]) -> State:
    seen: list[Any] = []
    for _ in range(200):
        step = engine.first_open(state)
        if step is None:
            return state
        seen.append(step.path)
        again = step.path[-1] == "sub_path" and left_out(answers, step.path)
        state = reply(engine, state, step.path, "data" if again else wanted(answers, step))
    raise AssertionError(f"it never ends: {seen[-3:]}")


def reply(engine: Engine, state: State, path: Any, value: Any) -> State:
    """Answer as a person can: choose an option, or type a line."""
    step = engine.step(state, path)
    options = [option.value for option in step.options]
    if options:
        assert value in options, show(path)
    else:
        value = step.read(replace(step, default=value).text)
    return engine.answer(state, path, value)


def wanted(answers: dict[str, Any], step: Step) -> Any:
    question = questions.asked()[str(step.path[0])]
    value = answers.get(question.name)
    if len(step.path) == 1:
        return step.default if value is None else value
    index = int(step.path[1])
    if value is None or index >= len(value):
        return MORE
    if len(step.path) == 2:
        return "other"
    return value[index].get(step.path[2], step.default)


QUICK = ("drone-logbook", "ip-echo", "sketchpad", "stamp-album")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow("another example")
        )
        for path in sorted((ANSWERS / "valid").glob("*.yml"))
    ],
)
def test_the_questions_lead_to_every_example(engine: Engine, path: Any) -> None:
    answers = yaml.safe_load(path.read_text())
    known, written = (engine.known(engine.result(s)) for s in (replay(engine, answers), State(answers)))
    for name in answers:
        assert complete(name, known[name]) == complete(name, written[name]), name


@examples(3)
@given(valid_answers())
def test_the_questions_lead_to_any_answers(pristine: Monorepo, answers: dict[str, Any]) -> None:
    engine = Engine(judge(pristine, {}), {})
    known, written = (engine.known(engine.result(s)) for s in (replay(engine, answers), State(answers)))
    for name in answers:
        assert complete(name, known[name]) == complete(name, written[name]), name


def complete(name: str, value: Any) -> Any:
    """An answer with the defaults of its items."""
    properties = fields.item_schema(questions.asked()[name]).get("properties")
    if properties is None:
        return value
    return [
        {key: item.get(key, schema.get("default")) for key, schema in properties.items()} for item in value
    ]


def test_more_memory_than_the_tier_has_asks_for_the_tier(engine: Engine) -> None:
    state = said(engine, [*CORE, ("name", "vikunja")])
    assert engine.problem(state, ("memory",), "6Gi") == ""
    state = engine.answer(state, ("memory",), "6Gi")
    assert ("tier",) in engine.paths(state) and ("limit_range",) not in engine.paths(state)
    bigger = engine.answer(state, ("tier",), "edge")
    assert ("limit_range",) not in engine.paths(bigger)
    same = engine.answer(state, ("tier",), "aux")
    assert ("limit_range",) in engine.paths(same)
    same = engine.answer(same, ("limit_range",), {})
    assert "is above the limit" in engine.problem(same, ("memory",), "6Gi"), "nothing is left to settle it"


def test_pods_that_together_exceed_the_quota_ask_for_what_settles_it(engine: Engine) -> None:
    volumes = [{"path": "/data", "backup": "sqlite"}]
    state = said(engine, [*CORE, ("name", "vikunja"), ("memory", "3Gi"), ("volumes", volumes)])
    assert ("memory_request",) in engine.paths(state) and ("quota",) not in engine.paths(state)


def test_memory_over_the_quota_asks_for_a_smaller_request_first(engine: Engine) -> None:
    state = said(engine, [*CORE, ("name", "vikunja"), ("tier", "aux"), ("memory", "4Gi")])
    assert ("memory_request",) in engine.paths(state) and ("quota",) not in engine.paths(state)
    less = engine.answer(state, ("memory_request",), "1Gi")
    assert "quota" not in engine.problem(less, ("memory",), "4Gi")
    whole = engine.answer(state, ("memory_request",), "")
    assert ("quota",) in engine.paths(whole), "who wants all of it reserved can have a quota"


def test_a_draft_brings_everything_back(engine: Engine) -> None:
    state = said(engine, [*CORE, ("name", "vikunja"), ("volumes", [{"path": "/data"}])])
    state = replace(state, given={"memory": "1Gi"}, suggested={"port": 8080})
    assert from_draft(yaml.safe_load(yaml.safe_dump(to_draft(state)))) == state


def moves() -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(
        st.tuples(st.sampled_from(["take", "option", "back", "text"]), st.integers(0, 9)), max_size=25
    )


@examples(15)
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
            try:
                value = step.read(["", "/x", "web-app", "8080", "A=1", "two words"][number % 6])
            except UsageError:
                continue
        if engine.problem(state, step.path, value):
            continue
        state = engine.answer(state, step.path, value)
        step = engine.next(state, step.path) or engine.first_open(state)
        known = engine.known(engine.values(state))
        for name in engine.values(state):
            when = questions.condition(questions.asked()[name])
            assert all(questions.fits(known[other], wish) for other, wish in when.items())
        assert from_draft(to_draft(state)) == state


def test_what_the_answers_name_is_proposed_to_wait_for(engine: Engine) -> None:
    unknown = said(engine, [("build", "upstream"), ("shape", "web"), ("image", "docker.io/acme/films:4.2.0")])
    assert "wait_for" not in asked(engine, unknown)
    env = {"BROKER": "mosquitto.mqtt:1883", "CACHE": {"host": "redis"}, "SITE": "https://films.example.org"}
    named = said(engine, [("database", "postgresql"), ("env", env)], unknown)
    assert engine.step(named, ("wait_for",)).text == "postgresql mosquitto.mqtt:1883 redis"
    assert engine.result(said(engine, [("wait_for", ["redis"])], named))["wait_for"] == ["redis"]
    known = said(engine, [("image", IMAGE)], named)
    assert "wait_for" not in asked(engine, known), "a known image asks no more than its own questions"


def test_where_a_known_image_keeps_its_data_is_proposed_as_a_volume(engine: Engine) -> None:
    image = "ghcr.io/mealie-recipes/mealie:v3.0.2"
    state = said(engine, [("build", "upstream"), ("shape", "web"), ("image", image), ("name", "meals")])
    step = engine.step(state, ("volumes",))
    assert step.text == "/app/data"
    taken = said(engine, [("volumes", step.read(step.text))], state)
    assert ("volumes", 0, "embedded_database") in engine.paths(taken)
    assert engine.result(taken)["volumes"] == [{"path": "/app/data", "embedded_database": "sqlite"}]
    assert engine.step(taken, ("volumes",)).text == "/app/data"
    none = said(engine, [("volumes", [])], state)
    assert engine.result(none)["volumes"] == [] and engine.step(none, ("volumes",)).text == ""


def test_no_server_is_proposed_where_vault_makes_no_passwords(pristine: Monorepo) -> None:
    answers = [*CORE[:-1], ("image", "ghcr.io/umami-software/umami:postgresql-v2.19.0")]
    for there, proposed in ((True, "postgresql"), (False, "none")):
        sensed: dict[str, Any] = {} if there else {"runs": {"database_engine": False}}
        engine = Engine(judge(pristine, sensed), sensed)
        assert engine.step(said(engine, answers), ("database",)).text == proposed
