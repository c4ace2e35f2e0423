variable "tier" { type = string }

resource "kubernetes_namespace" "monitoring" {
  metadata {
    name   = "monitoring"
    labels = { tier = var.tier }
  }
  lifecycle {
    # A Kyverno policy sets this label. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}
