"""What is sensed of how own images are built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scaffold.errors import MissingError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions

POD = """
resource "kubernetes_deployment" "{name}" {{
  spec {{
    template {{
      spec {{
        image_pull_secrets {{
          name = "{secret}"
        }}
        container {{
          name  = "{name}"
          image = "{registry}/{name}:latest"
        }}
      }}
    }}
  }}
}}
"""
OWN = ("registry-credentials", "registry.example.test/apps")
GHCR = ("ghcr-credentials", decisions.house()["builds"]["github-ghcr"]["registry"])
STRANGERS = ("ghcr-credentials", "ghcr.io/somebody")


def sensed(monorepo: Monorepo, pods: list[tuple[str, str]]) -> dict[str, Any]:
    """What is sensed with one further stack for each pod."""
    for number, (secret, registry) in enumerate(pods):
        directory = monorepo.root / "stacks" / f"extra-{number}"
        directory.mkdir()
        text = POD.format(name=f"extra_{number}", secret=secret, registry=registry)
        (directory / "main.tf").write_text(text)
    return sense(Monorepo(monorepo.root))


def test_the_sample_builds_as_the_template_does(pristine: Monorepo) -> None:
    assert "own_build" not in sense(pristine)


@pytest.mark.parametrize(
    ("pods", "usual"),
    [([GHCR] * 9, "github-ghcr"), ([STRANGERS] * 9, None), ([OWN] * 9 + [GHCR] * 2, None)],
    ids=["moved", "strangers", "beginning"],
)
def test_the_usual_way_is_that_of_most_own_images(
    monorepo: Monorepo, pods: list[tuple[str, str]], usual: str | None
) -> None:
    assert sensed(monorepo, pods).get("own_build") == usual


def test_an_override_holds_over_what_is_sensed(monorepo: Monorepo, tmp_path: Path) -> None:
    (monorepo.root / "scaffold.yml").write_text("own_build: woodpecker\n")
    assert sensed(monorepo, [GHCR] * 9)["own_build"] == "woodpecker"


@pytest.mark.parametrize(
    ("usual", "events"), [("forgejo-woodpecker", ["manual", "push"]), ("github-ghcr", ["manual"])]
)
def test_a_rollout_is_started_as_in_the_monorepo(usual: str, events: list[str]) -> None:
    """Where workflows that only roll out run on `manual` alone, every one does."""
    answers = {"name": "a", "description": "b", "port": 8080, "build": "github-woodpecker"}
    made = decisions.combine({**answers, "sensed": {"own_build": usual}})["pipeline"]
    assert made["deploy_on"]["value"] == events
    assert usual in made["way"]["reason"]


def test_facts_that_are_no_more_are_told_as_unknown(monorepo: Monorepo) -> None:
    gone = ("secret_names", "secret_values", "secret_options", "secret_lines")
    (monorepo.root / "scaffold.yml").write_text("".join(f"{name}: [a]\n" for name in gone))
    with pytest.raises(MissingError) as error:
        sense(monorepo)
    assert [finding.message for finding in error.value.findings] == [f"{name} is no fact." for name in gone]


def test_overrides_of_the_wrong_kind_are_all_told(monorepo: Monorepo) -> None:
    path = monorepo.root / "scaffold.yml"
    path.write_text("tier0_stacks: 5\nbuilds: [1]\ndomain:\nhosts: {redis: 1}\nimage_uid: 1000\nlimit: 1\n")
    with pytest.raises(MissingError) as error:
        sense(monorepo)
    told = {finding.message: finding.allowed for finding in error.value.findings}
    assert told["tier0_stacks is a number."] == "a list"
    assert told["builds is a list."] == "a mapping"
    assert told["domain is empty."] == "text"
    assert told["hosts.redis is a number."] == "text"
    assert "limit is no fact." in told
    assert not any("image_uid" in message for message in told)
    path.write_text(
        "tiers: {lab: {memory_max: 8}}\nhosts: {ntfy: [a]}\ndns_types: [proxied, {a: b}]\nbuilds: {own: yes}\n"
        "dumps: {pg_dump: {logins: [{password: 1}], images: '('}}\nrotated_names: (?i)^x$\n"
    )
    with pytest.raises(MissingError) as error:
        sense(monorepo)
    assert {finding.message: finding.allowed for finding in error.value.findings} == {
        "tiers.lab.memory_max is a number.": "text",
        "hosts.ntfy is a list.": "text",
        "dns_types[1] is a mapping.": "text",
        "builds.own is true or false.": "a mapping",
        "dumps.pg_dump.logins[0].password is a number.": "text",
        "dumps.pg_dump.images is no pattern: missing ), unterminated subpattern at position 0.": "a regular expression",
    }
    path.write_text("when: 2024-13-45\n")
    with pytest.raises(MissingError, match="is not YAML"):
        sense(monorepo)
