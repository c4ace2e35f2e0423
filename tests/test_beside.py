"""Files that people keep in a stack beside the rendered ones."""

from __future__ import annotations

import shutil

import pytest

from scaffold.answers import from_yaml
from scaffold.commands.new_service import prepare
from scaffold.errors import RefusedError, VerificationError
from scaffold.monorepo import STACKS, Monorepo
from scaffold.verify import Level

ANSWERS = b"""\
name: bird-box
description: A camera in a bird box
image: docker.io/library/nginx:1.29.0
port: 80
env_from: [{config_map: bird-box-own}]
"""
OWN = """\
resource "kubernetes_config_map" "own" {
  metadata {
    name      = "bird-box-own"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  data = {
    NEST = "1"
  }
}
"""


def put(monorepo: Monorepo, file: str, text: str) -> None:
    directory = monorepo.root / STACKS / "bird-box"
    directory.mkdir(exist_ok=True)
    (directory / file).write_text(text)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_they_are_planned_with_the_stack(monorepo: Monorepo) -> None:
    put(monorepo, "own.tf", OWN)
    prepared = prepare(
        monorepo, from_yaml(ANSWERS, "a.yml"), level=Level.PLAN, template_source="https://x.test/t.git"
    )
    assert prepared.verified.plan is not None
    assert "kubernetes_config_map.own" in {r.address for r in prepared.verified.plan.resources}
    assert not any(str(change.path).endswith("own.tf") for change in prepared.change.changes)


def test_they_are_checked_with_the_stack(monorepo: Monorepo) -> None:
    put(monorepo, "own.tf", OWN.replace("bird_box", "bird_bath"))
    with pytest.raises(VerificationError) as refused:
        prepare(
            monorepo, from_yaml(ANSWERS, "a.yml"), level=Level.STATIC, template_source="https://x.test/t.git"
        )
    assert any(finding.path == "stacks/bird-box/own.tf" for finding in refused.value.findings)


def test_a_stack_that_is_there_is_not_taken_over(monorepo: Monorepo) -> None:
    put(monorepo, "own.tf", OWN)
    put(monorepo, "main.tf", "")
    with pytest.raises(RefusedError):
        prepare(
            monorepo, from_yaml(ANSWERS, "a.yml"), level=Level.STATIC, template_source="https://x.test/t.git"
        )
