"""References that point at nothing."""

from __future__ import annotations

from scaffold.checks.resolving import findings
from scaffold.checks.rule import FamilyRule

_ACCOUNT = """\
resource "kubernetes_namespace" "journal" {
  metadata {
    name   = "journal"
    labels = { tier = local.tiers.aux }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_service_account" "journal" {
  metadata {
    name      = "journal"
    namespace = kubernetes_namespace.journal.metadata[0].name
  }
}
"""
_VOLUME = """\
module "media" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "journal-media-host"
  namespace  = "journal"
  nfs_server = "nfs.internal"
  nfs_path   = "/srv/media"
}

output "claim" {
  value = module.media.claim_name
}
"""


class ReferenceRule(FamilyRule):
    """A reference points at something that exists."""

    family = findings
    code = "HCL004"
    why = "Terraform refuses to plan a stack that refers to an undeclared resource, variable or local value."
    bad = _ACCOUNT.replace("kubernetes_namespace.journal", "kubernetes_namespace.diary")
    good = _ACCOUNT


class ReferenceAttribute(FamilyRule):
    """A reference names an attribute that the resource has."""

    family = findings
    code = "HCL005"
    why = "The provider's schema says which attributes a resource has; anything else stops the plan."
    bad = _ACCOUNT.replace("metadata[0].name", "metadata.name")
    good = _ACCOUNT


class LocalKey(FamilyRule):
    """A key of a local map exists."""

    family = findings
    code = "HCL006"
    why = "Namespace tiers are looked up by key: a key that is not in the map stops the plan."
    bad = _ACCOUNT.replace("tiers.aux", "tiers.apps")
    good = _ACCOUNT


class ModuleOutput(FamilyRule):
    """Every output used is one that the module declares."""

    family = findings
    code = "HCL007"
    why = "Terraform refuses to plan a reference to an output that the module does not declare."
    bad = _VOLUME.replace("claim_name", "claim")
    good = _VOLUME
