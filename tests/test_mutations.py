"""One mistake in a golden stack: refused, at its line, by the stage that is meant to find it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml
from support import ANSWERS, GOLDEN, demand

from scaffold.checks.verify import Level, static_findings, verify
from scaffold.errors import VerificationError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.templates import decisions

STATIC, PLAN = Level.STATIC, Level.PLAN

# golden, the text that is there once, what it becomes, who sees it, and a text of the line that is told.
MUTATIONS = [
    ("sketchpad", "    replicas = 1\n", "    replica = 1\n", STATIC, "replica = 1"),
    ("sketchpad", "container_port = 80", "container_prot = 80", STATIC, "container_prot"),
    ("sketchpad", "  metadata {\n    name = \"sketchpad\"\n", "  metadata {\n    names = \"sketchpad\"\n", STATIC, "names ="),
    ("sketchpad", "kubernetes_namespace.sketchpad.metadata[0].name\n    labels = {\n      app = ",
     "kubernetes_namespace.sketchpd.metadata[0].name\n    labels = {\n      app = ", STATIC, "sketchpd"),
    ("sketchpad", "local.tiers.aux\n    }\n  }\n  spec", "local.tiers.auxx\n    }\n  }\n  spec", STATIC, "auxx"),
    ("sketchpad", "port        = 80", "port        = \"http\"", STATIC, "\"http\""),
    ("sketchpad", "tls_secret_name = var.tls_secret_name", "tls_secret_name = var.tls_secret", STATIC, "var.tls_secret"),
    ("sketchpad", "  tls_secret_name = var.tls_secret_name\n", "", STATIC, "module \"ingress\""),
    ("sketchpad", "auth            = \"required\"", "auth            = \"requird\"", STATIC, "requird"),
    ("sketchpad", "dns_type        = \"proxied\"", "dns_typ         = \"proxied\"", STATIC, "dns_typ "),
    ("sketchpad", "ingress_factory\"", "ingress_factry\"", STATIC, "ingress_factry"),
    ("sketchpad", "variable \"tls_secret_name\" {\n  type      = string\n", "variable \"tls_secret_name\" {\n  type      = strin\n", PLAN, "strin\n"),
    ("sketchpad", "  lifecycle {\n    ignore_changes = [metadata", "  lifecicle {\n    ignore_changes = [metadata", STATIC, "lifecicle"),
    ("sketchpad", "  spec {\n    replicas", "  specs {\n    replicas", STATIC, "specs {"),
    ("sketchpad", "    selector {\n      match_labels = {\n        app = \"sketchpad\"\n      }\n    }\n", "", PLAN, "resource \"kubernetes_deployment\""),
    ("sketchpad", "    selector {\n      match_labels = {\n        app = \"sketchpad\"", "    selector {\n      match_labels = {\n        app = \"sketchpda\"", PLAN, "resource \"kubernetes_deployment\""),
    ("sketchpad", "    selector = {\n      app = \"sketchpad\"", "    selector = {\n      app = \"sketchpda\"", PLAN, "resource \"kubernetes_service\""),
    ("sketchpad", "target_port = 80", "target_port = \"htpp\"", PLAN, "resource \"kubernetes_service\""),
    ("vault-notes", "port        = 8080", "port        = 8081", PLAN, "module \"ingress\""),
    ("vault-notes", "claim_name = kubernetes_persistent_volume_claim.cache.metadata[0].name", "claim_name = \"vault-notes-cach-proxmox\"", PLAN, "resource \"kubernetes_deployment\""),
    ("vault-notes", "claim_name = kubernetes_persistent_volume_claim.cache.metadata[0].name", "claim_name = kubernetes_persistent_volume_claim.cash.metadata[0].name", STATIC, "claim.cash"),
    ("drone-logbook", "module.nfs_sync_logs.claim_name", "module.nfs_sync_logs.claim", STATIC, "nfs_sync_logs.claim"),
    ("drone-logbook", "module.nfs_sync_logs.claim_name", "module.nfs_sync.claim_name", STATIC, "module.nfs_sync."),
    ("drone-logbook", "                name = \"drone-logbook-secrets\"\n", "                name = \"drone-logbook-secret\"\n", PLAN, "resource \"kubernetes_deployment\""),
    ("drone-logbook", "  wait_until_bound = false\n  metadata", "  wait_until_bound = \"maybe\"\n  metadata", STATIC, "maybe"),
    ("drone-logbook", "access_modes       = [\"ReadWriteOnce\"]\n    storage_class_name = \"proxmox-lvm-encrypted\"\n", "access_modes = [\"ReadWriteOnce\"]\n", PLAN, "resource \"kubernetes_persistent_volume_claim\""),
    ("drone-logbook", "access_modes       = [\"ReadWriteOnce\"]", "access_modes       = [\"ReadWriteMany\"]", PLAN, "resource \"kubernetes_persistent_volume_claim\""),
    ("drone-logbook", "access_modes       = [\"ReadWriteOnce\"]", "access_modes       = {}", STATIC, "access_modes"),
    ("drone-logbook", "                claim_name = kubernetes_persistent_volume_claim.data.metadata[0].name\n", "                claim_name = module.nfs_sync_logs.claim_name\n", PLAN, "resource"),
    ("drone-logbook", "  depends_on = [\n    kubernetes_manifest.external_secret,\n  ]", "  depends_on = [\n    kubernetes_manifest.external_secrets,\n  ]", STATIC, "external_secrets"),
    ("drone-logbook", "variable \"nfs_server\" { type = string }\n", "", STATIC, "var.nfs_server"),
    ("drone-logbook", "nfs_server = var.nfs_server\n  nfs_path   = \"/srv/nfs/drone-logbook/sync-logs\"", "nfs_path   = \"/srv/nfs/drone-logbook/sync-logs\"", STATIC, "module \"nfs_sync_logs\""),
    ("drone-logbook", "labels[\"goldilocks", "label[\"goldilocks", STATIC, "label[\"goldilocks"),
    ("drone-logbook", "  spec {\n    schedule ", "  spec {\n    scheduled ", STATIC, "scheduled"),
    ("drone-logbook", "    concurrency_policy            = \"Forbid\"\n", "    concurrency_policy            = \"Forbid\"; paused = true\n", STATIC, ";"),
    ("field-guide", "module.anubis.service_port", "module.anubis.service_prt", STATIC, "service_prt"),
    ("field-guide", "  # auth = \"none\": behind Anubis", "  # Anubis", STATIC, "auth             = \"none\""),
    ("ledger-bridge", "ledger-bridge:${var.image_tag}", "ledger-bridge:${var.imagetag}", STATIC, "var.imagetag"),
    ("ledger-bridge", "ledger-bridge:${var.image_tag}\"", "ledger-bridge:${upper()}\"", PLAN, "upper()"),
    ("drone-logbook", "type = \"Recreate\"", "type = \"RollingUpdate\"", PLAN, "resource \"kubernetes_deployment\""),
    ("drone-logbook", "mount_path = \"/data", "mount_path = \"data", PLAN, "resource \"kubernetes_deployment\""),
    ("drone-logbook", "memory = \"512Mi\"", "memory = \"512MB\"", PLAN, "resource \"kubernetes_deployment\""),
    ("drone-logbook", "name      = \"drone-logbook-data-encrypted\"", "name      = \"drone_logbook_data\"", PLAN, "resource \"kubernetes_persistent_volume_claim\""),
    ("drone-logbook", "storage = \"2Gi\"", "storage = \"2GB\"", PLAN, "resource \"kubernetes_persistent_volume_claim\""),
    ("drone-logbook", "schedule                      = \"", "schedule                      = \"0 ", PLAN, "resource \"kubernetes_cron_job_v1\""),
    ("drone-logbook", "topology_key = \"kubernetes.io/hostname\"", "topology_key = \"kubernetes.io/host\"", PLAN, "resource \"kubernetes_cron_job_v1\""),
    ("drone-logbook", "kind       = \"ExternalSecret\"", "kind       = \"ExternalSecrt\"", PLAN, "resource \"kubernetes_manifest\""),
    ("linkboard", "metadata[0].name", "metadata[1].name", PLAN, "metadata[1]"),
    ("linkboard", "metadata[0].name", "metadata.name", STATIC, "metadata.name"),
    ("ledger-bridge", "name = \"registry-credentials\"", "name = \"registry-credential\"", PLAN, "resource \"kubernetes_deployment\""),
]  # fmt: skip


@pytest.mark.parametrize(
    "golden,old,new,stage,line",
    MUTATIONS,
    ids=[f"{n}-{m[0]}-{m[3].value}" for n, m in enumerate(MUTATIONS, 1)],
)
def test_refused_at_its_line(
    golden: str, old: str, new: str, stage: Level, line: str, pristine: Monorepo
) -> None:
    if stage is PLAN:
        demand("terraform")
    files, values = mutated(golden, old, new)
    if stage is PLAN:
        sources = {f"{STACKS}/{golden}/{path}": content for path, content in files.items()}
        assert static_findings(pristine, golden, sources) == []
    with pytest.raises(VerificationError) as refused:
        verify(pristine, golden, files, values, stage)
    places = [f.path for f in refused.value.findings]
    assert set(places) == {f"stacks/{golden}/main.tf"}
    lines = files[PurePosixPath("main.tf")].decode().splitlines(keepends=True)
    told = [lines[(f.line or 1) - 1] for f in refused.value.findings]
    assert any(line in place for place in told), [(f.line, f.message) for f in refused.value.findings]


WARNINGS = [
    ("          readiness_probe {\n            tcp_socket {\n              port = 80\n            }\n            period_seconds  = 10\n            timeout_seconds = 5\n          }\n", "", "POD002"),
    ('            limits = {\n              memory = "256Mi"\n            }\n', '', "POD001"),
    ("              port = 80\n", "              port = 8123\n", "POD002"),
]  # fmt: skip


@pytest.mark.parametrize("old,new,code", WARNINGS, ids=["probe", "limit", "port"])
def test_what_may_work_all_the_same_is_told(old: str, new: str, code: str, pristine: Monorepo) -> None:
    demand("terraform")
    verified = verify(pristine, "sketchpad", *mutated("sketchpad", old, new), PLAN)
    assert [finding.code for finding in verified.warnings] == [code]


def mutated(golden: str, old: str, new: str) -> tuple[dict[PurePosixPath, bytes], dict[str, Any]]:
    """The files of a golden stack with one change, and the combined values of its answers."""
    stack = GOLDEN / golden / "stack"
    text = (stack / "main.tf").read_text()
    assert old in text
    files = {
        PurePosixPath("main.tf"): text.replace(old, new, 1).encode(),
        PurePosixPath("terragrunt.hcl"): (stack / "terragrunt.hcl").read_bytes(),
    }
    return files, decisions.combine(yaml.safe_load((ANSWERS / "valid" / f"{golden}.yml").read_text()))
