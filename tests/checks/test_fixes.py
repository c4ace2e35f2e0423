"""What `check --fix` edits: each rule's own mistake, exactly, once, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scaffold.checks.rule import Kind, Rule
from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.commands.check import Selection, all_rules, check
from scaffold.commands.fix import plan_fix, with_fix
from scaffold.errors import Finding
from scaffold.hcl.syntax import parse
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions

MAIN = "stacks/example/main.tf"
MENDING = [rule for rule in all_rules() if rule.fixes]

CLAIM = """\
resource "kubernetes_persistent_volume_claim" "data" {
  wait_until_bound = false
  metadata {
    name      = "example-data-proxmox"
    namespace = kubernetes_namespace.example.metadata[0].name
    annotations = {
      "resize.topolvm.io/storage_limit" = "4Gi"
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm"
    resources {
      requests = { storage = "1Gi" }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].resources[0].requests]
  }
}
"""
JOB = """\
resource "kubernetes_cron_job_v1" "tidy" {
  metadata {
    name      = "tidy"
    namespace = kubernetes_namespace.example.metadata[0].name
  }
  spec {
    schedule           = "*/30 * * * *"
    concurrency_policy = "Forbid"
    job_template {
      metadata {}
      spec {
        active_deadline_seconds = 1500
        template {
          metadata {}
          spec {
            # container { image = "busybox" } was here before.
            container {
              name    = "tidy"
              image   = "docker.io/library/busybox:${local.tag}" # pinned
              command = ["true"]
              resources {
                requests = { cpu = "10m", memory = "32Mi" }
                limits   = { memory = "32Mi" }
              }
            }
          }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}
"""
INGRESSES = """\
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "example"
  namespace       = kubernetes_namespace.example.metadata[0].name
  tls_secret_name = "tls"
  auth            = "required"
}

module "ingress_files" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "example-files"
  service_name     = "example"
  host             = "example"
  ingress_path     = ["/files"]
  namespace        = kubernetes_namespace.example.metadata[0].name
  tls_secret_name  = "tls"
  auth             = "required"
  homepage_enabled = false
}
"""
WITHOUT = {
    "JOB001": (JOB, "        active_deadline_seconds = 1500\n", ""),
    "POD005": (JOB, '"docker.io/library/busybox', '"busybox'),
    "STO003": (CLAIM, "  wait_until_bound = false\n", ""),
    "STO004": (CLAIM, '"10%"\n      "resize.topolvm.io/increase"      = "100%"', '"80%"'),
    "ING006": (INGRESSES, "  homepage_enabled = false\n", ""),
}
"""What a rule over planned resources mends: the file as it is afterwards, and what stands there before."""

SETTINGS = {"stacks/example/terragrunt.hcl": b'include "root" {\n  path = find_in_parent_folders()\n}\n'}
OTHERS = """\
locals {
  tag = "1.37"
}

resource "kubernetes_namespace" "example" {
  metadata {
    name   = "%s"
    labels = { tier = local.tiers.aux }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

"""


def pair(rule: Rule) -> tuple[str, str]:
    """A file that breaks a rule, and the same file mended."""
    if rule.kind is Kind.STACK:
        assert isinstance(rule.bad, str)
        assert isinstance(rule.good, str)
        return rule.bad, rule.good
    good, there, before = WITHOUT[rule.code]
    assert good.count(there) == 1
    bad = good.replace(there, before)
    if rule.code == "ING006":  # the others were lined up with it
        bad = bad[: bad.index("module", 1)] + bad[bad.index("module", 1) :].replace(" =", "=").replace(
            "=", " ="
        )
    return bad, good


def found(text: str, surroundings: CheckContext) -> list[Finding]:
    stack = parse_stack("stacks/example", {MAIN: text.encode(), **SETTINGS})
    assert not isinstance(stack, list)
    return run(stack, surroundings)


def mend(rule: Rule, text: str, surroundings: CheckContext) -> str:
    """The file after the rule's edits of the blocks that break it; of planned resources that is the last one."""
    lines = [f.line for f in found(text, surroundings) if f.code == rule.code]
    document = parse(text.encode(), MAIN)
    for line in reversed(lines if rule.kind is Kind.STACK else [document.body.blocks[-1].line]):
        assert line is not None
        document = parse(with_fix(document, line, rule, decisions.house()), MAIN)
    return document.source.text()


def test_all_rules_that_mend_are_tried() -> None:
    assert {rule.code for rule in MENDING if rule.kind is Kind.PLAN} == set(WITHOUT)
    assert {rule.kind for rule in MENDING} == {Kind.PLAN, Kind.STACK}


@pytest.mark.parametrize("rule", MENDING, ids=lambda rule: rule.code)
def test_a_mistake_is_mended_once_and_a_good_file_stays(rule: Rule, surroundings: CheckContext) -> None:
    bad, good = pair(rule)
    once = mend(rule, bad, surroundings)
    assert once != bad
    assert mend(rule, once, surroundings) == once
    assert mend(rule, good, surroundings) == good
    assert set(once.split()) <= {*good.split(), *bad.split()}, "nothing is written that the good one has not"


@pytest.mark.parametrize("rule", [r for r in MENDING if r.kind is Kind.STACK], ids=lambda rule: rule.code)
def test_what_is_mended_breaks_no_rule_over_syntax(rule: Rule, surroundings: CheckContext) -> None:
    bad, _ = pair(rule)
    assert {finding.code for finding in found(bad, surroundings)} == {rule.code}
    assert found(mend(rule, bad, surroundings), surroundings) == []


@pytest.mark.parametrize("code", ["LIF001", "LIF004", "JOB001", "POD005", "STO003", "ING006"])
def test_the_edit_is_what_a_person_would_write(code: str, surroundings: CheckContext) -> None:
    (rule,) = (rule for rule in MENDING if rule.code == code)
    bad, good = pair(rule)
    assert mend(rule, bad, surroundings) == good


@pytest.mark.slow("plans a stack for each rule, before and after")
def test_what_is_mended_is_no_longer_planned_and_nothing_else_is_found(monorepo: Monorepo) -> None:
    rules = {rule.code: rule for rule in MENDING if rule.kind is Kind.PLAN}
    names = {code: f"bed-{code.lower()}" for code in rules}
    for code, rule in rules.items():
        directory = monorepo.stack_directory(names[code])
        directory.mkdir()
        (directory / "main.tf").write_text(OTHERS % names[code] + pair(rule)[0])
        (directory / "terragrunt.hcl").write_text('include "root" {\n  path = find_in_parent_folders()\n}\n')
    stacks = sorted(names.values())

    def codes() -> dict[str, set[str]]:
        told = check(Monorepo(monorepo.root), stacks, Selection()).findings
        return {name: {f.code for f in told if f"/{name}/" in f.path} for name in stacks}

    before = codes()
    here = Monorepo(monorepo.root)
    fixed = plan_fix(here, check(here, stacks, Selection()))
    for change in fixed.change.changes:
        assert isinstance(change.after, bytes)
        (monorepo.root / change.path).write_bytes(change.after)
    after = codes()
    for code, name in names.items():
        assert code in before[name]
        assert after[name] == before[name] - {code}


LIST = """\
resource "kubernetes_deployment" "a" {
  spec {
    template {
      spec {}
    }
  }
  lifecycle {
%s
  }
}
"""
DNS = "spec[0].template[0].spec[0].dns_config"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    # none", f"    ignore_changes = [{DNS}] # KYVERNO_LIFECYCLE_V1\n    # none"),
        (
            "    ignore_changes = [spec[0].replicas]",
            f"    ignore_changes = [spec[0].replicas, {DNS}] # KYVERNO_LIFECYCLE_V1",
        ),
        (
            "    ignore_changes = [\n      spec[0].replicas, # by hand\n    ]",
            f"    ignore_changes = [\n      spec[0].replicas,                       # by hand\n      {DNS}, # KYVERNO_LIFECYCLE_V1\n    ]",
        ),
        (
            "    ignore_changes = [\n      spec[0].replicas\n    ]",
            f"    ignore_changes = [\n      spec[0].replicas,\n      {DNS} # KYVERNO_LIFECYCLE_V1\n    ]",
        ),
        (
            f"    ignore_changes = [{DNS}] # see the wiki",
            f"    # KYVERNO_LIFECYCLE_V1\n    ignore_changes = [{DNS}] # see the wiki",
        ),
        (f"    # KYVERNO_LIFECYCLE_V1: the webhook\n    ignore_changes = [{DNS}]", None),
        (f"    ignore_changes = [{DNS}[0].option] # KYVERNO_LIFECYCLE_V1", ...),
        ("    ignore_changes = [spec[0].template] # KYVERNO_LIFECYCLE_V1", None),
        ("    ignore_changes = all # KYVERNO_LIFECYCLE_V1", None),
        ("    ignore_changes = [spec.0.template.0.spec.0.dns_config] # KYVERNO_LIFECYCLE_V1", None),
    ],
)
def test_a_path_is_added_to_the_list_as_it_is_written(
    before: str, after: object, surroundings: CheckContext
) -> None:
    (rule,) = (rule for rule in MENDING if rule.code == "LIF003")
    result = mend(rule, LIST % before, surroundings)
    if after is ...:
        assert f", {DNS}]" in result
    else:
        assert result == LIST % (before if after is None else str(after).rstrip("\n"))


KEEL = [rule for rule in MENDING if rule.code == "LIF002"]


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        ('"keel.sh/enrolled" = "true"', '"keel.sh/enrolled" = "false"', False),
        ("kubernetes_namespace.journal.metadata[0].name", '"journal"', True),
        ('labels = {\n      "keel.sh/enrolled" = "true"\n    }', "labels = local.marks", True),
        ('labels = {\n      "keel.sh/enrolled" = "true"\n    }', "labels = merge(local.marks, local.none)", True),
        ('labels = {\n      "keel.sh/enrolled" = "true"\n    }', 'labels = merge(local.marks, { "keel.sh/enrolled" = "no" })', False),
        ("kubernetes_namespace.journal.metadata[0].name", "local.place", False),
        ("kubernetes_namespace.journal.metadata[0].name\n", 'kubernetes_namespace.journal.metadata[0].name\n    labels = merge(local.labels, { "keel.sh/policy" = "never" }, {})\n', False),
        ("kubernetes_namespace.journal.metadata[0].name\n", 'kubernetes_namespace.journal.metadata[0].name\n    annotations = { "keel.sh/policy" = "never" }\n', False),
    ],
)  # fmt: skip
def test_only_what_keel_moves_has_the_block(
    old: str, new: str, breaks: bool, surroundings: CheckContext
) -> None:
    (rule,) = KEEL
    assert isinstance(rule.bad, str)
    text = rule.bad.replace(old, new)
    assert text != rule.bad
    text += 'locals {\n  marks = { tier = local.tiers.aux, "keel.sh/enrolled" = "true" }\n  none  = {}\n}\n'
    codes = {finding.code for finding in found(text, surroundings)}
    assert (rule.code in codes) is breaks


@pytest.mark.parametrize("on", ["true", "false"])
def test_a_namespace_of_another_stack_counts(monorepo: Monorepo, on: str) -> None:
    (rule,) = KEEL
    assert isinstance(rule.bad, str)
    start = rule.bad.index('resource "kubernetes_deployment"')
    other = monorepo.stack_directory("journals") / "main.tf"
    other.parent.mkdir()
    other.write_text(rule.bad[:start].replace('"true"', f'"{on}"'))
    text = rule.bad[start:].replace("kubernetes_namespace.journal.metadata[0].name", '"journal"')
    codes = [finding.code for finding in found(text, CheckContext.of(Monorepo(monorepo.root)))]
    assert codes == ([rule.code] if on == "true" else [])


def test_the_load_balancer_is_marked_where_any_stack_marks_it(monorepo: Monorepo) -> None:
    (rule,) = (rule for rule in MENDING if rule.code == "LIF005")
    assert isinstance(rule.bad, str)
    marked = rule.bad.index('resource "kubernetes_service" "mail"')
    text = rule.bad[marked:]
    assert found(text, CheckContext.of(Monorepo(monorepo.root))) == []
    (monorepo.stack_directory("journal") / "marked.tf").write_text("# METALLB_LIFECYCLE_V1\n")
    assert [finding.code for finding in found(text, CheckContext.of(Monorepo(monorepo.root)))] == ["LIF005"]


def test_each_container_counts_and_what_the_stack_sets_is_its_own(surroundings: CheckContext) -> None:
    (rule,) = KEEL
    assert isinstance(rule.good, str)
    second = '        container {\n          name  = "b"\n          image = "docker.io/example/b:1.0.0"\n        }\n'
    init = second.replace("container", "init_container").replace("/b:1.0.0", "/journal:1.2.3")
    text = rule.good.replace("      spec {\n", "      spec {\n" + init).replace(
        "        }\n      }\n", "        }\n" + second + "      }\n"
    )
    (finding,) = found(text, surroundings)
    pod = "spec[0].template[0].spec[0]"
    assert str(finding.fix).endswith(f": {pod}.container[1].image, {pod}.init_container[0].image")
    assert found(mend(rule, text, surroundings), surroundings) == []
    own = text.replace(
        "metadata[0].name\n", 'metadata[0].name\n    annotations = { "keel.sh/policy" = "minor" }\n'
    ).replace('      metadata[0].annotations["keel.sh/policy"],\n', "")
    assert "keel.sh/policy" not in "".join(str(f.fix) for f in found(own, surroundings))


@pytest.mark.parametrize(
    ("image", "moves"),
    [
        ('"docker.io/example/journal:v1.0.35.0"', False),
        ('"docker.io/example/journal:latest"', False),
        ('"docker.io/example/journal@sha256:0a"', False),
        ("local.image", False),
        ('"docker.io/example/journal:v1.0.35"', True),
        ('"docker.io/example/journal:${local.tag}"', True),
        ('"forgejo.viktorbarzin.me/viktor/journal:latest"', True),
    ],
)
def test_an_image_that_nobody_moves_is_not_ignored(
    image: str, moves: bool, surroundings: CheckContext
) -> None:
    (rule,) = KEEL
    assert isinstance(rule.bad, str)
    text = 'locals {\n  image = "docker.io/example/journal:1-2"\n  tag   = sum([1])\n}\n' + rule.bad.replace(
        '"docker.io/example/journal:1.2.3"', image
    )
    assert [f.code for f in found(text, surroundings)] == ([rule.code] if moves else [])
    forced = text.replace(
        "metadata[0].name\n", 'metadata[0].name\n    annotations = { "keel.sh/policy" = "force" }\n'
    )
    assert [f.code for f in found(forced, surroundings)] == [rule.code], "it has a policy of its own"


def test_only_a_deployment_has_revisions(surroundings: CheckContext) -> None:
    (rule,) = KEEL
    assert isinstance(rule.good, str)
    text = rule.good.replace('      metadata[0].annotations["deployment.kubernetes.io/revision"],\n', "")
    assert [f.code for f in found(text, surroundings)] == [rule.code]
    assert found(text.replace("kubernetes_deployment", "kubernetes_daemon_set_v1"), surroundings) == []


def test_a_path_that_is_added_says_who_writes_it_and_leaves_the_finding_what_it_was(
    surroundings: CheckContext,
) -> None:
    (rule,) = KEEL
    assert isinstance(rule.good, str)
    revision, match = '"deployment.kubernetes.io/revision"', '"keel.sh/match-tag"'
    lines = [f"      metadata[0].annotations[{name}],\n" for name in (revision, match)]
    one = rule.good.replace(lines[0], "")
    both = one.replace(lines[1], "")
    messages = [[f.message for f in found(text, surroundings)] for text in (one, both)]
    assert (
        messages[0]
        == messages[1]
        == ["kubernetes_deployment.journal does not ignore all of what Keel and its policy write"]
    )
    added = f"metadata[0].annotations[{match}], # KYVERNO_LIFECYCLE_V2 metadata[0].annotations[{revision}], # KEEL_LIFECYCLE_V1"
    assert added in " ".join(mend(rule, both, surroundings).split())
    image = "      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE\n"
    mended = mend(rule, rule.good.replace(image, ""), surroundings)
    assert image.split() in [line.split() for line in mended.splitlines()]
    fewer = rule.good.replace(" # KEEL_LIFECYCLE_V1", "")
    none = fewer.replace(" # KYVERNO_LIFECYCLE_V2", "")
    unmarked = [[f.message for f in found(text, surroundings)] for text in (fewer, none)]
    assert (
        unmarked[0] == unmarked[1] == ["kubernetes_deployment.journal has no marker beside what it ignores"]
    )


def test_a_block_that_is_not_there_is_written_whole(surroundings: CheckContext) -> None:
    (rule,) = KEEL
    assert isinstance(rule.good, str)
    text = rule.good
    deployment = text.index("kubernetes_deployment")
    bare = text[: text.index("  lifecycle", deployment)] + "}\n"
    assert mend(rule, bare, surroundings) == text
    one_line = bare[:-2] + f"  lifecycle {{\n    ignore_changes = [{DNS}] # KYVERNO_LIFECYCLE_V1\n  }}\n}}\n"
    longer = mend(rule, one_line, surroundings)
    assert found(longer, surroundings) == []
    assert f"ignore_changes = [\n      {DNS},\n" in longer


def test_a_namespace_that_a_module_is_given_is_known(surroundings: CheckContext) -> None:
    (rule,) = KEEL
    assert isinstance(rule.bad, str)
    start = rule.bad.index('resource "kubernetes_deployment"')
    call = 'module "app" {\n  source    = "./app"\n  namespace = kubernetes_namespace.journal.metadata[0].name\n}\n'
    inside = rule.bad[start:].replace("kubernetes_namespace.journal.metadata[0].name", "var.namespace")
    files: Mapping[str, bytes] = {
        MAIN: (rule.bad[:start] + call).encode(),
        "stacks/example/app/main.tf": ('variable "namespace" {}\n' + inside).encode(),
    }
    stack = parse_stack("stacks/example", {**files, **SETTINGS})
    assert not isinstance(stack, list)
    assert [(f.code, Path(f.path).parent.name) for f in run(stack, surroundings)] == [("LIF002", "app")]
