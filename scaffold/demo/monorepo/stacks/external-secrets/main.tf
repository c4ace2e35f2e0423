# Two stores for every ExternalSecret: what people put into Vault, and what its database engine rotates.

resource "kubernetes_namespace" "external_secrets" {
  metadata {
    name   = "external-secrets"
    labels = { tier = local.tiers.cluster }
  }
  lifecycle {
    # A Kyverno policy sets this label. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

resource "kubernetes_manifest" "store" {
  for_each = {
    vault-kv       = { path = "secret", version = "v2" }
    vault-database = { path = "database", version = "v1" }
  }

  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ClusterSecretStore"
    metadata   = { name = each.key }
    spec = {
      provider = {
        vault = merge(each.value, {
          server = "http://vault.vault.svc.cluster.local:8200"
          auth   = { kubernetes = { mountPath = "kubernetes", role = "external-secrets" } }
        })
      }
    }
  }
}
