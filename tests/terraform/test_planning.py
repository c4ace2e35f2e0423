"""What Terraform makes of stacks without the world around it: one stack for each thing to cope with."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from plan_house import INCLUDE, STACKS, WEB, House, big_house, config_map, fake_tool, small_house
from support import needs

from scaffold.changes.change import Content, Symlink
from scaffold.errors import MissingError
from scaffold.terraform import planned, schemas, trim
from scaffold.terraform.planned import INSTANCE, Mark, Placeholder
from scaffold.terraform.result import PlanResult, Reason, StandInKind
from scaffold.terraform.runner import plan_stacks
from scaffold.terraform.tool import Tool, find_tool, with_version

pytestmark = needs("terraform")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return big_house(tmp_path_factory.mktemp("big"))


@pytest.fixture(scope="module")
def before(house: House) -> Mapping[Path, tuple[int, bytes]]:
    return _everything(house.root.parent)


@pytest.fixture(scope="module")
def plans(house: House, before: object) -> Mapping[str, PlanResult]:
    """All stacks, planned in one run."""
    results = plan_stacks(house.root, [*STACKS, "leak"], workers=2, known=schemas.load())
    return {result.stack: result for result in results}


def _everything(root: Path) -> Mapping[Path, tuple[int, bytes]]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def _resource(result: PlanResult, address: str) -> planned.PlannedResource:
    assert result.findings == ()
    return next(resource for resource in result.resources if resource.address == address)


def _value(result: PlanResult) -> planned.Tree:
    return _resource(result, "kubernetes_config_map.x").get("data", "x")


# what is planned


def test_the_resources_of_a_stack_with_those_of_its_modules(plans: Mapping[str, PlanResult]) -> None:
    web = plans["web"]
    assert [resource.address for resource in web.resources] == [
        "kubernetes_deployment.web",
        "kubernetes_namespace.web",
        "module.ingress.kubernetes_ingress_v1.this",
        "module.ingress.kubernetes_secret.tls",
    ]
    assert _resource(web, "kubernetes_namespace.web").get("metadata", 0) == {
        "name": "web",
        "labels": {"tier": "3-edge"},
        "annotations": None,
        "generate_name": None,
    }


def test_what_terragrunt_gives_is_there(plans: Mapping[str, PlanResult]) -> None:
    container = ("spec", 0, "template", 0, "spec", 0, "container", 0)
    assert _resource(plans["web"], "kubernetes_deployment.web").get(*container, "image") == (
        "registry.example.test/web:v7"
    )
    assert _value(plans["valued"]) == "mail.example.test automatic"


def test_nothing_that_stands_in_looks_real(plans: Mapping[str, PlanResult]) -> None:
    env = ("spec", 0, "template", 0, "spec", 0, "container", 0, "env")
    deployment = _resource(plans["web"], "kubernetes_deployment.web")
    assert deployment.get(*env, 0, "value") is Mark.UNKNOWN
    assert deployment.get(*env, 1, "value") == Placeholder("nfs://scaffold-stand-in.var.nfs_server/web")
    ingress = _resource(plans["web"], "module.ingress.kubernetes_ingress_v1.this")
    assert ingress.get("metadata", 0, "annotations") == {"gate": "required", "hash": Mark.SENSITIVE}
    assert isinstance(ingress.get("spec", 0, "tls", 0, "secret_name"), Placeholder)
    secret = _resource(plans["web"], "module.ingress.kubernetes_secret.tls")
    assert secret.get("data", "tls.key") is Mark.UNKNOWN


def test_a_stack_reads_its_own_files_as_they_were_written(plans: Mapping[str, PlanResult]) -> None:
    main, template = (str(STACKS["own-sources"][name]).encode() for name in ("main.tf", "t.tpl"))
    sha, inside, md5 = (
        hashlib.sha256(main),
        base64.b64encode(template),
        hashlib.md5(main, usedforsecurity=False),
    )
    expected = f"{sha.hexdigest()} {inside.decode()} inside {md5.hexdigest()}"
    assert _value(plans["own-sources"]) == expected


def test_everything_that_stands_in_is_listed(plans: Mapping[str, PlanResult]) -> None:
    assert [(s.kind, s.what, s.where) for s in plans["web"].stand_ins] == [
        (StandInKind.BACKEND, "state: planned as if nothing existed", "stacks/web/backend.tf:2"),
        (StandInKind.DATA, "data.vault_kv_secret_v2.app", "stacks/web/main.tf:5"),
        (StandInKind.IMPORT, "kubernetes_namespace.web", "stacks/web/main.tf:55"),
        (StandInKind.FILE, "secrets/privkey.pem", "modules/kubernetes/gate/main.tf:32"),
        (StandInKind.VARIABLE, "var.tls_secret_name", "stacks/web/main.tf:1"),
        (StandInKind.VARIABLE, "var.nfs_server", "stacks/web/main.tf:2"),
    ]


def test_a_resource_knows_the_place_and_the_arguments_of_its_call(plans: Mapping[str, PlanResult]) -> None:
    ingress = _resource(plans["web"], "module.ingress.kubernetes_ingress_v1.this")
    assert (ingress.site.path, ingress.site.line) == ("stacks/web/main.tf", 48)
    assert ingress.settings == {"auth": "required", "name": "web"}
    own = _resource(plans["web"], "kubernetes_deployment.web")
    assert (own.site.path, own.site.line, own.settings) == ("stacks/web/main.tf", 17, {})


def test_the_same_input_gives_the_same_json(house: House, plans: Mapping[str, PlanResult]) -> None:
    again = plan_stacks(house.root, ["web"], known=schemas.load())[0]
    first, second = (json.dumps(planned.to_json(r.resources)) for r in (plans["web"], again))
    assert first == second
    assert "unknown" in first


@pytest.mark.parametrize(
    "stack,value",
    [
        ("cipher", Mark.UNKNOWN),
        ("git-key", Mark.UNKNOWN),
        ("computed-inside", "A,B"),
        ("template-inside", "x inside!\n"),
        ("far-file", "echo far\n"),
        ("assumed", Mark.UNKNOWN),
    ],
)
def test_what_a_stack_reads(plans: Mapping[str, PlanResult], stack: str, value: planned.Tree) -> None:
    assert _value(plans[stack]) == value


def test_one_instance_stands_for_all_where_their_number_is_not_known(plans: Mapping[str, PlanResult]) -> None:
    result = plans["for-each-data"]
    many = _resource(result, f'kubernetes_secret.each["{INSTANCE}"]')
    assert many.site.stands_for_many and many.get("metadata", 0, "name") is Mark.UNKNOWN
    assert many.get("data", "mail") is Mark.UNKNOWN
    assert _resource(result, "kubernetes_secret.counted[0]").site.stands_for_many
    assert not _resource(result, "kubernetes_config_map.x").site.stands_for_many
    told = [s.what for s in result.stand_ins if s.kind is StandInKind.INSTANCES]
    assert told == ["for_each of kubernetes_secret.each", "count of kubernetes_secret.counted"]
    assert result.notices == ()


def test_what_a_first_apply_cannot_do_is_noticed(plans: Mapping[str, PlanResult]) -> None:
    (notice,) = plans["two-applies"].notices
    assert plans["two-applies"].ok
    assert (notice.code, notice.location) == (Reason.TWO_APPLIES.value, "stacks/two-applies/main.tf:12:3")


def test_an_untyped_variable_without_a_value_is_unknown(plans: Mapping[str, PlanResult]) -> None:
    assert plans["untyped"].ok and plans["placeholder-key"].ok
    (secret,) = plans["untyped"].resources
    assert secret.site.stands_for_many


def test_a_placeholder_decides_nothing(plans: Mapping[str, PlanResult]) -> None:
    """Neither how many resources or blocks there are, nor a value that no longer shows the placeholder."""
    result = plans["placeholder-types"]
    deployment, *secrets = result.resources
    assert [r.address for r in secrets if r.site.stands_for_many] == [
        f'kubernetes_secret.each["{INSTANCE}"]',
        "kubernetes_secret.hosted[0]",
        "kubernetes_secret.sized[0]",
    ]
    assert deployment.get("metadata", 0, "name") is Mark.SENSITIVE
    assert deployment.get("spec", 0, "replicas") is Mark.UNKNOWN
    assert deployment.get("spec", 0, "paused") is Mark.UNKNOWN
    assert deployment.get("spec", 0, "template", 0, "spec", 0, "container") is Mark.UNKNOWN


def test_a_placeholder_keeps_its_mark(plans: Mapping[str, PlanResult]) -> None:
    result = plans["unmarked"]
    assert _value(result) is Mark.SENSITIVE
    secrets = [resource for resource in result.resources if resource.type == "kubernetes_secret"]
    assert [(s.instance, s.get("metadata", 0, "name")) for s in secrets] == [
        (INSTANCE, Mark.UNKNOWN),
        (None, "real"),
    ]


def test_a_stack_overrides_what_is_its_own_and_nothing_that_stands_in(
    plans: Mapping[str, PlanResult],
) -> None:
    result = plans["overridden"]
    assert result.ok, result.findings
    assert _value(result) is Mark.SENSITIVE
    assert _resource(result, "kubernetes_secret.kept").get("metadata", 0, "name") == "kept"
    assert [s.what for s in result.stand_ins if s.kind is StandInKind.VARIABLE] == ["var.host"]


def test_what_a_function_of_a_provider_returns_is_unknown(plans: Mapping[str, PlanResult]) -> None:
    assert _value(plans["function"]) is Mark.UNKNOWN
    (told,) = [s for s in plans["function"].stand_ins if s.kind is StandInKind.FUNCTION]
    assert told.what == "provider::kubernetes::manifest_decode()"


def test_an_old_terraform_is_told_from_a_broken_stack(plans: Mapping[str, PlanResult]) -> None:
    result = plans["null-guard"]
    major, minor = map(int, result.tool.version.split(".")[:2])
    shown = _resource(result, "module.x.kubernetes_config_map.x").get("data")
    assert shown == {"quiet": "true", "loud": "false"}
    old = result.tool.name == "terraform" and (major, minor) < (1, 12)
    told = [(n.code, n.path) for n in result.notices]
    guarded = "modules/kubernetes/guarded/main.tf"
    assert told == ([(Reason.TERRAFORM_TOO_OLD.value, guarded)] if old else [])


def test_state_is_not_read(plans: Mapping[str, PlanResult]) -> None:
    assert [resource.address for resource in plans["state"].resources] == ["kubernetes_namespace.x"]


def test_a_provider_without_a_schema_is_taken_at_its_word(plans: Mapping[str, PlanResult]) -> None:
    machine = _resource(plans["assumed"], "cloud_machine.x")
    assert machine.get("disk") == ({"label": "a"}, {"label": "b"})
    assert machine.get("size") == 3
    for stack, address in (("assumed", "hashicorp/cloud"), ("assumed-inside", "example/cloud")):
        told = [s for s in plans[stack].stand_ins if s.kind is StandInKind.PROVIDER]
        assert [s.what for s in told] == [address]


# what is refused, where, and why

REFUSED = [
    ("misspelt", Reason.STACK, "stacks/misspelt/main.tf:2:3", 'Did you mean "metadata"?'),
    ("reference", Reason.STACK, "stacks/reference/main.tf:7:9", '"nope" has not been declared'),
    ("argument", Reason.STACK, "stacks/argument/main.tf:4:3", '"nme" is not expected'),
    ("validation", Reason.STACK, "stacks/validation/main.tf:6:10", "auth is required or none."),
    ("module-fault", Reason.MODULE, "modules/kubernetes/broken/main.tf:4:23", "a number is required"),
    ("unknown-count", Reason.STACK, "stacks/unknown-count/main.tf:7:11", "cannot be determined until apply"),
    ("cipher-tf", Reason.CIPHERTEXT, "stacks/cipher-tf/extra.tf", "unlock"),
    ("syntax", Reason.SYNTAX, "stacks/syntax/main.tf:7:1", "}"),
    ("json", Reason.SYNTAX, "stacks/json/more.tf.json", "native HCL"),
    ("remote", Reason.REMOTE_MODULE, "stacks/remote/main.tf:2:12", "git::https"),
    ("elsewhere", Reason.OUTSIDE, "stacks/elsewhere/main.tf:2:12", "outside the monorepo"),
    ("leak", Reason.OUTSIDE, "stacks/leak/data", "the link leads out"),
    ("absolute", Reason.OUTSIDE, "stacks/absolute/main.tf:7:9", "/etc/hostname"),
    ("home", Reason.OUTSIDE, "stacks/home/main.tf:7:9", "~/.ssh"),
    ("dots", Reason.OUTSIDE, "stacks/dots/main.tf:7:9", "outside/secret.txt"),
    ("core-function", Reason.OUTSIDE, "stacks/core-function/main.tf:7:9", "core::file()"),
    ("computed", Reason.OUTSIDE, "stacks/computed/main.tf:7:14", "leads out"),
    ("computed-dots", Reason.OUTSIDE, "stacks/computed-dots/main.tf:10:14", "leads out"),
    ("listing", Reason.OUTSIDE, "stacks/listing/main.tf:7", "leads out"),
    ("listing-dots", Reason.OUTSIDE, "stacks/listing-dots/main.tf:10", "leads out"),
    ("template", Reason.OUTSIDE, "stacks/template/main.tf:7:9", "leads out"),
    ("template-string", Reason.OUTSIDE, "stacks/template-string/main.tf:10:9", "templatestring()"),
    ("nested-read", Reason.OUTSIDE, "stacks/nested-read/main.tf:7:14", "leads out"),
    ("missing", Reason.MISSING_FILE, "stacks/missing/main.tf:7:14", "nothing.txt"),
    (
        "no-link",
        Reason.MISSING_FILE,
        "stacks/no-link/main.tf:1:1",
        "read in modules/kubernetes/gate/main.tf:32",
    ),
    ("no-module", Reason.MISSING_FILE, "stacks/no-module/main.tf:2:12", "no directory stacks/no-module/gone"),
    ("cycle", Reason.STACK, "stacks/cycle/main.tf", "Cycle"),
    ("alias", Reason.STACK, "stacks/alias/main.tf:1:1", "configuration not present"),
    ("ephemeral", Reason.NO_SCHEMA, "stacks/ephemeral/main.tf:6:1", "ephemeral.random_password.x"),
    ("unnamed-provider", Reason.NO_SCHEMA, "stacks/unnamed-provider/main.tf:1:1", "misspelt"),
    ("other-vendor", Reason.NO_SCHEMA, "stacks/other-vendor/inner/main.tf:1:1", "hashicorp/kubectl"),
    ("too-old", Reason.TERRAFORM_TOO_OLD, "modules/kubernetes/demanding/main.tf:2:3", "Core version"),
    ("twice", Reason.STACK, "stacks/twice/main.tf:7", "only one required providers"),
]


@pytest.mark.parametrize("stack,reason,location,text", REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(
    plans: Mapping[str, PlanResult], stack: str, reason: Reason, location: str, text: str
) -> None:
    result = plans[stack]
    assert not result.ok and result.resources == ()
    told = [f for f in result.findings if f.location.startswith(location) and f.code == reason.value]
    assert told, [(f.code, f.location, f.message) for f in result.findings]
    assert text in told[0].message
    assert "/copy" not in str(result.findings) and "scaffold-plan" not in str(result.findings)


def test_a_fault_of_a_module_says_who_calls_it(plans: Mapping[str, PlanResult]) -> None:
    (found,) = plans["module-fault"].findings
    assert found.fix == "called from stacks/module-fault/main.tf:3"


def test_every_other_stack_is_planned(plans: Mapping[str, PlanResult]) -> None:
    refused = {case[0] for case in REFUSED}
    assert {stack for stack, result in plans.items() if not result.ok} == refused


def test_nothing_is_written_or_read_outside(
    house: House, before: Mapping[Path, tuple[int, bytes]], plans: Mapping[str, PlanResult]
) -> None:
    assert _everything(house.root.parent) == before
    shown = json.dumps([planned.to_json(result.resources) for result in plans.values()])
    assert "SECRET" not in shown and "PRIVATE KEY" not in shown


# what starts no program


def test_no_program_is_started(tmp_path: Path) -> None:
    house, marker = small_house(tmp_path), tmp_path / "started"
    script = f"#!/bin/sh\ntouch {marker}\n"
    house.stack(
        "evil",
        'resource "null_resource" "x" {\n'
        f'  provisioner "local-exec" {{\n    command = "touch {marker}"\n  }}\n}}\n'
        'provider "external" {\n}\n'
        f'data "external" "x" {{\n  program = ["/bin/sh", "-c", "touch {marker}; echo {{}}"]\n}}\n'
        'data "terraform_remote_state" "x" {\n  backend = "local"\n  config = {\n    path = "/etc/hostname"\n  }\n}\n'
        'output "x" {\n  value = data.external.x.result\n}\n',
    )
    house.stack(
        "plugin",
        'resource "null_resource" "x" {\n  provisioner "evil" {\n  }\n}\n',
        **{"terraform-provisioner-evil": script, "terraform-provider-null": script},
    )
    plugin = house.root / "stacks/plugin/terraform-provisioner-evil"
    plugin.chmod(0o755)
    evil, refused = plan_stacks(house.root, ["evil", "plugin"], known=schemas.load())
    assert [resource.address for resource in evil.resources] == ["null_resource.x"]
    assert [finding.code for finding in refused.findings] == [Reason.STACK.value]
    assert not marker.exists()


# in memory


def test_files_that_are_not_written_yet(tmp_path: Path) -> None:
    house = small_house(tmp_path)
    house.stack("old", config_map('"old"'))
    overlay: dict[str, Content | None] = {
        "stacks/new/main.tf": WEB.encode(),
        "stacks/new/terragrunt.hcl": INCLUDE.encode(),
        "stacks/new/secrets": Symlink("../../secrets"),
        "stacks/old/main.tf": config_map('"new"').encode(),
    }
    new, old = plan_stacks(house.root, ["new", "old"], overlay, known=schemas.load())
    assert len(new.resources) == 4 and new.findings == ()
    assert _value(old) == "new"
    assert not (house.root / "stacks/new").exists()


def test_a_stack_that_does_not_exist(house: House) -> None:
    with pytest.raises(MissingError, match="there is no stack nope"):
        plan_stacks(house.root, ["nope"])


def test_the_users_environment_does_not_reach_terraform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = small_house(tmp_path)
    house.stack("x", config_map("var.name", 'variable "name" {\n  default = "own"\n}\n'))
    monkeypatch.setenv("TF_VAR_name", "leaked")
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-destroy")
    monkeypatch.setenv("TF_WORKSPACE", "other")
    (result,) = plan_stacks(house.root, ["x"], known=schemas.load())
    assert _value(result) == "own"


def test_which_tool_is_used_is_said(plans: Mapping[str, PlanResult]) -> None:
    assert plans["web"].tool.name == find_tool().name
    assert plans["web"].tool.version.count(".") >= 2
    assert with_version(find_tool()).version == plans["web"].tool.version


VERSION = """echo '{"type":"version","terraform":"1.12.2"}'"""
CHANGED = '{"plan_format_version":"1.2","resource_changes":[1]}'
VERSIONS = '"format_version":"1.2","terraform_version":"1.12.2","configuration":{}'


@pytest.mark.parametrize(
    "body",
    [
        "", "echo garbage", "echo '[]'", "echo null", "echo '{}'", f"{VERSION}; echo '{{}}'",
        f"[ $1 = show ] && echo '{{{VERSIONS},\"resource_changes\":[1]}}' || {VERSION}",
        f"[ $1 = show ] && echo '{{{VERSIONS},\"resource_changes\":{{}}}}' || {VERSION}",
        f"[ $1 = show ] && echo '{{{VERSIONS}}}' || true",
        f"{VERSION}; [ $1 = test ] && echo '{{\"type\":\"test_plan\",\"test_plan\":{{}}}}'; true",
        f"{VERSION}; [ $1 = test ] && echo '{{\"type\":\"test_plan\",\"test_plan\":{CHANGED}}}'; true",
    ],
)  # fmt: skip
def test_a_program_that_answers_nonsense_has_planned_nothing(tmp_path: Path, body: str) -> None:
    house = small_house(tmp_path)
    house.stack("x", config_map('"a"'))
    tool = Tool("terraform", str(fake_tool(tmp_path, body)))
    (result,) = plan_stacks(house.root, ["x"], tool=tool, known=schemas.load())
    assert [(f.code, f.message) for f in result.findings] == [
        ("plan-tool", "terraform does not answer as Terraform does: it shows no plan")
    ]


@pytest.mark.parametrize(
    ("head", "why"), [(b"\x7fELF of another machine", "Exec format"), (b"#!/nowhere/sh", "No such file")]
)
def test_a_program_that_cannot_run_has_planned_nothing(tmp_path: Path, head: bytes, why: str) -> None:
    house = small_house(tmp_path)
    house.stack("x", config_map('"a"'))
    program = fake_tool(tmp_path, "")
    program.write_bytes(head + b"\n")
    (result,) = plan_stacks(house.root, ["x"], tool=Tool("terraform", str(program)), known=schemas.load())
    assert [f.code for f in result.findings] == ["plan-tool"]
    assert f"it cannot be run: {why}" in result.findings[0].message


def test_a_program_that_is_none(tmp_path: Path) -> None:
    for body in ("exit 1", "echo {}", "echo x"):
        with pytest.raises(MissingError, match="does not say its version"):
            with_version(Tool("terraform", str(fake_tool(tmp_path, body))))


def test_a_part_of_the_schemas_gives_the_same_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is left out of a schema is shown as what nobody set."""
    house = big_house(tmp_path)
    stacks = ["web", "misspelt"]
    part = plan_stacks(house.root, stacks)
    monkeypatch.setattr(trim, "trimmed", lambda schema, *_: schema)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    whole = plan_stacks(house.root, stacks)
    assert [one.kept for one in whole] == [False, False]
    assert [(one.resources, one.findings) for one in part] == [(one.resources, one.findings) for one in whole]
