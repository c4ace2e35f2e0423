# Every morning: will it rain enough, or does the garden need water? No server, no ingress.

variable "nfs_server" { type = string }

resource "kubernetes_namespace" "rain_report" {
  metadata {
    name   = "rain-report"
    labels = { tier = local.tiers.aux }
  }

  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata   = { name = "rain-report-secrets", namespace = kubernetes_namespace.rain_report.metadata[0].name }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target          = { name = "rain-report-secrets" }
      dataFrom        = [{ extract = { key = "rain-report" } }]
    }
  }
}

# Every report ever sent, to look back at a dry summer.
module "nfs_archive" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "rain-archive-host"
  namespace  = kubernetes_namespace.rain_report.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/rain-report/archive"
}

# The readings of the old weather station. Its stack is gone, its namespace and data are not.
resource "kubernetes_persistent_volume_claim" "weather" {
  wait_until_bound = false
  metadata {
    name      = "weather-data-encrypted"
    namespace = "weather"
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "5Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm-encrypted"
    resources {
      requests = { storage = "1Gi" }
    }
  }

  lifecycle {
    ignore_changes = [spec[0].resources[0].requests]
  }
}

resource "kubernetes_cron_job_v1" "report" {
  metadata {
    name      = "rain-report"
    namespace = kubernetes_namespace.rain_report.metadata[0].name
  }
  spec {
    schedule           = "30 6 * * *"
    timezone           = "Europe/Berlin"
    concurrency_policy = "Forbid"
    job_template {
      metadata {}
      spec {
        active_deadline_seconds = 600
        template {
          metadata {}
          spec {
            restart_policy = "OnFailure"
            container {
              name    = "report"
              image   = "docker.io/curlimages/curl:8.12.1"
              command = ["/bin/sh", "-ec", "curl -fsS \"$FORECAST_URL\" | curl -fsS --data-binary @- \"$NOTIFY_URL\""]
              env_from {
                secret_ref { name = "rain-report-secrets" }
              }
            }
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }

  depends_on = [kubernetes_manifest.external_secret]
}
