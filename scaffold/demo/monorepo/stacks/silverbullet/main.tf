# SilverBullet: the household's notes, as Markdown files. It has no login of its own.

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

variable "nfs_server" { type = string }

locals {
  labels = { app = "silverbullet" }
}

resource "kubernetes_namespace" "silverbullet" {
  metadata {
    name = "silverbullet"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }

  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_persistent_volume_claim" "data_encrypted" {
  wait_until_bound = false

  metadata {
    name      = "silverbullet-data-encrypted"
    namespace = kubernetes_namespace.silverbullet.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "10Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm-encrypted"
    resources { requests = { storage = "2Gi" } }
  }

  lifecycle {
    ignore_changes = [spec[0].resources[0].requests] # the autoresizer lets it grow
  }
}

resource "kubernetes_deployment" "silverbullet" {
  metadata {
    name      = "silverbullet"
    namespace = kubernetes_namespace.silverbullet.metadata[0].name
    labels    = merge(local.labels, { tier = local.tiers.aux })
  }
  spec {
    replicas = 1
    strategy { type = "Recreate" }
    selector { match_labels = local.labels }
    template {
      metadata {
        labels = local.labels
        annotations = {
          "diun.enable"       = "true"
          "diun.include_tags" = "^\\d+\\.\\d+\\.\\d+$"
        }
      }
      spec {
        security_context {
          run_as_user = 1000
          fs_group    = 1000
        }
        container {
          name  = "silverbullet"
          image = "ghcr.io/silverbulletmd/silverbullet:2.1.9"
          port { container_port = 3000 }
          volume_mount {
            name       = "data"
            mount_path = "/space"
          }
          readiness_probe {
            http_get {
              path = "/.ping"
              port = 3000
            }
          }
          liveness_probe {
            http_get {
              path = "/.ping"
              port = 3000
            }
            initial_delay_seconds = 30
            period_seconds        = 30
          }
          resources {
            requests = { cpu = "20m", memory = "256Mi" }
            limits   = { memory = "256Mi" }
          }
        }
        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.data_encrypted.metadata[0].name
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      metadata[0].annotations["keel.sh/policy"],
      metadata[0].annotations["keel.sh/trigger"],
      metadata[0].annotations["keel.sh/pollSchedule"], # KYVERNO_LIFECYCLE_V2
      metadata[0].annotations["keel.sh/match-tag"],
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "silverbullet" {
  metadata {
    name      = "silverbullet"
    namespace = kubernetes_namespace.silverbullet.metadata[0].name
    labels    = local.labels
  }
  spec {
    selector = local.labels
    port {
      name        = "http"
      port        = 80
      target_port = 3000
    }
  }
}

module "ingress" {
  source = "../../modules/kubernetes/ingress_factory"

  name            = "silverbullet"
  host            = "notes"
  namespace       = kubernetes_namespace.silverbullet.metadata[0].name
  auth            = "required"
  dns_type        = "proxied"
  tls_secret_name = var.tls_secret_name
  extra_annotations = {
    "gethomepage.dev/description" = "Notes of the household"
  }
}

module "nfs_backup" {
  source = "../../modules/kubernetes/nfs_volume"

  name       = "silverbullet-backup-host"
  namespace  = kubernetes_namespace.silverbullet.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/silverbullet-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "silverbullet-backup"
    namespace = kubernetes_namespace.silverbullet.metadata[0].name
  }
  spec {
    schedule           = "20 3 * * *"
    concurrency_policy = "Forbid"
    job_template {
      metadata {}
      spec {
        backoff_limit           = 1
        active_deadline_seconds = 3600
        template {
          metadata {}
          spec {
            restart_policy = "Never"
            affinity {
              pod_affinity {
                # A volume of one writer is attached to one node: the job has to run there.
                required_during_scheduling_ignored_during_execution {
                  topology_key = "kubernetes.io/hostname"
                  label_selector { match_labels = local.labels }
                }
              }
            }
            container {
              name  = "backup"
              image = "docker.io/library/alpine:3.21.3"
              command = ["/bin/sh", "-ec", <<-EOT
                started=$(date +%s)
                archive=/backup/notes-$(date +%Y%m%d-%H%M%S).tar.gz
                tar -czf "$archive.part" -C /space .
                tar -tzf "$archive.part" > /dev/null
                mv "$archive.part" "$archive"
                find /backup -name 'notes-*.tar.gz' -mtime +30 -delete
                now=$(date +%s)
                printf 'backup_duration_seconds %s\nbackup_output_bytes %s\nbackup_last_success_timestamp %s\n' \
                  "$((now - started))" "$(stat -c %s "$archive")" "$now" > /tmp/metrics
                wget -q -O /dev/null --post-file=/tmp/metrics \
                  http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/silverbullet-backup \
                  || echo "the backup is good, but its metrics were not pushed"
              EOT
              ]
              volume_mount {
                name       = "data"
                mount_path = "/space"
                read_only  = true
              }
              volume_mount {
                name       = "backup"
                mount_path = "/backup"
              }
              resources {
                requests = { cpu = "10m", memory = "64Mi" }
                limits   = { memory = "64Mi" }
              }
            }
            volume {
              name = "data"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.data_encrypted.metadata[0].name
                read_only  = true
              }
            }
            volume {
              name = "backup"
              persistent_volume_claim { claim_name = module.nfs_backup.claim_name }
            }
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}
