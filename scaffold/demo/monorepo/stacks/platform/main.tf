# A stand-in: in a real house the ingress controller and its middlewares live here.

resource "kubernetes_namespace" "traefik" {
  metadata {
    name   = "traefik"
    labels = { tier = local.tiers.core }
  }
  lifecycle {
    # A Kyverno policy sets this label. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

# Goldilocks only recommends: what pods get stands in their stacks.
resource "kubernetes_manifest" "recommend_only" {
  manifest = {
    apiVersion = "kyverno.io/v1"
    kind       = "ClusterPolicy"
    metadata   = { name = "recommend-only" }
    spec = {
      rules = [{
        name  = "label-namespaces"
        match = { any = [{ resources = { kinds = ["Namespace"] } }] }
        mutate = {
          patchStrategicMerge = {
            metadata = {
              labels = { "goldilocks.fairwinds.com/vpa-update-mode" = "off" }
            }
          }
        }
      }]
    }
  }
}
