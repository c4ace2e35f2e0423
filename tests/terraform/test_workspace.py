"""The working copy: what is in it, and what never is."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest
from plan_house import CIPHERTEXT, NAMESPACE, House, config_map, small_house

from scaffold.hcl.evaluate import text
from scaffold.hcl.syntax import parse
from scaffold.terraform import variables
from scaffold.terraform.result import Reason, StandInKind
from scaffold.terraform.rewrite import Mends
from scaffold.terraform.tree import DiskTree
from scaffold.terraform.workspace import Workspace


@pytest.fixture
def house(tmp_path: Path) -> House:
    return small_house(tmp_path)


def compose(house: House, tmp_path: Path, mends: Mends | None = None) -> Workspace:
    workspace = Workspace(DiskTree(house.root), tmp_path / "copy", "stacks/x", "helper")
    workspace.compose()
    workspace.write(mends or Mends())
    return workspace


def names(workspace: Workspace) -> set[str]:
    return {p.relative_to(workspace.root).as_posix() for p in workspace.root.rglob("*") if not p.is_dir()}


def test_only_what_the_stack_needs_is_copied(house: House, tmp_path: Path) -> None:
    house.stack(
        "x",
        config_map('file("${path.root}/../../scripts/tool.sh")') + 'module "m" {\n  source = "./m"\n}\n',
        **{
            "m/main.tf": NAMESPACE,
            "notes.md": "x",
            ".terraform/modules/modules.json": "{}",
            ".terraform.lock.hcl": "",
            "terraform.d/plugins/x": "",
            "terraform.tfstate": "{}",
            "old.tfstate.backup": "{}",
        },
    )
    house.stack("other", NAMESPACE)
    assert names(compose(house, tmp_path)) == {
        "config.tfvars",
        "scripts/tool.sh",
        "stacks/x/main.tf",
        "stacks/x/m/main.tf",
        "stacks/x/notes.md",
        "stacks/x/providers.tf",
        "stacks/x/scaffold_override.tf.json",
        "stacks/x/tiers.tf",
    }


def test_no_link_no_program_no_secret_is_in_it(house: House, tmp_path: Path) -> None:
    house.stack("x", NAMESPACE, **{"run.sh": "#!/bin/sh\n"})
    house.stack("x", NAMESPACE, **{"hidden.bin": CIPHERTEXT, "some.auto.tfvars": CIPHERTEXT})
    stack = house.root / "stacks/x"
    (stack / "run.sh").chmod(0o755)
    (stack / "secrets").symlink_to("../../secrets")
    (stack / "tool").symlink_to("../../scripts/tool.sh")
    (stack / "nowhere").symlink_to("nothing")
    (stack / "round").symlink_to(".")
    workspace = compose(house, tmp_path)
    assert workspace.findings == []
    for path in workspace.root.rglob("*"):
        assert not path.is_symlink()
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert b"PRIVATE KEY" not in path.read_bytes() and b"GITCRYPT" not in path.read_bytes()
    copied = names(workspace)
    assert {
        "stacks/x/run.sh",
        "stacks/x/tool",
        "stacks/x/secrets/privkey.pem",
        "stacks/x/hidden.bin",
    } <= copied
    assert "stacks/x/some.auto.tfvars" not in copied and "stacks/x/nowhere" not in copied


def test_every_line_stays_or_is_found_again(house: House, tmp_path: Path) -> None:
    main = (
        'terraform {\n  backend "pg" {\n  }\n  required_version = ">= 1.0"\n}\n'
        'data "http" "a" { url = "x" }\ndata "http" "b" {}\n'
        'data "http" "c" {\n  depends_on = [data.http.a]\n}\n'
        'import {\n  to = null_resource.x\n  id = "é"\n}\n'
        'resource "null_resource" "x" {\n  triggers = { a = file(join("/", ["a"])) }\n}\n'
    )
    house.stack("x", main)
    workspace = compose(house, tmp_path)
    placed = workspace.placed["stacks/x/main.tf"]
    written = (workspace.root / "stacks/x/main.tf").read_bytes()
    parse(written, "main.tf")
    assert b"backend" not in written and b"import" not in written and b"required_version" in written
    assert written.count(b"depends_on = [terraform_data.helper") == 3
    for word in (b'"b"', b'"c"', b"triggers", b"data.http.a", b"null_resource"):
        new, old = written.index(word), main.encode().rindex(word)
        assert placed.origin(new) == old, word


def test_mends_of_one_expression_do_not_get_in_each_others_way(house: House, tmp_path: Path) -> None:
    count = 'count = var.a && jsondecode(file("hidden.json")) || file(var.b) == "x"\n'
    main = f'variable "a" {{}}\nvariable "b" {{}}\nresource "null_resource" "x" {{\n  {count}}}\n'
    house.stack("x", main + f"locals {{\n  {count}}}\n", **{"hidden.json": CIPHERTEXT})
    path = "stacks/x/main.tf"
    everything = Mends(
        instances=frozenset({(path, main.index("count"))}),
        operators=frozenset({path}),
        variables=frozenset({"a", "b"}),
    )
    workspace = compose(house, tmp_path, everything)
    document = parse((workspace.root / path).read_bytes(), path)
    resource, locals_ = document.body.blocks[2:]
    assert resource.body.literal("count") == 1
    value = locals_.body.attributes["count"].value
    unknown = "jsondecode(terraform_data.helper.id)"
    assert value.text.startswith(f"(({unknown} ? {unknown} : false) ? true : file(one([for ")
    assert [s.what for s in workspace.stand_ins if s.kind is StandInKind.OPERATOR] == ["&&", "||"]


def test_where_terragrunt_would_write_its_file_is_there_instead(house: House, tmp_path: Path) -> None:
    house.stack("x", NAMESPACE, **{"tiers.tf": "an old copy, and no HCL {"})
    workspace = compose(house, tmp_path)
    assert workspace.findings == []
    tiers = workspace.root / "stacks/x/tiers.tf"
    lines = tiers.read_text().splitlines()
    written = (house.root / "terragrunt.hcl").read_text().splitlines()
    at = lines.index("locals {")
    assert written[at] == "locals {" and written[at + 2] == lines[at + 2] == '    edge = "3-edge"'


def test_findings_of_a_template_are_in_its_line(house: House, tmp_path: Path) -> None:
    house.stack(
        "x",
        config_map('templatefile("${path.module}/t.tpl", {})'),
        **{"t.tpl": '1\n2\n${file("/etc/hostname")}\n'},
    )
    (found,) = compose(house, tmp_path).findings
    assert (found.code, found.location) == (Reason.OUTSIDE.value, "stacks/x/t.tpl:3:3")


@pytest.mark.parametrize(
    "main",
    [
        'templatefile(join("/", [path.module, "t.tpl"]), {})',
        'templatefile("${path.module}/first.tpl", {})',
    ],
)
def test_a_template_that_is_found_by_another_or_later_is_looked_at(
    house: House, tmp_path: Path, main: str
) -> None:
    house.stack(
        "x",
        config_map(main),
        **{"first.tpl": '${templatefile("t.tpl", {})}', "t.tpl": '${file("/etc/hostname")}'},
    )
    assert [f.path for f in compose(house, tmp_path).findings] == ["stacks/x/t.tpl"]


def test_a_template_that_cannot_be_looked_at_is_refused(house: House, tmp_path: Path) -> None:
    house.stack("x", config_map('templatefile("${path.module}/t.tpl", {})'), **{"t.tpl": '${file("x") %{ if'})
    (found,) = compose(house, tmp_path).findings
    assert found.code == Reason.OUTSIDE.value and "cannot be looked at" in found.message


@pytest.mark.parametrize(
    "expression,expected",
    [
        ('"plain"', "plain"),
        ('"${path.module}/a"', "M/a"),
        ('("${path.module}/${local.x}")', "M/X"),
        ('"\\u002e\\u002e/a"', "../a"),
        ('"\\u002e\\u002e/${path.module}"', "../M"),
        ('"$${x}/${path.module}"', "${x}/M"),
        ('"a ${~ path.module ~} b"', None),
        ('"%{ if true }a%{ endif }"', None),
        ("var.x", None),
        ('"${each.key}"', None),
        ('join("", [])', None),
        ("get()", "G"),
        ("1", None),
    ],
)
def test_what_is_known_of_a_path(expression: str, expected: str | None) -> None:
    attribute = parse(f"a = {expression}\n".encode()).body.attributes["a"]
    names = {("path", "module"): "M", ("local", "x"): "X", ("get()",): "G"}
    assert text(attribute.value, names) == expected


def test_our_override_comes_last() -> None:
    for own in (
        ["override.tf"],
        ["a_override.tf", "zz_override.tf", "override.tf"],
        ["~_override.tf"],
        ["é_override.tf"],
    ):
        name = variables.override_name(own)
        assert name.endswith("_override.tf.json")
        assert sorted([name.encode(), *map(str.encode, own)])[-1] == name.encode()


def test_what_is_no_file_is_not_waited_for(house: House, tmp_path: Path) -> None:
    """A pipe that nobody writes to is neither read nor copied, whatever it is called."""
    call = 'file("${path.module}/pipe.txt") == "" ? templatefile("link.tpl", {}) : ""'
    house.stack("x", config_map(call) + 'module "m" {\n  source = "./m"\n}\n', **{"m/main.tf": NAMESPACE})
    stack = house.root / "stacks/x"
    for name in (
        "pipe.tf",
        "m/pipe.tf",
        "pipe.auto.tfvars",
        "pipe.txt",
        "terraform.tfvars",
        "terragrunt.hcl",
    ):
        (stack / name).unlink(missing_ok=True)
        os.mkfifo(stack / name)
    (stack / "link.tpl").symlink_to("pipe.txt")
    (stack / "link.tf").symlink_to("pipe.tf")

    def waited(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(20)
    try:
        workspace = compose(house, tmp_path)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert not {name for name in names(workspace) if "pipe" in name or "link" in name}


@pytest.mark.parametrize(
    "function",
    [
        "file",
        "filebase64",
        "filemd5",
        "filesha256",
        "fileexists",
        "fileset",
        "templatefile",
        "templatestring",
    ],
)
def test_a_function_is_judged_by_both_of_its_names(house: House, tmp_path: Path, function: str) -> None:
    judged = []
    for name in (function, f"core::{function}"):
        house.stack(
            "x", config_map(f'{name}(lower("~"), {{}})') + f'locals {{\n  x = {name}("/etc/x", {{}})\n}}\n'
        )
        workspace = compose(house, tmp_path / name.replace(":", "_"))
        written = (workspace.root / "stacks/x/main.tf").read_text().replace(str(workspace.root.parent), "")
        told = [finding.message for finding in workspace.findings]
        judged.append((written.replace("core::", ""), [message.replace("core::", "") for message in told]))
        assert any(f"{name}()" in message for message in told)
    assert judged[0] == judged[1]


def test_placeholders_fit_their_type() -> None:
    from scaffold.hcl import types

    def placeholder(constraint: str) -> object:
        value = parse(f"a = {constraint}\n".encode()).body.attributes["a"].value
        return variables.placeholder(types.of_expression(value), "x")

    assert placeholder("string") == placeholder("any") == "scaffold-stand-in.var.x"
    assert (placeholder("number"), placeholder("bool")) == (1, False)
    assert placeholder("list(string)") == placeholder("set(number)") == [] and placeholder("map(any)") == {}
    assert placeholder("tuple([bool, number])") == [False, 1]
    assert placeholder("object({ a = string, b = optional(number), c = object({ d = bool }) })") == {
        "a": "scaffold-stand-in.var.x",
        "c": {"d": False},
    }


def test_a_variable_with_a_value_anywhere_needs_none() -> None:
    document = parse(b'variable "a" {}\nvariable "b" { default = 1 }\nvariable "c" {}\nvariable "d" {}\n')
    found = variables.find([document], {"c": [1], "other": 2}, frozenset({"d"}))
    assert list(found.placeholders) == ["a"] and found.inputs == {"c": [1]}
