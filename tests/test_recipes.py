"""Each recipe of CONTRIBUTING, carried out in a copy of the checkout: the places that it names are enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest
import yaml
from support import ORIGIN

from scaffold.monorepo.repository import Monorepo
from scaffold.templates.render import render

ROOT = Path(__file__).parent.parent
COPIED = (
    "copier.yml",
    "pyproject.toml",
    "requirements",
    "scaffold",
    "templates",
    "tests",
    "docs",
    "benchmarks",
)
WRITTEN = (
    "templates/decisions/rows/*.jinja", "templates/questions/*.jinja", "docs/*.md",
    "tests/answers/invalid/*.txt", "tests/answers/rows.txt", "tests/golden/*/stack", "tests/golden_service/*/repository",
)  # fmt: skip
"""What `python3 dev generate` and `--update-golden` write."""
REFUSED = 3
BUILD = """\
  github-quay:
    owned: true
    registry: quay.example.test/apps
    pull_secret: ""
    moved_by: ci
    image_tag: true
    model: github
    forge: github
    owner: apps
    files: {.github/workflows/build.yml: github/quay.yml}
    deploy_on: [manual]
    notify: [failure]
    secrets: [QUAY_TOKEN]
    cluster_secrets: []
    rollout:
      files: {.woodpecker/deploy.yml: woodpecker/deploy.yml}
      secrets: [WOODPECKER_TOKEN]
      cluster_secrets: [slack_webhook]
"""
WORKFLOW = """\
{% from 'templates/partials/service/github/jobs.jinja' import head, triggers, build, deploy with context %}
{{ head() }}
{{ triggers() }}
permissions:
  contents: read

jobs:
{{ build('quay.example.test', 'github.actor', 'secrets.QUAY_TOKEN') -}}
{% if pipeline.rollout.value %}

{{ deploy() -}}
{% endif %}
"""
DOCKERFILE = """\
{% from 'templates/partials/service/dockerfile/parts.jinja' import healthcheck, user with context %}
FROM {{ facts.base_images.nginx }}
COPY site /usr/share/nginx/html
{{ user() -}}
EXPOSE {{ port }}
{{ healthcheck('wget') -}}
"""
RULE = '''\
"""What the recipe adds."""

from __future__ import annotations

from collections.abc import Iterator

{imports}
from scaffold.errors import Finding


class Added({base}):
    """An example breaks the rule."""

    code = "{code}"
    why = "The recipe has to hold."{examples}

    def {method} -> Iterator[Finding]:
        """What breaks the rule."""
{body}
'''
INDEX = '''\
"""The hosts of the house, as a status page lists them."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.indexes.base import Index, Item
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.json_text import Json
from scaffold.indexes.upgrade_config import object_at


def _hosts(entry: ServiceEntry) -> Iterator[Item[tuple[str, Json]]]:
    return (Item(host.label, (host.label, entry.name)) for host in entry.hosts)


HOSTS = Index("status-hosts", {"": object_at("hosts")}, _hosts)
'''


def recipe(title: str) -> str:
    """The text of one recipe."""
    (found,) = [
        part
        for part in (ROOT / "CONTRIBUTING.md").read_text().split("\n\n")
        if part.startswith(f"**{title}.**")
    ]
    return found


def fits(path: str, place: str) -> bool:
    return fnmatchcase(path, place) or fnmatchcase(path, f"{place}/*")


@dataclass
class Checkout:
    """A copy of the checkout in which one recipe is done; it remembers what was written by hand."""

    root: Path
    by_hand: set[str] = field(default_factory=set)

    def add(self, path: str, text: str) -> None:
        assert not (self.root / path).exists()
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        self.by_hand.add(path)

    def change(self, path: str, before: str, after: str) -> None:
        text = (self.root / path).read_text()
        assert text.count(before) == 1, f"{before!r} is not once in {path}"
        (self.root / path).write_text(text.replace(before, after))
        self.by_hand.add(path)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def python(self, *command: str | Path, code: int = 0) -> str:
        """Run a module of the copy. Returns what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=self.root, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(self.root)},
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def pytest(self, *arguments: str) -> None:
        """Run tests of the copy: at least one, and all pass."""
        # Nothing of its own among the directories of other runs, which pytest would clear away.
        options = [
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            f"--basetemp={self.root.parent}/temporary",
        ]
        told = self.python("pytest", *options, *arguments)
        assert re.search(r"\d+ passed", told) and "left out: nothing" in told, told

    def follows(self, title: str) -> None:
        """Only what the recipe names was written by hand, and nothing but what commands write changed."""
        places = [
            re.sub("<[^>]*>", "*", place) for place in re.findall(r"`([\w.<>*-]+/[^` ]*)`", recipe(title))
        ]
        assert [path for path in self.by_hand if not any(fits(path, place) for place in places)] == []
        others = changed(self.root) - self.by_hand
        assert [path for path in others if not any(fits(path, place) for place in WRITTEN)] == []


def changed(root: Path) -> set[str]:
    """The paths of the copy that are not as in the checkout."""
    return {path for path in (*files(root), *files(ROOT)) if content(root / path) != content(ROOT / path)}


def files(root: Path) -> Iterator[str]:
    for part in COPIED:
        for path in (root / part).rglob("*") if (root / part).is_dir() else [root / part]:
            if not path.is_dir() and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix()


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    root.mkdir()
    for part in map(ROOT.joinpath, COPIED):
        # Compiled modules too: they hold for a copy, whose files keep their times.
        if part.is_dir():
            shutil.copytree(part, root / part.name, symlinks=True)
        else:
            shutil.copy2(part, root)
    return Checkout(root)


@pytest.mark.slow("a generation and a run of the tests")
def test_a_question(checkout: Checkout, pristine: Monorepo) -> None:
    checkout.change(
        "templates/questions/workload.yml", "\ncpu:\n",
        '\nmotto:\n  type: str\n  help: What it stands for.\n  default: ""\n\ncpu:\n',
    )  # fmt: skip
    checkout.change(
        "templates/questions/types.yml", "\n    gpu:",
        "\n    motto: {type: string, pattern: '^[A-Za-z ]*$', allowed: letters, fix: Use letters.}\n    gpu:",
    )  # fmt: skip
    checkout.change("templates/questions/examples.yml", "\ngpu: 1\n", "\nmotto: Bees first\ngpu: 1\n")
    checkout.change(
        "templates/partials/stack/variables.jinja", "{{ description }}\n",
        "{{ description }}{{ ', ' ~ motto if motto }}\n",
    )  # fmt: skip
    checkout.python("scaffold.generate")
    assert "## `motto`" in checkout.read("docs/answers.md")
    answers = "tests/answers/valid/ip-echo.yml"
    told = dry_run(checkout, pristine, answers, "motto=Bees first")
    assert "# IP Echo: Tells visitors their address, Bees first" in told
    assert "Use letters." in dry_run(checkout, pristine, answers, "motto=1", code=REFUSED)
    case = "tests/test_golden.py::test_golden[ip-echo]"
    checkout.pytest(case, "--update-golden")
    assert "'motto': ''," in checkout.read("templates/questions/usual_answers.jinja")
    assert "motto" not in checkout.read("tests/golden/ip-echo/stack/.copier-answers.yml"), "nobody gave it"
    checkout.pytest(case, "tests/test_docs.py::test_every_text_number_and_structure_has_a_type_of_its_name",
                    "tests/test_copier.py::test_the_verdict_of_the_macro_is_that_of_jsonschema[motto]")  # fmt: skip
    checkout.follows("A question")


READ = """\
import pathlib
from pathlib import PurePosixPath as Path
from scaffold.commands.stored import record_of
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.render import render
from scaffold.templates.template import Origin

record = record_of(Monorepo(pathlib.Path(".")), "kit")
print(sorted(record.given.values))
print(render(record.given.values, {}, record.recorded, Origin("https://x.test/t.git", "v1", True)).files[Path("main.tf")].decode())
"""


@pytest.mark.slow("a generation")
def test_a_question_that_is_renamed_keeps_what_was_recorded(checkout: Checkout) -> None:
    """The startup probe that an old answer asked for is still there, and the old name is recorded no more."""
    for path in ("templates/questions/types.yml", "templates/decisions/tables/workload.yml"):
        text = checkout.read(path)
        assert "slow_start" in text
        (checkout.root / path).write_text(text.replace("slow_start", "long_start"))
    checkout.change(
        "templates/questions/workload.yml", "\nslow_start:\n  type: bool\n",
        "\nlong_start:\n  type: bool\n  x-was: slow_start\n",
    )  # fmt: skip
    question = checkout.read("templates/questions/workload.yml").partition("\nlong_start:\n")[2]
    (declared, _, _) = question.partition("\n\n")
    read = declared.replace("default: false", 'default: "{{ slow_start | default(false) }}"')
    assert read != declared
    checkout.change("templates/questions/workload.yml", declared, read)
    checkout.python("scaffold.generate")
    stack = checkout.root / "stacks/kit"
    stack.mkdir(parents=True)
    (checkout.root / "root.hcl").write_text("")
    (checkout.root / "tests/read_kit.py").write_text(READ)
    answers = {"name": "kit", "description": "A kit", "image": "docker.io/library/nginx:1.29.0", "port": 80}
    for said in ({"slow_start": True}, {}):
        (stack / ".copier-answers.yml").write_text(yaml.safe_dump({**answers, **said}))
        given, _, main = checkout.python("tests.read_kit").partition("\n")
        assert ("long_start" in given) is bool(said)
        assert "slow_start" not in given
        rendered = render({**answers, **said}, {}, {}, ORIGIN).files[PurePosixPath("main.tf")]
        assert isinstance(rendered, bytes)
        assert main.strip() == rendered.decode().strip()


@pytest.mark.slow("every row is looked for in every example")
def test_a_decision(checkout: Checkout) -> None:
    checkout.change(
        "templates/decisions/tables/workload.yml", "liveness:\n  rule: Workload rules\n  first:\n",
        "liveness:\n  rule: Workload rules\n  first:\n    - when: health_path == '/counters'\n      value: tcp\n"
        "      reason: whoever counts is not asked for a page\n",
    )  # fmt: skip
    example = "tests/answers/rows/counter.yml"
    checkout.add(
        example,
        "name: counter\ndescription: Counts\nimage: docker.io/library/nginx:1.29.0\nport: 9090\nhealth_path: /counters\n",
    )
    checkout.python("scaffold.generate")
    told = checkout.python("scaffold", "explain", "--answers", example, "--json")
    assert "whoever counts is not asked for a page" in told
    checkout.pytest("tests/test_rows.py::test_every_row_has_an_example", "--update-golden")
    assert "tcp: whoever counts is not asked for a page" in checkout.read("tests/answers/rows.txt")
    checkout.follows("A decision")


@pytest.mark.slow("a generation and a run of the command")
def test_a_known_image(checkout: Checkout, pristine: Monorepo) -> None:
    checkout.change(
        "templates/decisions/images.yml", "\nimages:\n",
        "\nimages:\n  - {images: [docker.io/acme/anvil], name: anvil, title: Anvil, port: 4711, path: /srv, embedded_database: sqlite,\n"
        '     source: "https://example.test/anvil"}\n',
    )  # fmt: skip
    checkout.python("scaffold.generate")
    settings = ("image=docker.io/acme/anvil:1.2.3", "volumes=[{path: /srv}]")
    given = [
        part for setting in ("name=forge", "description=A forge", *settings) for part in ("--set", setting)
    ]
    told = checkout.python("scaffold", "explain", *given, "--json")
    assert "as is known of docker.io/acme/anvil (https://example.test/anvil)" in told
    assert "sqlite" in told
    checkout.follows("A known image")


@pytest.mark.slow("a generation and a run of the tests")
def test_a_refusal(checkout: Checkout, pristine: Monorepo) -> None:
    checkout.change(
        "templates/decisions/tables/refusals.yml", "    - code: answers.dns\n",
        "    - code: answers.lair\n      when: name == 'lair' and gate == 'none'\n      answer: gate\n"
        "      message: leaves the lair open.\n      fix: Put a gate in front of it.\n    - code: answers.dns\n",
    )  # fmt: skip
    wrong = "tests/answers/invalid/open-lair"
    checkout.add(
        f"{wrong}.yml",
        "name: lair\ndescription: A lair\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"
        "gate: none\ngate_reason: nobody finds it\n",
    )
    checkout.python("scaffold.generate")
    assert "leaves the lair open" in dry_run(checkout, pristine, f"{wrong}.yml", code=REFUSED)
    messages = "tests/test_invalid.py::test_refused_with_all_that_is_wrong[open-lair]"
    checkout.pytest(messages, "--update-golden")
    assert "[answers.lair]" in checkout.read(f"{wrong}.txt")
    checkout.pytest(messages)
    checkout.follows("A combination of answers that must be refused")


def test_a_house_rule(checkout: Checkout) -> None:
    checkout.add(
        "scaffold/checks/added.py",
        RULE.format(
            code="HCL099",
            imports="from scaffold.checks.rule import Rule\nfrom scaffold.checks.stack import CheckContext, ParsedStack\n"
            "from scaffold.hcl.source import at",
            base="Rule",
            examples="\n    bad = 'locals {\\n  x = 1\\n}\\n'\n    good = 'locals {\\n  y = 1\\n}\\n'",
            method="check_stack(self, stack: ParsedStack, context: CheckContext)",
            body="        for document in stack.documents.values():\n"
            "            for block in document.body.blocks:\n"
            "                if attribute := block.body.attributes.get('x'):\n"
            "                    yield at(attribute, self.code, 'no name')",
        ),
    )
    checkout.pytest("tests/checks/test_rules.py", "-k", "HCL099 or codes or package")
    checkout.follows("A house rule")


def test_a_rule_over_planned_resources(checkout: Checkout) -> None:
    checkout.add(
        "scaffold/checks/planned_added.py",
        RULE.format(
            code="POD099",
            imports="from scaffold.checks.planned import Plan, PlannedRule",
            base="PlannedRule",
            examples="",
            method="check_plan(self, plan: Plan)",
            body="        for pods in plan.of_kind('deployment'):\n"
            "            if pods.get('spec', 0, 'paused') is True:\n"
            "                yield self.about(pods, 'it is paused', 'let it run')",
        ),
    )
    checkout.change(
        "tests/terraform/test_planned_rules.py", "    (\"SEC002\", \"sealed\", lambda: plan((\"sealed\", (\"manifest\", \"kind\"",
        "    (\"POD099\", \"deployment\", lambda: plan((\"deployment\", (\"spec\", 0, \"paused\"), True)), \"paused\"),\n"
        "    (\"SEC002\", \"sealed\", lambda: plan((\"sealed\", (\"manifest\", \"kind\"",
    )  # fmt: skip
    checkout.pytest("tests/terraform/test_planned_rules.py", "-k", "POD099 or a_good_plan or every_rule")
    checkout.follows("A rule over planned resources")


@pytest.mark.slow("a generation and a run of the tests")
def test_a_pipeline_rule(checkout: Checkout) -> None:
    checkout.add(
        "scaffold/pipelines/added.py",
        RULE.format(
            code="PIP099",
            imports="from scaffold.checks.rule import Rule\nfrom scaffold.pipelines.common import BOTH, FILE, all_steps\n"
            "from scaffold.pipelines.context import Context\n"
            "from scaffold.pipelines.repository import Repository",
            base="Rule",
            examples="\n    bad = {FILE: BOTH.replace('name: deploy', 'name: yolo')}\n    good = {FILE: BOTH}",
            method="check_pipeline(self, repository: Repository, context: Context)",
            body="        for step in all_steps(repository):\n            if step.name == 'yolo':\n"
            "                yield self.at(step.place('name'), 'no name')",
        ),
    )
    checkout.python("scaffold.generate")
    assert "PIP099" in checkout.read("docs/rules.md")
    checkout.pytest("tests/pipelines/test_pipeline_rules.py", "-k", "PIP099 or codes")
    checkout.follows("A pipeline rule")


@pytest.mark.slow("a generation and a run of the tests")
def test_an_index(checkout: Checkout, tmp_path: Path) -> None:
    checkout.add("scaffold/indexes/status.py", INDEX)
    checkout.change(
        "templates/decisions/house.yml", "\nlists:\n", "\nlists:\n  status-hosts: docs/status.json\n"
    )
    checkout.add(
        "scaffold/demo/monorepo/docs/status.json", '{\n  "hosts": {\n    "plants": "seed-log"\n  }\n}\n'
    )
    checkout.change(
        "tests/indexes/test_index_inserts.py", "EXPECTED = {\n",
        "EXPECTED = {\n    \"status-hosts\": [\n        (\n            '\"plants\": \"seed-log\"\\n',\n"
        "            '\"plants\": \"seed-log\",\\n    \"bees\": \"bee-log\",\\n    \"bee-hooks\": \"bee-log\"\\n',\n        ),\n    ],\n",
    )  # fmt: skip
    checkout.python("scaffold.generate")
    checkout.python("scaffold", "demo", tmp_path / "monorepo")
    told = checkout.python("scaffold", "index", "--monorepo", tmp_path / "monorepo")
    assert re.search("^status-hosts +1 +docs/status.json$", told, re.M), told
    checkout.pytest("tests/indexes", "-k", "status-hosts or test_index_edits")
    checkout.follows("An index")


@pytest.mark.slow("a generation and a run of the tests")
def test_a_build_mode(checkout: Checkout, pristine: Monorepo) -> None:
    checkout.change("templates/decisions/house.yml", "  github-ghcr:\n", f"{BUILD}  github-ghcr:\n")
    checkout.add("templates/partials/service/github/quay.yml.jinja", WORKFLOW)
    checkout.change(
        "templates/questions/core.yml", '    "github-ghcr · ',
        '    "github-quay · own image, built by GitHub Actions for Quay": github-quay\n    "github-ghcr · ',
    )  # fmt: skip
    answers = "tests/golden_service/quay-app/answers.yml"
    checkout.add(
        answers,
        "name: quay-app\nbuild: github-quay\ndescription: An app\nport: 8080\nhost: quays\n"
        "repository: robin/quay-app\nimage: quay.example.test/apps/quay-app\n",
    )
    checkout.python("scaffold.generate")
    told = dry_run(checkout, pristine, answers, "woodpecker_id=7")
    assert "quay.example.test/apps/quay-app:${var.image_tag}" in told
    assert "Migrated to GHA** (3): weather-station, compost-cam, quay-app" in told
    checked(checkout, "quay-app")
    workflow = "tests/golden_service/quay-app/repository/.github/workflows/build.yml"
    assert "secrets.QUAY_TOKEN" in checkout.read(workflow)
    checkout.follows("A build mode")


@pytest.mark.slow("a generation and a run of the tests")
def test_a_kind_of_app(checkout: Checkout) -> None:
    checkout.change(
        "templates/questions/pipeline.yml", '    "go · ',
        '    "site · files in site/, served by nginx": site\n    "go · ',
    )  # fmt: skip
    checkout.add("templates/partials/service/dockerfile/site.jinja", DOCKERFILE)
    checkout.add(
        "tests/golden_service/site-app/answers.yml",
        "name: site-app\nbuild: forgejo-woodpecker\ndescription: A site\nport: 8080\napp_kind: site\n",
    )
    checkout.add("benchmarks/apps/site-app/site/index.html", "<h1>A site</h1>\n")
    checkout.python("scaffold.generate")
    checked(checkout, "site-app")
    assert "COPY site" in checkout.read("tests/golden_service/site-app/repository/Dockerfile")
    checkout.follows("A kind of app")


def dry_run(checkout: Checkout, monorepo: Monorepo, answers: str, *settings: str, code: int = 0) -> str:
    """What the copy would write for a new Service, or what it refuses."""
    given = [part for setting in settings for part in ("--set", setting)]
    command = ["new-service", "--monorepo", str(monorepo.root), "--answers", answers, *given]
    origin = ["--template-source", "https://git.example.test/scaffold.git"]
    return checkout.python("scaffold", *command, *origin, "--verify", "static", "--dry-run", code=code)


def checked(checkout: Checkout, case: str) -> None:
    """Write the golden repository of a case, and ask of it what is asked of every one."""
    golden = "tests/pipelines/test_pipeline_golden.py"
    checkout.pytest(f"{golden}::test_golden_repository[{case}]", "--update-golden")
    checkout.pytest(golden, "-k", f"({case} and not actionlint) or each_mode_and_each_kind")
