variable "tier" { type = string }

resource "kubernetes_namespace" "uptime_kuma" {
  metadata {
    name   = "uptime-kuma"
    labels = { tier = var.tier }
  }
  lifecycle {
    # A Kyverno policy sets this label. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

# Public hosts are found by their ingress annotations. What has no public ingress is listed here.
locals {
  internal_monitors = [
    {
      # No password: a network policy stands in front of it.
      name                        = "Redis"
      type                        = "redis"
      database_connection_string  = "redis://redis-master.redis.svc.cluster.local:6379"
      database_password_vault_key = null
      hostname                    = null
      port                        = null
      url                         = null
      accepted_statuscodes        = null
      ignore_tls                  = null
      interval                    = 60
      retry_interval              = 30
      max_retries                 = 3
    },
  ]
}

resource "kubernetes_config_map" "internal_monitors" {
  metadata {
    name      = "internal-monitors"
    namespace = kubernetes_namespace.uptime_kuma.metadata[0].name
  }

  data = { "monitors.json" = jsonencode(local.internal_monitors) }
}
