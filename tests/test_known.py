"""What is known of images: one row for each repository, proposed and never imposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ANSWERS

from scaffold.answers import validation
from scaffold.answers.compose.translation import translate
from scaffold.answers.known import Known, filled, known
from scaffold.answers.sources import Answers, from_yaml
from scaffold.commands.explain import explain
from scaffold.commands.service_entry import service_entry
from scaffold.generate import images
from scaffold.generate.expressions import RowsError
from scaffold.indexes.edits import insertions
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions, template
from scaffold.wizard.engine import Engine
from scaffold.wizard.rows import rows
from scaffold.wizard.state import State

IMAGES: dict[str, Any] = dict(template.facts("images"))
ROWS: list[dict[str, Any]] = IMAGES["images"]
VAULTWARDEN = "docker.io/vaultwarden/server:1.33.2"
DASHY = "docker.io/lissy93/dashy:3.1.0"
REASON = "the login page of its own is switched on"


def answers(**more: object) -> Answers:
    return filled(
        from_yaml(yaml.safe_dump({"name": "thing", "description": "A thing", **more}).encode(), "a.yml")
    )


def refused(**more: object) -> set[tuple[str | None, str]]:
    return {(f.answer, f.code) for f in validation.problems(answers(**more), {}, {})}


def decided(**more: object) -> dict[str, str]:
    return {d.name: d.reason for d in explain(answers(**more), None)}


def test_the_house_knows_what_homelabs_run() -> None:
    assert len(ROWS) >= 120
    assert {row["gate"] for row in ROWS if "gate" in row} == {"app", "required"}


@pytest.mark.parametrize(
    "change,told",
    [
        ({"port": 0}, "port: 0 is less than"),
        ({"ports": 80}, "ports is no key"),
        ({"health_path": "alive"}, "health_path: 'alive' does not match"),
        ({"images": ["nginx"]}, "images: 'nginx' does not match"),
        ({"uid": None}, "uid: None is not"),
        ({"source": "a page"}, "source: 'a page' does not match"),
        ({"gate": "none"}, "gate: 'none' is not one of"),
        ({"path": "/data/"}, "path: '/data/' should not"),
        ({"embedded_database": "sqlite"}, "embedded_database needs a path"),
        ({"server_dump": "save"}, "server_dump needs a server_path"),
        ({"images": ["docker.io/library/nginx"]}, "docker.io/library/nginx is known twice"),
    ],
)
def test_a_wrong_row_stops_the_generation(change: dict[str, object], told: str) -> None:
    row = {
        "images": ["docker.io/acme/thing"],
        "name": "thing",
        "title": "Thing",
        "source": "https://example.test/",
    }
    others = [other for other in ROWS if "docker.io/library/nginx" in other["images"]]
    assert others and images.compiled(yaml.safe_dump({**IMAGES, "images": [*others, row]}))
    with pytest.raises(RowsError, match=told):
        images.compiled(yaml.safe_dump({**IMAGES, "images": [*others, {**row, **change}]}))


@pytest.mark.parametrize("key", ["images", "name", "title", "source"])
def test_a_row_says_what_it_is_and_who_says_so(key: str) -> None:
    row = {name: value for name, value in ROWS[0].items() if name != key}
    with pytest.raises((RowsError, KeyError), match=key):
        images.compiled(yaml.safe_dump({**IMAGES, "images": [row]}))


def test_each_is_found_by_its_whole_repository_alone() -> None:
    for row in ROWS:
        for image in row["images"]:
            found = known({"image": f"{image}:1.0.0"})
            assert (found.of, found.answers.get("port")) == (image, row.get("port"))
            assert found.proposed["name"] == row["name"]
            other = image.replace(".io/", ".io/somebody-else/").replace(".org/", ".org/somebody-else/")
            assert other == image or known({"image": f"{other}:1.0.0"}).answers == {}


@pytest.mark.parametrize(
    "image,of,port",
    [
        ("docker.io/library/nginx:1.29.0", "docker.io/library/nginx", 80),
        ("docker.io/nginx@sha256:" + "0" * 64, "docker.io/library/nginx", 80),
        ("nginx:1.29.0", "docker.io/library/nginx", 80),
        ("vaultwarden/server:1", "docker.io/vaultwarden/server", 80),
        ("index.docker.io/vaultwarden/server", "docker.io/vaultwarden/server", 80),
        ("lscr.io/linuxserver/code-server:4.96.2", "lscr.io/linuxserver/code-server", 8443),
        ("docker.io/linuxserver/code-server:4.96.2", "lscr.io/linuxserver/code-server", 8443),
        ("docker.io/codercom/code-server:4.96.2", "docker.io/codercom/code-server", 8080),
    ],
)
def test_other_ways_to_write_a_repository(image: str, of: str, port: int) -> None:
    found = known({"image": image})
    assert (found.of, found.answers["port"]) == (of, port)


@pytest.mark.parametrize(
    "image,name",
    [
        (VAULTWARDEN, "vaultwarden"),
        ("docker.io/acme/server:1", "acme"),
        ("ghcr.io/acme/shop/web:1", "shop"),
        ("ghcr.io/acme/Shop_Window:1", "shop-window"),
        ("registry.example.test:5000/api", None),
    ],
)
def test_a_service_is_called_after_what_says_something(image: str, name: str | None) -> None:
    assert known({"image": image}).proposed.get("name") == name


@pytest.mark.parametrize(
    "called,name", [("app", "vaultwarden"), ("webserver", "vaultwarden"), ("vault", "vault")]
)
def test_what_a_compose_file_calls_an_app_is_no_name(called: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(f"services: {{{called}: {{image: 'vaultwarden/server:1.33.2'}}}}")
    assert translate(file).answers["name"] == name


def test_what_is_known_holds_where_nothing_is_said() -> None:
    given = answers(image=VAULTWARDEN, volumes=[{"path": "/data/"}, {"path": "/icons"}])
    assert given.values["port"] == 80 and given.values["health_path"] == "/alive"
    assert given.values["volumes"] == [{"path": "/data/", "embedded_database": "sqlite"}, {"path": "/icons"}]
    assert given.place(("port",)).source == "known of docker.io/vaultwarden/server"
    said = answers(image=VAULTWARDEN, port=8080, volumes=[{"path": "/data", "embedded_database": "none"}])
    assert said.values["port"] == 8080
    assert said.values["volumes"] == [{"path": "/data", "embedded_database": "none"}]
    served = answers(image=VAULTWARDEN, database="postgresql", volumes=[{"path": "/data"}])
    assert served.values["volumes"] == [{"path": "/data"}]


def test_memory_is_at_least_what_the_project_asks_for() -> None:
    """It is proposed with its origin; less is let through, and told: the project may be too careful."""
    given = answers(image=DASHY)
    assert given.values["memory"] == "1Gi"
    assert given.place(("memory",)).source == "known of docker.io/lissy93/dashy"
    assert (
        decided(image=DASHY)["known.memory"] == "no less than 1Gi, the least known of docker.io/lissy93/dashy"
    )
    less = {"image": DASHY, "memory": "512Mi"}
    assert answers(**less).values["memory"] == "512Mi"
    assert refused(**less) == set()
    assert decided(**less)["known.memory"].startswith("given; it may be killed with less than 1Gi, the least")
    assert "known.memory" not in decided(image=VAULTWARDEN)
    assert "known.memory" not in decided(
        image=DASHY, shape="jobs", cron_jobs=[{"name": "a", "schedule": "1 2 * * *"}]
    )


def test_a_small_floor_lowers_no_default() -> None:
    image = "docker.io/binwiederhier/ntfy:2.11.0"
    assert "memory" not in answers(image=image).values
    assert decided(image=image)["known.memory"].startswith("no less than 128Mi, the least known of")
    assert decided(image=image, memory="64Mi")["known.memory"].startswith("given; it may be killed")


def test_no_memory_that_is_proposed_is_too_little_for_its_kind() -> None:
    for row in ROWS:
        if "memory" in row:
            given = {"port": 80, **row, "image": f"{row['images'][0]}:1.0.0"}
            found = refused(image=given["image"], port=given["port"])
            assert ("memory", "answers.memory-floor") not in found, row["images"]


def test_nobody_is_let_in_because_an_image_is_known() -> None:
    """The questions that decide who may come in, and what is encrypted, are a person's to answer."""
    for row in ROWS:
        given = answers(image=f"{row['images'][0]}:1.0.0").values
        assert not {"name", "gate", "gate_reason", "sensitive", "rwx", "dns"} & set(known(given).answers)


def test_what_does_not_apply_is_not_filled_in() -> None:
    assert "port" not in answers(image=VAULTWARDEN, shape="jobs").values
    assert "homepage_icon" not in answers(image=VAULTWARDEN, homepage=False).values


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": 5},
        {"image": VAULTWARDEN, "volumes": "x"},
        {"image": VAULTWARDEN, "volumes": [1, {"path": 2}]},
    ],
)
def test_wrong_answers_are_left_to_be_refused(wrong: dict[str, Any]) -> None:
    given = answers(**wrong)
    assert given.values["volumes" if "volumes" in wrong else "image"] == wrong.get("volumes", wrong["image"])
    assert validation.problems(given, {}, {})


@pytest.mark.parametrize(
    "image", ["lscr.io/linuxserver/prowlarr:1.30.2", "lscr.io/linuxserver/qbittorrent:5.0.3"]
)
def test_a_login_that_is_not_there_is_no_gate(image: str) -> None:
    open_ = {"image": image, "gate": "app", "gate_reason": "it has a login of its own"}
    assert refused(**open_) == {("image_reason", "answers.image-reason")}
    assert refused(**open_, image_reason=REASON) == set()
    assert refused(image=image) == set()


def test_data_that_is_sensitive_is_treated_so() -> None:
    assert refused(image=VAULTWARDEN, sensitive=False) == {("image_reason", "answers.image-reason")}
    volume = {"path": "/data", "sensitive": False}
    assert refused(image=VAULTWARDEN, volumes=[volume]) == {("volumes[0].sensitive", "answers.image-reason")}
    assert (
        refused(image=VAULTWARDEN, sensitive=False, volumes=[volume], image_reason="a demo without data")
        == set()
    )
    assert refused(image="docker.io/corentinth/it-tools:2024.10.22", sensitive=False) == set()


def test_the_review_tells_what_is_known_beside_what_is_answered() -> None:
    told = decided(image=VAULTWARDEN, port=8080)
    assert told["known.port"].startswith("given; 80 is known of docker.io/vaultwarden/server (https://")
    assert told["known.health_path"].startswith("as is known of docker.io/vaultwarden/server")
    assert told["known.gate"].startswith("given; app is known of")
    assert told["known.path"].startswith("no volume is there: data that it keeps there is lost")
    assert decided(image=VAULTWARDEN, volumes=[{"path": "/data"}])["known.path"].startswith(
        "it keeps its data"
    )
    assert not [
        name for name in decided(image="docker.io/acme/thing:1.0.0", port=1) if name.startswith("known.")
    ]


def test_the_icon_of_an_unknown_image_is_not_guessed() -> None:
    def icon(image: str) -> str:
        return str(decisions.combine(answers(image=image, port=1).values)["homepage_icon"])

    assert icon("docker.io/acme/thing:1.0.0") == "mdi-application"
    assert icon(VAULTWARDEN) == "vaultwarden.png"


def test_releases_of_a_known_image_are_followed() -> None:
    values = decisions.combine(answers(image=VAULTWARDEN).values)
    (followed,) = service_entry(values).upstream_images
    assert (followed.image, followed.repository) == (
        "docker.io/vaultwarden/server",
        "dani-garcia/vaultwarden",
    )


def test_an_own_image_beside_is_listed_with_the_services_own(pristine: Monorepo) -> None:
    given = {"name": "tide-log", "description": "Tides", "port": 80, "build": "github-ghcr"}
    home = decisions.combine(given)["facts"]["builds"]["github-ghcr"]["registry"]
    images = ("tide-log-api", "moon-phase", "tide-log")  # the second is that of another Service
    beside = [{"name": f"n{at}", "image": f"{home}/{image}:1.0.0"} for at, image in enumerate(images)]
    entry = service_entry(decisions.combine({**given, "sidecars": beside}))
    assert [image.repository for image in entry.built] == ["tide-log", "tide-log-api"]
    assert service_entry(decisions.combine({**given, "build": "upstream", "sidecars": beside})).built == ()
    lists = [
        edit.after for edit in insertions(pristine.files, entry).edits if "builds" in " ".join(edit.indexes)
    ]
    assert len(lists) == 2
    assert all(b"tide-log-api" in text and b"moon-phase" not in text for text in lists)


def origins(engine: Engine, state: State) -> dict[str, str]:
    return {row.question.name: row.origin for row in rows(engine, state)}


def test_the_wizard_proposes_the_memory_that_answer_files_get() -> None:
    engine = Engine(lambda values: (), {})
    state = State(said={("image",): DASHY})
    assert engine.step(state, ("memory",)).default == "1Gi"
    assert origins(engine, state)["memory"] == "known of docker.io/lissy93/dashy"


def test_what_is_only_called_alike_is_asked() -> None:
    image = "ghcr.io/example/uptime-kuma:2.0.2"
    assert known({"image": image}) == Known(
        alike="docker.io/louislam/uptime-kuma", proposed={"name": "uptime-kuma", "port": 3001}
    )
    assert ("port", "answers.missing") in refused(image=image)
    engine = Engine(lambda values: (), {})
    state = State(said={("image",): image})
    assert ("port",) in engine.paths(state)
    assert engine.step(state, ("port",)).default == 3001
    assert origins(engine, engine.answer(state, ("port",), 3001))["port"] == "asked"


def test_a_server_that_an_image_needs_is_proposed_and_never_made_unasked() -> None:
    miniflux = "docker.io/miniflux/miniflux:2.2.1"
    assert "database" not in answers(image=miniflux).values
    engine = Engine(lambda _: [], {})
    step = engine.step(State(said={("image",): miniflux}), ("database",))
    assert step.default == "postgresql" and step.path in engine.paths(State(said={("image",): miniflux}))
    assert ("database",) not in engine.paths(State(said={("image",): VAULTWARDEN}))
    told = decided(image=miniflux)["known.database"]
    assert told.startswith("given; it needs postgresql, as is known of docker.io/miniflux/miniflux")
    assert decided(image=miniflux, database="postgresql")["known.database"].startswith("as is known of")


GITLAB = "docker.io/gitlab/gitlab-ce:18.5.1-ce.0"


@pytest.mark.parametrize(
    ("image", "path", "kept"),
    [
        (GITLAB, "/var/opt/gitlab", True),
        (GITLAB, "/var/opt/gitlab/postgresql/data", True),
        (GITLAB, "/var/opt/gitlab/backups", False),
        (GITLAB, "/etc/gitlab", False),
        ("docker.io/acme/thing:1.2.0", "/var/lib/mysql", True),
        ("docker.io/library/mysql:9.1.0", "/var/lib/mysql", False),
    ],
)
def test_the_data_of_a_server_inside_an_image_is_never_on_nfs(image: str, path: str, kept: bool) -> None:
    found = known({"image": image, "volumes": [{"path": path}]})
    assert list(found.servers) == ([path] if kept else [])
    volume = {"path": path, "rwx": True}
    told = refused(image=image, port=80, volumes=[volume])
    assert (("volumes[0].embedded_database", "answers.database-on-nfs") in told) == kept


@pytest.mark.parametrize("beside", ["sidecars", "workloads"])
def test_what_saves_a_server_inside_an_image_has_to_be_said(beside: str) -> None:
    def told(**how: str) -> set[tuple[str | None, str]]:
        volume = {"path": "/var/opt/gitlab", **how}
        found = refused(image=GITLAB, port=80, volumes=[volume])
        return {(answer, code) for answer, code in found if "volumes" in str(answer)}

    assert told() == {("volumes[0].backup", "answers.backup-form")}
    assert told(backup="files") == {("volumes[0].backup_reason", "answers.backup-reason")}
    assert told(backup="files", backup_reason="gitlab-backup runs every night") == set()
    assert told(backup="none", backup_reason="it can be made again") == set()
    (mongo, redis) = (
        {t for t in refused(**{beside: [{"name": "db", "image": image, "mounts": [{"volume": "db"}]}]},
                            volumes=[{"path": "/data/db", "purpose": "db", "in_app": False}]) if "backup" in str(t[0])}
        for image in ("docker.io/library/mongo:7.0.14", "docker.io/library/redis:7.4.1")
    )  # fmt: skip
    assert (mongo, redis) == ({("volumes[0].backup", "answers.backup-form")}, set())
    other = refused(volumes=[{"path": "/data", "backup": "files", "backup_reason": "it is copied"}])
    assert ("volumes[0].backup_reason", "answers.not-asked") in other


def test_the_wizard_tells_where_a_default_comes_from() -> None:
    engine = Engine(lambda values: (), {})
    state = State(said={("image",): VAULTWARDEN, ("volumes",): [{"path": "/data"}]})
    assert ("port",) not in engine.paths(state)
    assert origins(engine, state)["port"] == "known of docker.io/vaultwarden/server"
    assert engine.step(state, ("volumes", 0, "embedded_database")).default == "sqlite"
    assert engine.result(state)["volumes"] == [{"path": "/data", "embedded_database": "sqlite"}]


def test_the_valid_examples_contradict_nothing() -> None:
    for path in (*(ANSWERS / "valid").glob("*.yml"), *(ANSWERS / "real").glob("*.yml")):
        found = validation.problems(filled(from_yaml(path.read_bytes(), path.name)), {}, {})
        assert [finding.code for finding in found] == [], path.name


@pytest.mark.parametrize(
    "wrong", [{"database": ["x"]}, {"database": {"a": 1}}, {"env": [1]}, {"env": {"A": [1]}}, {"name": [1]}]
)
def test_nothing_is_concluded_from_answers_that_can_not_be(wrong: dict[str, Any]) -> None:
    """What is wrong with them is told; that something else is missing does not get in between."""
    given = filled(Answers({"description": "d", **wrong}))
    assert next(iter(wrong)) in {
        (finding.answer or "").split(".")[0] for finding in validation.problems(given, {}, {})
    }
