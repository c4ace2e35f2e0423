"""What is sensed about how the house's own images are built."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scaffold.errors import MissingError
from scaffold.monorepo import features, sensing, survey
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import ROOT_FILES
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions, template

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
    assert [finding.message for finding in error.value.findings] == [
        f"{name} is not a fact." for name in gone
    ]


def told(monorepo: Monorepo, text: str) -> dict[str, str | None]:
    """What is wrong with a ``scaffold.yml``, each with what is allowed."""
    (monorepo.root / "scaffold.yml").write_text(text)
    with pytest.raises(MissingError) as error:
        sense(monorepo)
    for finding in error.value.findings:
        assert finding.line
        assert finding.fix
    return {f"{finding.line} {finding.message}": finding.allowed for finding in error.value.findings}


def test_overrides_that_nobody_could_use_are_all_told(monorepo: Monorepo) -> None:
    found = told(
        monorepo, "tier0_stacks: 5\nbuilds: [1]\ndomain:\nhosts: {redis: 1}\nimage_uid: 1000\nlimit: 1\n"
    )
    assert found["1 tier0_stacks is a number."] == "a list"
    assert found["2 builds is a list."] == "a mapping"
    assert found["3 domain is empty."] == "text"
    assert found["4 hosts.redis is a number."] == "text"
    assert "6 limit is not a fact." in found
    assert len(found) == 5
    found = told(
        monorepo,
        "tiers: {lab: {}}\nhosts: {redis: a b}\ndns_types: [proxied, {a: b}]\nbuilds: {woodpecker: {forge: mine}}\n"
        "dumps: {pg_dump: {logins: [{password: 1}], images: '(', port: 70000}}\nrotated_names: (?i)^x$\n"
        "own_build: nonsense\nshapes:\n  web:\n    external: true\nbackup_retention_days: 0\nanubis_pod: {memory: 5}\n",
    )
    assert found == {
        "1 tiers.lab is not a fact.": "core, cluster, gpu, edge, aux",
        "2 hosts.redis is not the name of a variable.": "the name of a variable",
        "3 dns_types[1] is a mapping.": "text",
        "4 builds.woodpecker.forge is not one of the choices.": "github, own",
        "5 dumps.pg_dump.images is not a regular expression.": "a regular expression",
        "5 dumps.pg_dump.logins[0].name is missing.": "text",
        "5 dumps.pg_dump.logins[0].password is a number.": "text",
        "5 dumps.pg_dump.logins[0].user is missing.": "text",
        "5 dumps.pg_dump.port is not a port from 1 to 65535.": "a port from 1 to 65535",
        "7 own_build is not one of the choices.": "forgejo-woodpecker, github-ghcr, github-woodpecker, upstream, woodpecker",
        "10 shapes.web.external is fixed: the templates are written for it.": "false",
        "11 backup_retention_days is not at least 1.": "at least 1",
        "12 anubis_pod.memory is a number.": "text",
    }


def test_the_defaults_are_facts_that_could_be_used(monorepo: Monorepo) -> None:
    (monorepo.root / "scaffold.yml").write_text(template.facts_text("house"))
    assert "hosts" not in sense(monorepo)


def test_overrides_that_are_no_mapping_or_no_yaml(monorepo: Monorepo) -> None:
    for text, message in {"when: 2024-13-45\n": "is not YAML", "[1]": "contains no facts"}.items():
        (monorepo.root / "scaffold.yml").write_text(text)
        with pytest.raises(MissingError, match=message):
            sense(monorepo)


POLICY = """
resource "kubectl_manifest" "quota" {
  yaml_body = yamlencode({
    kind = "ClusterPolicy"
    spec = {
      rules = [
        {
          name     = "aux"
          match    = { any = [{ resources = { kinds = ["Namespace"], selector = { matchLabels = { tier = "4-aux" } } } }] }
          generate = { kind = "ResourceQuota", data = { spec = { hard = { "requests.memory" = "2Gi", "requests.cpu" = "2", pods = "7" } } } }
        },
        {
          name     = "edge"
          match    = { any = [{ resources = { selector = { matchLabels = { tier = "3-edge" } } } }] }
          generate = { kind = "LimitRange", data = { spec = { limits = [{ type = "Container", max = { memory = "6Gi" } }] } } }
        },
        {
          name     = "everybody"
          match    = { any = [{ resources = { kinds = ["Namespace"] } }] }
          generate = { kind = "ResourceQuota", data = { spec = { hard = { pods = "1" } } } }
        },
      ]
    }
  })
}
"""


def test_quotas_of_tiers_are_those_of_the_policy(monorepo: Monorepo) -> None:
    policy = monorepo.root / "stacks" / "kyverno" / "main.tf"
    policy.parent.mkdir()
    policy.write_text(POLICY)
    usual = decisions.house()["tiers"]
    assert sense(Monorepo(monorepo.root))["tiers"] == {
        "aux": {**usual["aux"], "memory_quota": "2Gi", "pods_quota": 7},
        "edge": {**usual["edge"], "memory_max": "6Gi"},
    }
    policy.write_text(POLICY.replace('"2Gi"', "var.memory"))
    assert "tiers" not in sense(Monorepo(monorepo.root)), "only what is plain is sensed"


LABEL = "goldilocks.fairwinds.com/vpa-update-mode"
IGNORED = f'resource "kubernetes_namespace" "a" {{\n  lifecycle {{ ignore_changes = [metadata[0].labels["{LABEL}"]] }}\n}}\n'
ITS_OWN = f'resource "kubernetes_namespace" "a" {{\n  metadata {{ labels = {{ "{LABEL}" = "off" }} }}\n}}\n'


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("stacks/vpa/main.tf", IGNORED, False),
        ("stacks/vpa/main.tf", IGNORED.replace("  lifecycle", f"  # {LABEL} is gone\n  lifecycle"), False),
        ("stacks/vpa/main.tf", ITS_OWN, False),
        ("stacks/vpa/main.tf", f'resource "helm_release" "a" {{\n  # {LABEL}\n}}\n', False),
        ("stacks/vpa/main.tf", f'resource "helm_release" "a" {{\n  values = [yamlencode({{ "{LABEL}" = "off" }})]\n}}\n', True),
        ("stacks/vpa/values.yaml", f"labels:\n  # {LABEL}: off\n", False),
        ("stacks/vpa/values.yaml", f"labels:\n  {LABEL}: off\n", True),
        ("scripts/label", f"kubectl label ns --all {LABEL}=off\n", True),
        ("docs/label.md", f"kubectl label ns --all {LABEL}=off\n", False),
    ],
)  # fmt: skip
def test_who_labels_namespaces_is_seen_where_it_is_written(
    monorepo: Monorepo, name: str, text: str, found: bool
) -> None:
    platform = monorepo.root / "stacks/platform/main.tf"
    assert features.find(monorepo, "namespace_label") == "stacks/platform/main.tf"
    platform.write_text(platform.read_text().partition("# Goldilocks")[0])
    path = monorepo.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert features.find(Monorepo(monorepo.root), "namespace_label") == (name if found else "")


def test_all_that_facts_are_found_in_is_among_what_has_to_be_the_same(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, set[Path]] = {"open": set(), "stat": set()}
    for name, function in (("open", io.open), ("stat", os.stat)):

        def spy(
            file: Any, *more: Any, name: str = name, function: Callable[..., Any] = function, **named: Any
        ) -> Any:
            asked[name].add(Path(file) if isinstance(file, str | Path) else Path())
            return function(file, *more, **named)

        monkeypatch.setattr(io if name == "open" else os, name, spy)
    survey.survey(Monorepo(monorepo.root))
    monkeypatch.undo()
    known = {monorepo.root / path for path, _ in sensing.state(Monorepo(monorepo.root))}
    there = {name: {path for path in paths if monorepo.root in path.parents} for name, paths in asked.items()}
    assert monorepo.root / "stacks/platform/main.tf" in there["open"]
    assert there["open"] <= known
    places = {parent for path in known for parent in path.parents}
    assert there["stat"] <= known | places | {monorepo.root / name for name in ROOT_FILES}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("stacks/linkboard/more.tf", POD.format(name="more", secret=OWN[0], registry=OWN[1])),
        ("scaffold.yml", "domain: example.test\n"),
        ("terragrunt.hcl", 'locals {\n  tier0_stacks = ["other"]\n}\n'),
        (
            "modules/kubernetes/ingress_factory/main.tf",
            'variable "root_domain" {\n  default = "other.test"\n}\n',
        ),
        (decisions.house()["mirror"]["script"], ""),
        (decisions.house()["lists"]["internal-monitors"], None),
    ],
)
def test_facts_are_found_again_once_what_they_are_found_in_changes(
    monorepo: Monorepo, path: str, text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    surveys: list[Path] = []

    def counted(monorepo: Monorepo, real: Callable[[Monorepo], Any] = survey.survey) -> Any:
        surveys.append(monorepo.root)
        return real(monorepo)

    monkeypatch.setattr(survey, "survey", counted)
    first = sense(monorepo)
    assert sense(Monorepo(monorepo.root)) == first == survey.survey(Monorepo(monorepo.root))
    surveys.clear()
    assert sense(Monorepo(monorepo.root)) == first
    assert surveys == []
    if text is None:
        (monorepo.root / path).unlink()
    else:
        (monorepo.root / path).parent.mkdir(exist_ok=True, parents=True)
        (monorepo.root / path).write_text(text)
    found = sense(Monorepo(monorepo.root))
    assert surveys == [monorepo.root]
    assert found == survey.survey(Monorepo(monorepo.root))


def test_what_is_kept_for_a_monorepo_that_nobody_uses_any_more_goes(
    monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template, "cache_root", lambda: tmp_path / "cache")
    sense(monorepo)
    (own,) = (tmp_path / "cache" / "sensed").iterdir()
    for file in (own, own.with_name("long-gone")):
        file.touch()
        os.utime(file, (0, 0))
    sense(Monorepo(monorepo.root))
    assert own.stat().st_mtime > 0  # it was used
    (monorepo.root / "scaffold.yml").write_text("domain: example.test\n")
    sense(Monorepo(monorepo.root))
    assert list(own.parent.iterdir()) == [own]
