"""Small monorepos to plan, and the one that has a stack for everything that a plan has to cope with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CIPHERTEXT = b"\0GITCRYPT\0" + bytes(range(64))

TERRAGRUNT = """\
generate "providers" {
  path      = "providers.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
terraform {
  required_providers {
    vault = {
      source = "hashicorp/vault"
    }
    kubectl = {
      source = "gavinbunney/kubectl"
    }
  }
}

variable "kube_config_path" {
  default = "~/.kube/config"
}

provider "kubernetes" {
  config_path = var.kube_config_path
}
EOF
}

generate "tiers" {
  path      = "tiers.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
locals {
  tiers = {
    edge = "3-edge"
  }
}
EOF
}

terraform {
  extra_arguments "values" {
    required_var_files = ["${get_repo_root()}/config.tfvars"]
  }
}
"""

INCLUDE = 'include "root" {\n  path = find_in_parent_folders()\n}\n'

GATE = """\
variable "name" { type = string }
variable "namespace" { type = string }
variable "tls_secret_name" { type = string }
variable "auth" {
  type    = string
  default = "required"
  validation {
    condition     = contains(["required", "none"], var.auth)
    error_message = "auth is required or none."
  }
}
resource "kubernetes_ingress_v1" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
    annotations = {
      "gate" = var.auth
      "hash" = sha256(var.tls_secret_name)
    }
  }
  spec {
    tls {
      secret_name = var.tls_secret_name
    }
  }
}
resource "kubernetes_secret" "tls" {
  metadata {
    name = "tls"
  }
  data = {
    "tls.key" = file("${path.root}/secrets/privkey.pem")
  }
}
output "host" {
  value = "${var.name}.example.test"
}
"""

WEB = """\
variable "tls_secret_name" { type = string }
variable "nfs_server" { type = string }
variable "image_tag" { type = string }

data "vault_kv_secret_v2" "app" {
  mount = "secret"
  name  = "web"
}

resource "kubernetes_namespace" "web" {
  metadata {
    name   = "web"
    labels = { tier = local.tiers.edge }
  }
}

resource "kubernetes_deployment" "web" {
  metadata {
    name      = "web"
    namespace = kubernetes_namespace.web.metadata[0].name
  }
  spec {
    selector {
      match_labels = { app = "web" }
    }
    template {
      metadata {
        labels = { app = "web" }
      }
      spec {
        container {
          name  = "web"
          image = "registry.example.test/web:${var.image_tag}"
          env {
            name  = "TOKEN"
            value = data.vault_kv_secret_v2.app.data["token"]
          }
          env {
            name  = "SHARE"
            value = "nfs://${var.nfs_server}/web"
          }
        }
      }
    }
  }
}

module "ingress" {
  source          = "../../modules/kubernetes/gate"
  name            = "web"
  namespace       = kubernetes_namespace.web.metadata[0].name
  tls_secret_name = var.tls_secret_name
}

import {
  to = kubernetes_namespace.web
  id = "web"
}

output "secret" {
  value = var.tls_secret_name
}
"""

NAMESPACE = 'resource "kubernetes_namespace" "x" {\n  metadata {\n    name = "x"\n  }\n}\n'


def config_map(expression: str, before: str = "") -> str:
    """A stack with one ConfigMap that holds one value, in its seventh line after what comes before."""
    return (
        f'{before}resource "kubernetes_config_map" "x" {{\n  metadata {{\n    name = "x"\n  }}\n'
        f"  data = {{\n    # the value\n    x = {expression}\n  }}\n}}\n"
    )


STATE = """\
{
  "version": 4,
  "serial": 1,
  "lineage": "x",
  "outputs": {},
  "resources": [
    {
      "mode": "managed",
      "type": "kubernetes_namespace",
      "name": "gone",
      "provider": "provider[\\"registry.terraform.io/hashicorp/kubernetes\\"]",
      "instances": [{"schema_version": 0, "attributes": {"id": "gone"}}]
    }
  ]
}
"""

STACKS: dict[str, dict[str, str | bytes]] = {
    "web": {
        "main.tf": WEB,
        "terragrunt.hcl": INCLUDE + 'inputs = {\n  image_tag = "v7"\n}\n',
        "backend.tf": 'terraform {\n  backend "pg" {\n    schema_name = "web"\n  }\n}\n',
        "providers.tf": "# an old copy of what terragrunt generates\nnot HCL at all {\n",
    },
    "misspelt": {"main.tf": NAMESPACE.replace("metadata", "metadta")},
    "reference": {"main.tf": config_map("kubernetes_namespace.nope.id")},
    "argument": {"main.tf": 'module "x" {\n  source = "../../modules/kubernetes/broken"\n\n  nme = "x"\n}\n'},
    "validation": {
        "main.tf": (
            'module "x" {\n  source = "../../modules/kubernetes/gate"\n  name = "x"\n  namespace = "x"\n'
            '  tls_secret_name = "tls"\n  auth = "requird"\n}\n'
        )
    },
    "module-fault": {
        "main.tf": '\n\nmodule "x" {\n  source = "../../modules/kubernetes/broken"\n  name   = "x"\n}\n'
    },
    "null-guard": {
        "main.tf": 'module "x" {\n  source = "../../modules/kubernetes/guarded"\n}\n' + NAMESPACE,
    },
    "for-each-data": {
        "main.tf": config_map(
            'join(",", [for s in values(kubernetes_secret.each) : s.metadata[0].name])',
            'data "vault_kv_secret_v2" "d" {\n  mount = "secret"\n  name  = "d"\n}\n'
            "locals {\n  users = jsondecode(data.vault_kv_secret_v2.d.data.users)\n}\n"
            'resource "kubernetes_secret" "each" {\n  for_each = { for u in local.users : u.name => u }\n'
            "  metadata {\n    name = each.key\n  }\n  data = { mail = each.value.mail }\n}\n"
            'resource "kubernetes_secret" "counted" {\n  count = length(local.users)\n'
            '  metadata {\n    name = "n${count.index}"\n  }\n}\n',
        )
    },
    "two-applies": {
        "main.tf": NAMESPACE
        + 'data "kubernetes_secret" "later" {\n  metadata {\n    name = kubernetes_namespace.x.metadata[0].uid\n'
        '  }\n}\nresource "kubernetes_secret" "many" {\n  count = length(data.kubernetes_secret.later.data)\n'
        '  metadata {\n    name = "many"\n  }\n}\n'
    },
    "unknown-count": {
        "main.tf": NAMESPACE
        + 'resource "kubernetes_secret" "many" {\n  count = length(kubernetes_namespace.x.id)\n'
        '  metadata {\n    name = "many"\n  }\n}\n'
    },
    "cipher": {
        "main.tf": config_map('jsondecode(file("${path.module}/hidden.json")).key'),
        "hidden.json": CIPHERTEXT,
    },
    "cipher-tf": {"main.tf": NAMESPACE, "extra.tf": CIPHERTEXT},
    "syntax": {"main.tf": NAMESPACE + 'resource "a" {\n'},
    "json": {"main.tf": NAMESPACE, "more.tf.json": "{}"},
    "remote": {"main.tf": 'module "x" {\n  source = "git::https://example.test/x.git"\n}\n'},
    "elsewhere": {"main.tf": 'module "x" {\n  source = "../../../outside"\n}\n'},
    "absolute": {"main.tf": config_map('file("/etc/hostname")')},
    "home": {"main.tf": config_map('file("~/.ssh/id_ed25519")')},
    "dots": {"main.tf": config_map('file("${path.root}/../../../outside/secret.txt")')},
    "core-function": {"main.tf": config_map('core::file("/etc/hostname")')},
    "computed": {
        "main.tf": config_map('file(join("/", ["", "etc", "hostname"]))'),
    },
    "computed-dots": {
        "main.tf": config_map(
            'file("${path.module}/${var.name}")',
            'variable "name" {\n  default = "../../../outside/secret.txt"\n}\n',
        ),
    },
    "computed-inside": {
        "main.tf": config_map(
            'join(",", [for f in fileset(path.module, "files/*.txt") : file("${path.module}/${f}")])'
        ),
        "files/a.txt": "A",
        "files/b.txt": "B",
    },
    "listing": {"main.tf": config_map('join(",", fileset(join("/", ["", "etc"]), "*"))')},
    "listing-dots": {
        "main.tf": config_map(
            'join(",", fileset(path.module, var.p))', 'variable "p" {\n  default = "../*/*"\n}\n'
        )
    },
    "template": {
        "main.tf": config_map('templatefile("${path.module}/t.tpl", { a = "x" })'),
        "t.tpl": '${a} ${file(join("/", ["", "etc", "hostname"]))}\n',
    },
    "template-inside": {
        "main.tf": config_map('templatefile("${path.module}/t.tpl", { a = "x" })'),
        "t.tpl": '${a} ${file("included.txt")}%{ if a == "x" }!%{ endif }\n',
        "included.txt": "inside",
    },
    "own-sources": {
        # Each of these files is another one in the working copy.
        "main.tf": config_map(
            'join(" ", [filesha256("${path.module}/main.tf"), filebase64(join("/", [path.module, "t.tpl"])),'
            ' templatefile("${path.module}/t.tpl", {}),'
            ' md5(join("", [for f in fileset(path.module, "ma*.tf") : file("${path.root}/${f}")]))])'
        ),
        "t.tpl": '${file("included.txt")}',
        "included.txt": "inside",
    },
    "template-string": {"main.tf": config_map("templatestring(local.t, {})", 'locals {\n  t = "x"\n}\n')},
    "nested-read": {
        "main.tf": config_map('file(file("${path.module}/name.txt"))'),
        "name.txt": "/etc/hostname",
    },
    "far-file": {
        "main.tf": config_map('file("${path.root}/../../scripts/tool.sh")'),
    },
    "missing": {"main.tf": config_map('file("${path.module}/nothing.txt")')},
    "git-key": {"main.tf": config_map('filebase64("${path.root}/../../.git/git-crypt/keys/default")')},
    "state": {"main.tf": NAMESPACE, "terraform.tfstate": STATE},
    "too-old": {"main.tf": 'module "x" {\n  source = "../../modules/kubernetes/demanding"\n}\n'},
    "unnamed-provider": {"main.tf": 'resource "kuberntes_namespace" "x" {\n}\n'},
    "other-vendor": {
        "main.tf": 'module "x" {\n  source = "./inner"\n}\n',
        "inner/main.tf": 'resource "kubectl_manifest" "x" {\n  yaml_body = "a: 1"\n}\n',
    },
    "assumed": {
        "main.tf": config_map(
            "cloud_machine.x.network[0].address",
            'provider "cloud" {\n  region = "here"\n}\n'
            'resource "cloud_machine" "x" {\n  size = 3\n  network {\n    name = "lan"\n  }\n'
            '  dynamic "disk" {\n    for_each = ["a", "b"]\n    content {\n      label = disk.value\n    }\n  }\n}\n',
        )
    },
    "assumed-inside": {
        "main.tf": 'module "x" {\n  source = "./inner"\n}\n',
        "inner/main.tf": (
            'terraform {\n  required_providers {\n    cloud = {\n      source = "example/cloud"\n    }\n  }\n}\n'
            'resource "cloud_machine" "x" {\n  size = 3\n}\n'
        ),
    },
    "no-link": {
        "main.tf": (
            'module "x" {\n  source          = "../../modules/kubernetes/gate"\n  name            = "x"\n'
            '  namespace       = "x"\n  tls_secret_name = "tls"\n}\n'
        )
    },
    "twice": {"main.tf": NAMESPACE + "terraform {\n  required_providers {\n  }\n}\n"},
    "untyped": {
        "main.tf": 'variable "names" {}\nmodule "x" {\n  source = "../../modules/kubernetes/many"\n  names  = var.names\n}\n'
    },
    "valued": {
        "main.tf": config_map(
            '"${var.mail_host} ${var.own}"', 'variable "mail_host" {}\nvariable "own" {}\n'
        ),
        "own.auto.tfvars": 'own = "automatic"\n',
    },
    "placeholder-key": {
        "main.tf": 'variable "key" { type = string }\nresource "kubernetes_secret" "x" {\n'
        "  for_each = toset([var.key])\n  metadata {\n    name = each.key\n  }\n}\n"
    },
    "overridden": {
        "main.tf": config_map("upper(var.host)", 'variable "host" { type = string }\n')
        + 'variable "kept" {\n  default = "kept"\n}\noutput "host" {\n  value = var.host\n}\n'
        + 'resource "kubernetes_secret" "kept" {\n  metadata {\n    name = var.kept\n  }\n}\n',
        "override.tf": 'variable "kept" {\n  description = "No word of its default"\n}\n',
        "zz_override.tf": 'variable "host" {\n  sensitive = false\n}\noutput "host" {\n  sensitive = false\n}\n',
    },
    "placeholder-types": {
        "main.tf": 'variable "names" { type = list(string) }\nvariable "on" { type = bool }\n'
        'variable "size" { type = number }\nvariable "host" { type = string }\n'
        'resource "kubernetes_secret" "each" {\n  for_each = toset(var.names)\n  metadata {\n'
        "    name = each.key\n  }\n}\n"
        'resource "kubernetes_secret" "sized" {\n  count = var.size\n  metadata {\n    name = "x"\n  }\n}\n'
        'resource "kubernetes_secret" "hosted" {\n  count = var.host == "" ? 1 : 0\n  metadata {\n'
        '    name = "x"\n  }\n}\n'
        'resource "kubernetes_deployment" "x" {\n  metadata {\n    name = upper(var.host)\n  }\n'
        "  spec {\n    replicas = length(var.names)\n    paused   = var.on\n    template {\n"
        '      metadata {}\n      spec {\n        dynamic "container" {\n          for_each = var.names\n'
        "          content {\n            name = container.value\n          }\n        }\n      }\n    }\n"
        "  }\n}\n"
    },
    "unmarked": {
        "main.tf": config_map("nonsensitive(length(var.host))", 'variable "host" { type = string }\n')
        + 'resource "kubernetes_secret" "each" {\n  for_each = nonsensitive(toset([var.host]))\n  metadata {\n'
        "    name = upper(each.key)\n  }\n}\n"
        'resource "kubernetes_secret" "real" {\n  metadata {\n'
        '    name = nonsensitive(sensitive("real"))\n  }\n}\n'
    },
    "function": {
        "main.tf": config_map('provider::kubernetes::manifest_decode("a: 1").a')
        + 'terraform {\n  required_version = ">= 1.0"\n}\n',
    },
    "ephemeral": {"main.tf": NAMESPACE + 'ephemeral "random_password" "x" {\n  length = 3\n}\n'},
    "cycle": {"main.tf": NAMESPACE + "locals {\n  a = local.b\n  b = local.a\n}\n"},
    "alias": {"main.tf": NAMESPACE.replace("metadata", "provider = kubernetes.other\n  metadata")},
    "no-module": {"main.tf": 'module "x" {\n  source = "./gone"\n}\n'},
}

SHARED: dict[str, str | bytes] = {
    "terragrunt.hcl": TERRAGRUNT,
    "config.tfvars": 'mail_host = "mail.example.test"\n',
    "secrets/privkey.pem": "-----BEGIN PRIVATE KEY-----\nreal\n",
    "scripts/tool.sh": "echo far\n",
    "modules/kubernetes/gate/main.tf": GATE,
    "modules/kubernetes/broken/main.tf": (
        'variable "name" { type = string }\nresource "kubernetes_secret" "x" {\n  metadata {\n'
        '    name = var.name + "-secret"\n  }\n}\n'
    ),
    "modules/kubernetes/guarded/main.tf": (
        'variable "scale" {\n  type    = object({ mode = string })\n  default = null\n}\nlocals {\n'
        '  quiet = var.scale == null || var.scale.mode == "quiet"\n'
        '  loud  = var.scale != null && (var.scale.mode == "loud" || var.scale.mode == "very")\n}\n'
        'resource "kubernetes_config_map" "x" {\n  metadata {\n    name = "x"\n  }\n'
        "  data = { quiet = tostring(local.quiet), loud = tostring(local.loud) }\n}\n"
    ),
    "modules/kubernetes/demanding/main.tf": 'terraform {\n  required_version = ">= 99.0"\n}\n',
    "modules/kubernetes/many/main.tf": (
        'variable "names" { type = list(string) }\nresource "kubernetes_secret" "x" {\n'
        "  for_each = toset(var.names)\n  metadata {\n    name = each.key\n  }\n}\n"
    ),
}


@dataclass(frozen=True)
class House:
    """A monorepo on disk."""

    root: Path

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files by their path from the root."""
        for path, content in files.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else content.encode())

    def stack(self, name: str, main: str, **files: str | bytes) -> None:
        """Write a stack."""
        self.write({f"stacks/{name}/{path}": text for path, text in {"main.tf": main, **files}.items()})


def small_house(root: Path) -> House:
    """A monorepo without stacks, and with what terragrunt generates."""
    house = House(root / "house")
    house.write(SHARED)
    return house


def big_house(above: Path) -> House:
    """A monorepo with all stacks of ``STACKS``, and something outside of it that must not be read."""
    house = small_house(above)
    House(above).write({"outside/secret.txt": "SECRET", "outside/main.tf": NAMESPACE})
    for name, files in STACKS.items():
        house.write({f"stacks/{name}/{path}": content for path, content in files.items()})
    (house.root / "stacks/web/secrets").symlink_to("../../secrets")
    house.write({"stacks/leak/main.tf": NAMESPACE})
    (house.root / "stacks/leak/data").symlink_to("../../../outside")
    return house


def fake_tool(directory: Path, body: str) -> Path:
    """A program that stands for Terraform: a shell script with this body."""
    path = directory / "bin" / "terraform"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path
