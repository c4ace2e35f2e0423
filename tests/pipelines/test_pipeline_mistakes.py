"""The recorded mistakes, each put into a golden repository or its stack: the checker finds every one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from support import ORIGIN
from test_pipeline_golden import GOLDEN, answers, files_of

from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.monorepo.stack import read_stack
from scaffold.pipelines.check import check
from scaffold.pipelines.context import Context, Expected
from scaffold.pipelines.repository import Repository
from scaffold.templates import decisions
from scaffold.templates.render import render

SINGLE, DEPLOY, FALLBACK = ".woodpecker.yml", ".woodpecker/deploy.yml", ".woodpecker/build-fallback.yml"
HUB, GHCR = ".github/workflows/build-and-deploy.yml", ".github/workflows/build.yml"


@dataclass(frozen=True)
class Mistake:
    """One edit that brings a recorded mistake into a golden repository, or into its stack."""

    number: int
    case: str
    path: str
    old: str
    new: str
    code: str
    stack: bool = False
    more: dict[str, str] = field(default_factory=dict)


POD = '        image_pull_secrets {\n          name = "registry-credentials"\n        }\n'
CRON = """
resource "kubernetes_cron_job_v1" "nightly" {
  metadata {
    name      = "nightly"
    namespace = "meter-api"
  }
  spec {
    job_template {
      spec {
        template {
          spec {
            %s
            container {
              name  = "nightly"
              image = "registry.example.test/apps/meter-api:%s"
            }
          }
        }
      }
    }
  }
}
"""
PULL = 'image_pull_secrets {\n              name = "registry-credentials"\n            }'
TAGGED = "registry.example.test/apps/meter-api:${CI_COMMIT_SHA:0:8}"
SLACK = "\n  - name: tell\n    image: %s\n    settings:\n      channel: general\n    when:\n      - status: [%s]\n"
LAST = '--timeout=300s"\n'

MISTAKES = [
    Mistake(1, "seed-swap", DEPLOY, '"kubectl set image deployment/seed-swap seed-swap=docker.io/robin/seed-swap:${IMAGE_TAG} -n seed-swap"',
            "kubectl set image deployment/seed-swap seed-swap=${IMAGE_NAME}:${IMAGE_TAG} -n seed-swap", "PIP028"),
    Mistake(1, "meter-api", SINGLE, '"${CI_COMMIT_SHA:0:8}"', "${CI_COMMIT_SHA:0:8}", "PIP028"),
    Mistake(2, "tide-table", GHCR, "$SERVER/api/repos/$REPOSITORY_ID/pipelines", "$SERVER/api/repos/Robin/tide-table/pipelines", "ACT002"),
    Mistake(2, "recipe-box", GHCR, 'REPOSITORY_ID: "88"', "REPOSITORY_ID: REPO_ID_PLACEHOLDER", "ACT002"),
    Mistake(2, "recipe-box", GHCR, " | jq -r .number", "", "ACT003"),
    Mistake(3, "seed-swap", DEPLOY, "    evaluate: 'IMAGE_TAG != \"\"'\n", "", "PIP019"),
    Mistake(4, "seed-swap", FALLBACK, "event: deployment", "event: manual", "PIP020"),
    Mistake(4, "seed-swap", FALLBACK, "event: deployment", "event: [push, deployment]", "PIP021"),
    Mistake(5, "meter-api", SINGLE, "bitnami/kubectl:latest", "bitnami/kubectl:1.32", "PIP010"),
    Mistake(6, "meter-api", SINGLE, LAST, LAST + SLACK % ("woodpeckerci/plugin-slack", "failure"), "PIP011"),
    Mistake(7, "seed-swap", DEPLOY, "from_secret: slack_webhook", "from_secret: slack-webhook-url", "PIP023"),
    Mistake(7, "recipe-box", GHCR, "secrets.SLACK_WEBHOOK", "secrets.SLACK_URL", "ACT007"),
    Mistake(8, "meter-api", SINGLE, f"set image deployment/meter-api meter-api={TAGGED}", "rollout restart deployment/meter-api", "PIP012"),
    Mistake(8, "meter-api", SINGLE, f"meter-api={TAGGED}", "meter-api=registry.example.test/apps/meter-api:latest", "PIP012"),
    Mistake(8, "meter-api", SINGLE, '      tags:\n        - "latest"\n        - "${CI_COMMIT_SHA:0:8}"\n', "      auto_tag: true\n", "PIP008"),
    Mistake(9, "meter-api", SINGLE, "          limits:\n            memory: 2Gi\n", "", "PIP005"),
    Mistake(10, "meter-api", SINGLE, "      platforms:", "      cache_from: type=registry,ref=registry.example.test/apps/meter-api:cache\n      platforms:", "PIP006"),
    Mistake(11, "meter-api", SINGLE, 'registry: "registry.example.test"', 'registry: "docker.io"', "PIP007"),
    Mistake(12, "meter-api", SINGLE, "    image: bitnami/kubectl:latest\n", "    image: bitnami/kubectl:latest\n    secrets: [token]\n", "PIP029"),
    Mistake(13, "meter-api", SINGLE, "    commands:\n", "    commands:\n      - |\n        NOW=$(date)\n        echo \"${NOW}\"\n", "PIP024"),
    Mistake(13, "meter-api", SINGLE, "# Builds the image", "# As in ${{ github.sha }}. Builds the image", "PIP026"),
    Mistake(14, "seed-swap", DEPLOY, "printf '%s\\n' \"$IMAGE_TAG\"", "printf '%s\\n' \"$CI_PIPELINE_VARIABLE_IMAGE_TAG\"", "PIP025"),
    Mistake(15, "seed-swap", DEPLOY, "    evaluate: 'IMAGE_TAG != \"\"'\n", "", "PIP020",
            more={".woodpecker/lint.yml": "when:\n  - event: manual\nskip_clone: true\nsteps:\n  - name: lint\n    image: docker.io/library/alpine:3.22\n    commands: [ls]\n"}),
    Mistake(16, "meter-api", SINGLE, "image: woodpeckerci/plugin-git", "image: alpine/git", "PIP004"),
    Mistake(16, "meter-api", SINGLE, "backoff: 10s", "backoff: 10sec", "PIP004"),
    Mistake(16, "meter-api", SINGLE, "      partial: false\n", "", "PIP004"),
    Mistake(19, "tap-bridge", SINGLE, 'dockerfile: "docker/Dockerfile"', 'dockerfile: "Dockerfile"', "PIP009"),
    Mistake(19, "tide-table", GHCR, 'file: "Dockerfile"', 'file: "build/Dockerfile"', "ACT006"),
    Mistake(20, "meter-api", "Dockerfile", "USER 10001:10001", "USER app", "IMG001"),
    Mistake(20, "seed-swap", "Dockerfile", "RUN npm ci --include=dev", "ENV NODE_ENV=production\nRUN npm ci", "IMG003"),
    Mistake(20, "tide-table", "Dockerfile", "USER 10001", "RUN playwright install chromium\nUSER 10001", "IMG004"),
    Mistake(20, "meter-api", "Dockerfile", "COPY . .", "COPY relay ./relay", "IMG002", more={".gitignore": "/relay\n"}),
    Mistake(20, "tide-table", "Dockerfile", "--no-install-project --no-cache", "--no-cache && pip install .", "IMG005",
            more={"pyproject.toml": '[project]\nname = "tide-table"\nreadme = "README.md"\n'}),
    Mistake(21, "meter-api", "main.tf", '"keel.sh/enrolled" = "true"', '"keel.sh/enrolled" = "true"\n      "keel.sh/policy"   = "force"', "PIP017", stack=True),
    Mistake(22, "meter-api", "main.tf", "      spec[0].template[0].spec[0].container[0].image,", "      spec[0].template[0].spec[0].container[1].image,", "PIP015", stack=True),
    Mistake(22, "meter-api", "main.tf", "        container {\n",
            '        init_container {\n          name  = "migrate"\n          image = "registry.example.test/apps/meter-api:${var.image_tag}"\n        }\n        container {\n', "PIP001", stack=True),
    Mistake(23, "meter-api", "main.tf", 'resource "kubernetes_service"', CRON % (PULL, "a1b2c3d4") + '\nresource "kubernetes_service"', "PIP016", stack=True),
    Mistake(24, "meter-api", "main.tf", POD, "", "PIP014", stack=True),
    Mistake(24, "meter-api", "main.tf", 'resource "kubernetes_service"', CRON % ("", "latest") + '\nresource "kubernetes_service"', "PIP014", stack=True),
    Mistake(25, "tide-table", GHCR, "docker/build-push-action@v6", "docker/build-push-action@v7", "ACT004",
            more={"Dockerfile": "FROM ghcr.io/astral-sh/uv:0.5.11 AS uv\nFROM docker.io/library/python:3.12-slim\nUSER 10001\n"}),
    Mistake(28, "seed-swap", DEPLOY, "- status: [failure]", "- status: [success, failure]", "PIP013"),
    # What no commit had to fix yet, and the facts warn of.
    Mistake(0, "meter-api", SINGLE, "-n meter-api\"\n      - \"kubectl rollout", "-n meter\"\n      - \"kubectl rollout", "PIP001"),
    Mistake(0, "meter-api", SINGLE, '        - "registry.example.test/apps/meter-api"', '        - "registry.example.test/apps/meter_api"', "PIP002"),
    Mistake(0, "tide-table", GHCR, '      - "master"', '      - "main"', "PIP003"),
    Mistake(0, "meter-api", SINGLE, '    branch: "master"\n', "", "PIP022"),
    Mistake(0, "seed-swap", DEPLOY, "when:", "when:", "PIP032", more={SINGLE: "steps: []\n"}),
    Mistake(0, "seed-swap", DEPLOY, "when:", "when:", "PIP032", more={".woodpecker/more/lint.yml": "steps: []\n"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def goldens(pristine: Monorepo) -> dict[str, tuple[dict[str, str], dict[str, bytes], Context]]:
    """For each case its files, its stack's files, and what is expected of them."""
    found = {}
    for case in {mistake.case for mistake in MISTAKES}:
        sensed = sense(pristine)
        values = decisions.combine({**answers(case), "sensed": sensed})
        files = {path: data.decode() for path, data in files_of(GOLDEN / case / "repository").items()}
        rendered = render(answers(case), sensed, {}, ORIGIN).files
        stack = {str(path): data for path, data in rendered.items() if isinstance(data, bytes)}
        found[case] = files, stack, Context(values["facts"], Expected.of(values))
    return found


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.number}-{m.code}")
def test_the_mistake_is_found(
    mistake: Mistake, goldens: dict[str, tuple[dict[str, str], dict[str, bytes], Context]]
) -> None:
    files, stack, context = goldens[mistake.case]
    files, stack = {**files, **mistake.more}, dict(stack)
    text = stack[mistake.path].decode() if mistake.stack else files[mistake.path]
    assert mistake.old in text
    changed = text.replace(mistake.old, mistake.new, 1)
    if mistake.stack:
        stack[mistake.path] = changed.encode()
    else:
        files[mistake.path] = changed
    found = check(Repository.of(files), Context(context.facts, context.expected, read_stack(stack)))
    assert mistake.code in {finding.code for finding in found}
    place = next(finding for finding in found if finding.code == mistake.code)
    assert place.path in {mistake.path, *mistake.more, SINGLE}
    assert place.message.endswith(".")
