variable "tier" { type = string }

resource "kubernetes_namespace" "monitoring" {
  metadata {
    name   = "monitoring"
    labels = { tier = var.tier }
  }
}
