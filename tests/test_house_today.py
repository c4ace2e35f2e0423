"""What a house has changed since the defaults were written: sensed from the monorepo, and followed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.commands.prepared import Prepared
from scaffold.errors import AnswersError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions

APP = "name: moths\ndescription: Pictures of moths\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"
PUBLIC = APP + "gate: anubis\ngate_reason: pictures for everybody\n"
PROOF = """
module "anubis_{0}" {{
  source           = "../../modules/kubernetes/anubis_instance"
  name             = "{0}"
  namespace        = "{0}"
  target_url       = "http://{0}"
  shared_store_url = {1}
}}
"""
STORE = '"redis://${{var.redis_host}}:6379/{}"'


def made(monorepo: Monorepo, answers: str) -> Prepared:
    """What a new Service with these answers would be, verified as far as goes without Terraform."""
    prepared = prepare(
        Monorepo(monorepo.root), from_yaml(answers.encode(), "kit.yml"), level=Level.STATIC,
        template_source="https://x.test/t.git",
    )  # fmt: skip
    assert prepared.stack
    return prepared


def text(prepared: Prepared, file: str = "main.tf") -> str:
    """A file of the stack."""
    assert prepared.stack
    (content,) = (f.after for f in prepared.stack.change.changes if f.path.name == file)
    assert isinstance(content, bytes)
    return content.decode()


def told(monorepo: Monorepo, answers: str) -> set[str]:
    """The codes and places of what is refused."""
    with pytest.raises(AnswersError) as error:
        made(monorepo, answers)
    return {f"{finding.code} {finding.answer}" for finding in error.value.findings}


def stack(monorepo: Monorepo, name: str, content: str) -> None:
    directory = monorepo.root / STACKS / name
    directory.mkdir()
    (directory / "main.tf").write_text(content)


@pytest.fixture
def remembering(monorepo: Monorepo) -> Monorepo:
    """The sample, in which every Anubis keeps its challenges in Redis."""
    journal = monorepo.root / STACKS / "journal" / "main.tf"
    old = '  source = "../../modules/kubernetes/anubis_instance"\n'
    content = journal.read_text()
    assert old in content
    journal.write_text(content.replace(old, old + f"  shared_store_url = {STORE.format(1)}\n"))
    stack(monorepo, "owls", PROOF.format("owls", STORE.format(2)))
    return Monorepo(monorepo.root)


def test_a_store_is_usual_where_every_anubis_has_one(remembering: Monorepo) -> None:
    assert sense(remembering)["anubis_store"] is True
    stack(remembering, "crows", PROOF.format("crows", "null").replace("  shared_store_url = null\n", ""))
    assert "anubis_store" not in sense(Monorepo(remembering.root))


@pytest.mark.slow("makes the Service twice")
def test_anubis_gets_the_next_free_database_and_keeps_it(remembering: Monorepo) -> None:
    cache = 'env: {CACHE: {host: redis, text: "redis://{host}:6379/3"}}\n'
    prepared = made(remembering, PUBLIC + cache)
    assert "redis://${var.redis_host}:6379/4" in text(prepared)
    recorded = yaml.safe_load(text(prepared, ".copier-answers.yml"))
    assert recorded["anubis"] == {"redis_database": 4}
    prepared.apply(commit=False)
    stack(remembering, "crows", PROOF.format("crows", STORE.format(5)))
    (remembering.root / STACKS / "owls" / "main.tf").unlink()
    again = prepare(
        Monorepo(remembering.root), from_yaml((PUBLIC + cache).encode(), "kit.yml"), level=Level.STATIC,
        template_source="https://x.test/t.git",
    )  # fmt: skip
    assert again.unchanged


def test_a_database_of_redis_belongs_to_one(remembering: Monorepo) -> None:
    asked = made(remembering, PUBLIC + "anubis: {replicas: 1, redis_database: 9}\n")
    assert "redis://${var.redis_host}:6379/9" in text(asked)
    taken = PUBLIC + "anubis: {redis_database: 2}\n"
    with pytest.raises(Exception, match="taken") as error:
        made(remembering, taken)
    assert "stacks/owls" in error.value.findings[0].message  # type: ignore[attr-defined]


def test_where_no_database_is_free_one_has_to_be_freed(remembering: Monorepo) -> None:
    for number in range(3, 16):
        stack(remembering, f"bats-{number}", PROOF.format(f"bats-{number}", STORE.format(number)))
    assert told(remembering, PUBLIC) == {"answers.anubis-store anubis.redis_database"}


def test_a_policy_is_only_rules_where_the_module_takes_no_more(monorepo: Monorepo) -> None:
    module = monorepo.root / "modules" / "kubernetes" / "anubis_instance" / "main.tf"
    module.write_text(module.read_text().replace("policy_yaml", "policy_rules_yaml"))
    there = Monorepo(monorepo.root)
    assert sense(there)["anubis_rules"] == "policy_rules_yaml"
    rules = "anubis: {policy: '- import: (data)/crawlers.yaml'}\n"
    assert 'policy_rules_yaml = "- import: (data)/crawlers.yaml"' in text(made(there, PUBLIC + rules))
    whole = 'anubis: {policy: "bots:\\n  - import: (data)/crawlers.yaml\\n"}\n'
    assert told(there, PUBLIC + whole) == {"answers.anubis-policy anubis.policy"}


GROUPS = 'variable "allowed_groups" {\n  type    = list(string)\n  default = ["Admins"]\n}\n'


@pytest.fixture
def grouping(monorepo: Monorepo) -> Monorepo:
    """The sample, whose ingress module knows groups and nothing of Sablier."""
    module = monorepo.root / "modules" / "kubernetes" / "ingress_factory" / "main.tf"
    content = module.read_text()
    assert 'variable "sablier"' in content
    module.write_text(content.replace('variable "sablier"', 'variable "asleep"') + GROUPS)
    return Monorepo(monorepo.root)


def test_groups_are_told_where_the_module_takes_them(grouping: Monorepo) -> None:
    assert sense(grouping)["ingress_takes"] == ["allowed_groups", "exclude_crowdsec"]
    friends = "ingress_options: {allowed_groups: [Moth Friends]}\n"
    carved = "machine_clients: [{paths: [/a/], auth: required, max_body_size: 1g}, {paths: [/b/], auth: app, reason: it has tokens}]\n"
    prepared = made(grouping, APP + friends + carved)
    main = text(prepared)
    assert (
        main.count('allowed_groups  = ["Moth Friends"]') + main.count('allowed_groups   = ["Moth Friends"]')
        == 2
    )
    steps = prepared.next_steps(grouping, (None, None))
    (step,) = [step for step in steps if "which groups" in step.text]
    assert "moths." in step.text
    assert "cd stacks/authentik" in step.command
    assert told(grouping, APP + "sablier: {idle: 1h}\n") == {"answers.sablier sablier"}


def test_no_step_for_groups_where_nobody_logs_in_or_the_module_knows_none(
    grouping: Monorepo, pristine: Monorepo
) -> None:
    open_ = APP + "gate: app\ngate_reason: the app has accounts\n"
    for monorepo, answers in ((grouping, open_), (pristine, APP)):
        steps = made(monorepo, answers).next_steps(monorepo, (None, None))
        assert not [step for step in steps if "which groups" in step.text]


OWN = "name: moth-ledger\ndescription: Who saw which moth\nport: 8080\napp_kind: go\nhealth_path: /healthz\n"


SCAFFOLD = "own_build: github-ghcr\nbuilds: {github-ghcr: {owner: robin, registry: ghcr.io/robin}}\n"
FORGE = "registry.example.test/apps"


@pytest.fixture
def mirroring(monorepo: Monorepo) -> Monorepo:
    """The sample, with the script that has an app's repository mirrored, and own images in ghcr.io."""
    (monorepo.root / "scripts" / "offinfra-onboard").write_text("#!/bin/sh\n")
    (monorepo.root / "scaffold.yml").write_text(SCAFFOLD)
    return Monorepo(monorepo.root)


def test_where_repositories_are_mirrored_no_image_is_built_in_the_cluster(
    mirroring: Monorepo, pristine: Monorepo
) -> None:
    assert sense(mirroring)["mirror"]["there"] is True
    assert "mirror" not in sense(pristine)
    for build in ("forgejo-woodpecker", "woodpecker", "github-woodpecker"):
        assert "answers.build build" in told(mirroring, f"{OWN}build: {build}\n")
    github = OWN + "build: github-ghcr\n"
    assert told(mirroring, github + "branch: main\n") == {"answers.mirror branch"}
    assert told(mirroring, github + "repository: somebody/moths\n") == {"answers.mirror repository"}


def test_an_app_that_is_mirrored_is_pushed_tested_and_tagged_where_people_push(
    mirroring: Monorepo, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "master", str(app)], check=True)
    origin = ["git", "-C", str(app), "remote", "add", "origin", f"https://{FORGE}/moth-ledger.git"]
    subprocess.run(origin, check=True)
    go = {
        "go.mod": "module moths\n",
        "go.sum": "",
        "main.go": "package main\n",
        "main_test.go": "package main\n",
    }
    for name, content in go.items():
        (app / name).write_text(content)
    prepared = prepare(
        mirroring, from_yaml(f"{OWN}workloads: [{{name: nets, command: [nets]}}]\n".encode(), "kit.yml"), app, level=Level.STATIC,
        template_source="https://x.test/t.git",
    )  # fmt: skip
    assert prepared.pipeline
    files = {str(file.path): file.after for file in prepared.pipeline.change.changes}
    workflow = yaml.safe_load(files[".github/workflows/build.yml"])  # type: ignore[arg-type]
    jobs = workflow["jobs"]
    lint = jobs["lint-dockerfile"]["steps"]
    assert [step["run"] for step in lint if "run" in step] == ["docker build --check --file Dockerfile ."]
    assert "lint-dockerfile" in jobs["build"]["needs"]
    assert set(jobs["build"]["needs"]) < set(jobs["notify-failure"]["needs"])
    assert prepared.pipeline.values["pipeline"]["repository"]["value"] == "robin/moth-ledger"
    assert prepared.pipeline.values["build"] == "github-ghcr"
    (tagging,) = [step for step in jobs["build"]["steps"] if "git push" in step.get("run", "")]
    source = f"{FORGE}/moth-ledger"
    assert f"https://apps:$TOKEN@{source}.git" in tagging["run"]
    commands = [step.command or "" for step in prepared.next_steps(mirroring, (None, None))]
    pushed = next(
        n for n, command in enumerate(commands) if f"git push https://{source}.git HEAD:master" in command
    )
    onboarded = next(
        n for n, command in enumerate(commands) if "scripts/offinfra-onboard moth-ledger" in command
    )
    assert pushed < onboarded
    assert "--deploy moth-ledger=moth-ledger --deploy moth-ledger-nets=nets " in commands[onboarded]
    assert not [command for command in commands if "gh secret set" in command or "forge_remote_id" in command]


SIZED = """
resource "kubernetes_deployment" "{0}" {{
  spec {{
    template {{
      spec {{
        container {{
          name = "{0}"
          resources {{
            requests = {{ memory = "{1}" }}
            limits   = {{ memory = "1Gi", {2} = "1" }}
          }}
        }}
      }}
    }}
  }}
}}
"""
ON_GPU = APP + "tier: gpu\ngpu: 1\nmemory: 2Gi\n"


def test_containers_request_less_than_their_limit_where_most_do(
    monorepo: Monorepo, pristine: Monorepo
) -> None:
    assert "burstable" not in sense(pristine)
    for number in range(40):
        stack(monorepo, f"bee-{number}", SIZED.format(f"bee_{number}", "256Mi", "cpu"))
    assert sense(Monorepo(monorepo.root))["burstable"]["usual"] is True
    beside = (
        "memory: 300Mi\nsidecars: [{name: clock, image: docker.io/library/busybox:1.37.0, memory: 64Mi}]\n"
    )
    main = text(made(monorepo, APP + beside))
    for request, limit in (("150Mi", "300Mi"), ("32Mi", "64Mi")):
        assert f'memory = "{request}"' in main
        assert f'memory = "{limit}"' in main
    assert 'memory = "150Mi"' not in text(made(monorepo, APP + "memory: 300Mi\ntier: cluster\n"))
    assert 'memory = "200Mi"' in text(made(monorepo, APP + "memory: 300Mi\nmemory_request: 200Mi\n"))


def test_the_memory_of_the_gpu_is_asked_for_where_it_is_given_out(
    monorepo: Monorepo, pristine: Monorepo
) -> None:
    resource = decisions.house()["gpu_memory"]["resource"]
    stack(monorepo, "bees", SIZED.format("bees", "1Gi", f'"{resource}"'))
    assert told(monorepo, ON_GPU) == {"answers.gpu-memory extended_resources"}
    share = f"extended_resources: {{{resource}: 1500}}\n"
    assert f'"{resource}" = "1500"' in text(made(monorepo, ON_GPU + share))
    made(pristine, ON_GPU)
