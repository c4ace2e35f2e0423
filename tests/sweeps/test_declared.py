"""Rule changes that a file declares: what each edit does to a block, once, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import needs

from scaffold.checks.rule import Answer, Rule
from scaffold.checks.stack import CheckContext, parse_stack
from scaffold.commands.fix import with_fix
from scaffold.hcl.place import block_at
from scaffold.hcl.syntax import parse
from scaffold.sweeps.file import declared, rule_from
from scaffold.terraform import schemas

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.yml"))
MAIN = "stacks/app/main.tf"
CONTEXT = CheckContext(schemas.load(), lambda _: None, lambda _: ())


def rule(select: str, *edits: str) -> Rule:
    lines = "".join(f"  - {edit}\n" for edit in edits)
    text = f"code: own\ntitle: Own\nselect: {{{select}}}\nedits:\n{lines}contract: nothing\n"
    return declared("own.yml", text.encode())


def lines_of(own: Rule, text: str) -> list[int]:
    stack = parse_stack("stacks/app", {MAIN: text.encode()})
    assert not isinstance(stack, list)
    return [found.line or 0 for found in own.check_stack(stack, CONTEXT)]


def swept(own: Rule, text: str) -> str:
    """The file after the edits of every block that is found."""
    document = parse(text.encode(), MAIN)
    for line in reversed(lines_of(own, text)):
        document = parse(with_fix(document, line, own, {}), MAIN)
    return document.source.text()


POD = """\
# resource "pod" "gone" {
#   cpu = 1
# }
resource "pod" "app" {
  cpu    = 1 # one
  memory = "1Gi"
  labels = {
    tier = "aux"
    # why
    "a/b" = "old"
  }
  one { x = 1 }
  limits {
    # none
    cpu = 2
  }
}
variable "a" { type = string }
variable "b" {}
"""
PODS = "blocks: pod.*"
CPU = "  cpu    = 1 # one\n  "


@pytest.mark.parametrize(
    ("select", "edit", "old", "new"),
    [
        (PODS, "{set: memory, value: 2Gi}", '"1Gi"', '"2Gi"'),
        (PODS, "{set: cpu, expression: var.a}", "= 1 # one", "= var.a # one"),
        (PODS, "{set: 'labels[\"a/b\"]', value: new}", '"old"', '"new"'),
        (PODS, "{set: labels.more, value: x}", '    "a/b" = "old"\n', '    "a/b" = "old"\n    more  = "x"\n'),
        (PODS, "{set: 'limits.marks[\"a/b\"]', value: x}", "    cpu = 2\n", '    cpu = 2\n    marks = {\n      "a/b" = "x"\n    }\n'),
        (PODS, "{set: limits.memory, value: '${x}'}", "    cpu = 2\n", '    cpu    = 2\n    memory = "$${x}"\n'),
        (PODS, "{set: quota, value: 1, comment: As asked.}", "  }\n  one", "  }\n  # As asked.\n  quota = 1\n  one"),
        (PODS, "{set: quota, value: 1, after: cpu, comment: As asked.}", "  cpu    = 1 # one\n", "  cpu = 1 # one\n  # As asked.\n  quota  = 1\n"),
        (PODS, "{set: quota, value: 1, after: none}", "  }\n  one", "  }\n  quota = 1\n  one"),
        (PODS, "{remove: labels.tier}", '    tier = "aux"\n', ""),
        (PODS, "{remove: 'labels[\"a/b\"]'}", '    # why\n    "a/b" = "old"\n', ""),
        (PODS, "{remove: memory}", '  cpu    = 1 # one\n  memory = "1Gi"\n', "  cpu = 1 # one\n"),
        (PODS, "{remove: limits}", "  limits {\n    # none\n    cpu = 2\n  }\n", ""),
        (PODS, "{remove: limits.cpu}", "    # none\n    cpu = 2\n", ""),
        (PODS, '{add: "probe {\\n  port = 1\\n}"}', "cpu = 2\n  }\n", "cpu = 2\n  }\n  probe {\n    port = 1\n  }\n"),
        (PODS, '{add: "probe {\\n  port = 1\\n}", first: true}', "  cpu    = 1", "  probe {\n    port = 1\n  }\n  cpu    = 1"),
        (PODS, "{add: memory = 3, within: limits}", "    cpu = 2\n", "    cpu    = 2\n    memory = 3\n"),
        (PODS, "{ignore: 'meta[0].x[\"y/z\"]', comment: why}", "cpu = 2\n  }\n", 'cpu = 2\n  }\n  lifecycle {\n    ignore_changes = [meta[0].x["y/z"]] # why\n  }\n'),
        (PODS, "{rename: memory, to: ram}", CPU + 'memory =', "  cpu = 1 # one\n  ram ="),
        (PODS, "{rename: memory, to: ram, values: {1Gi: 1024}}", CPU + 'memory = "1Gi"', "  cpu = 1 # one\n  ram = 1024"),
        ("blocks: variable.b", "{set: sensitive, value: true}", 'variable "b" {}', 'variable "b" {\n  sensitive = true\n}'),
        ("blocks: variable.a", "{set: sensitive, value: true}", '{ type = string }', "{\n  type      = string\n  sensitive = true\n}"),
        (f"{PODS}, inside: limits, where: {{cpu: 2}}", "{set: cpu, value: 3}", "cpu = 2", "cpu = 3"),
        (f"{PODS}, inside: [limits, one], around: {{memory: '*Gi'}}", "{set: cpu, value: 3}", "one { x = 1 }\n  limits {\n    # none\n    cpu = 2", "one {\n    x   = 1\n    cpu = 3\n  }\n  limits {\n    # none\n    cpu = 3"),
    ],
)  # fmt: skip
def test_an_edit_changes_what_it_says_once_and_nothing_else(
    select: str, edit: str, old: str, new: str
) -> None:
    own = rule(select, edit)
    assert POD.count(old) == 1
    after = swept(own, POD)
    assert after == POD.replace(old, new)
    assert lines_of(own, after) == []
    windows = POD.replace("\n", "\r\n")
    assert swept(own, windows) == windows.replace(old.replace("\n", "\r\n"), new.replace("\n", "\r\n"))


@pytest.mark.parametrize(
    ("select", "edit"),
    [
        ("blocks: deployment.*", "{set: memory, value: 2Gi}"),
        (f"{PODS}, where: {{memory: 2Gi}}", "{set: cpu, value: 9}"),
        (f"{PODS}, where: {{gone: '*'}}", "{set: cpu, value: 9}"),
        (f"{PODS}, where: {{memory: null}}", "{set: cpu, value: 9}"),
        (f"{PODS}, around: {{memory: [2Gi, null]}}", "{set: cpu, value: 9}"),
        (PODS, "{set: cpu, value: 1}"),
        (PODS, "{remove: gone.cpu}"),
        (PODS, "{add: memory = 3}"),
        (PODS, '{add: "limits {}"}'),
        (PODS, "{rename: gone, to: there}"),
    ],
)
def test_what_is_not_meant_or_made_already_is_not_found(select: str, edit: str) -> None:
    assert lines_of(rule(select, edit), POD) == []


@pytest.mark.parametrize(
    "edit",
    [
        "{set: gone.cpu, value: 1}",
        "{set: limits, value: 1}",
        "{set: memory.x, value: 1}",
        "{add: x = 1, within: labels}",
        "{rename: cpu, to: memory}",
        "{rename: memory, to: ram, values: {2Gi: 2048}}",
        "{remove: one.x}",
    ],
)
def test_what_cannot_be_edited_is_found_and_stays(edit: str) -> None:
    own = rule(PODS, "{set: cpu, value: 9}", edit)
    assert lines_of(own, POD) == [4]
    assert swept(own, POD) == POD, "all edits of a block, or none"


def test_a_block_is_edited_whole_although_the_first_edit_ends_what_selects_it() -> None:
    own = rule(f"{PODS}, where: {{memory: 1Gi}}", "{set: memory, value: 2Gi}", "{set: cpu, value: 9}")
    assert swept(own, POD) == POD.replace("1Gi", "2Gi").replace("= 1 # one", "= 9 # one")


LISTED = """\
resource "pod" "app" {
  lifecycle {
    ignore_changes = [
      spec, # old
    ]
  }
}
"""


def test_a_path_that_comes_to_a_list_has_its_comment() -> None:
    one = rule(PODS, "{ignore: meta, comment: MARK}")
    assert swept(one, LISTED) == LISTED.replace("spec, # old\n", "spec, # old\n      meta, # MARK\n")
    more = rule(PODS, "{ignore: meta, comment: A mark}")
    assert swept(more, LISTED) == LISTED.replace("# old\n", "# old\n      # A mark\n      meta,\n")
    assert lines_of(more, swept(more, LISTED)) == []


GATES = """\
module "a" {
  source    = "../../modules/kubernetes/ingress_factory"
  protected = true
}
module "b" {
  source    = "../../modules/kubernetes/ingress_factory"
  protected = false
}
module "c" {
  source = "../../modules/kubernetes/ingress_factory"
}
module "d" {
  source = "../../modules/kubernetes/ingress_factory"
  auth   = "none"
}
"""


def test_what_only_a_person_can_decide_is_asked_and_the_answer_is_the_edit() -> None:
    own = rule_from(Path(__file__).parent / "examples" / "gate.yml")
    assert lines_of(own, GATES) == [1, 5, 9]
    document = parse(GATES.encode(), MAIN)
    asked = [own.question(document, block, {}) for block in document.body.blocks]
    assert [question.text if question else None for question in asked] == [
        None, "Who may reach it without a login?", "What gates it?", None,
    ]  # fmt: skip
    for line, answer in ((9, Answer("app", "It has a login.")), (5, Answer("none"))):
        block = block_at(document.body, line)
        assert block is not None
        made = own.answered(document, block, answer)
        assert made is not None
        document = parse(made, MAIN)
    after = swept(own, document.source.text())
    assert lines_of(own, after) == []
    assert after == GATES.replace("protected = true", 'auth   = "required"').replace(
        "protected = false", 'auth   = "none"'
    ).replace("source    =", "source =").replace(
        '"c" {\n  source = "../../modules/kubernetes/ingress_factory"\n',
        '"c" {\n  source = "../../modules/kubernetes/ingress_factory"\n  # It has a login.\n  auth = "app"\n',
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_read_and_is_ten_lines_at_most(path: Path) -> None:
    own = rule_from(path)
    assert own.code == path.stem
    assert own.fixes
    assert len(path.read_text().splitlines()) <= 10


@needs("terraform")
def test_what_is_written_is_as_terraform_formats_it(tmp_path: Path) -> None:
    import subprocess

    edits = (
        "{set: quota, value: 1}",
        "{remove: memory}",
        "{ignore: spec, comment: why not}",
        "{set: labels.more, value: 1}",
    )
    text = swept(rule(PODS, *edits), POD) + swept(
        rule("blocks: module.*", "{set: dns_type, value: none}"), GATES
    )
    (tmp_path / "main.tf").write_text(text)
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
