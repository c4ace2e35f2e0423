# Meter Sync: Fetches the readings of the meters every night

variable "nfs_server" { type = string }

resource "kubernetes_namespace" "meter_sync" {
  metadata {
    name = "meter-sync"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/meter-sync in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "meter-sync-secrets"
      namespace = "meter-sync"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "meter-sync-secrets"
      }
      dataFrom = [{
        extract = {
          key = "meter-sync"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.meter_sync]
}

resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "meter-sync-data-encrypted"
    namespace = kubernetes_namespace.meter_sync.metadata[0].name
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
      requests = {
        storage = "1Gi"
      }
    }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink to the size written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

resource "kubernetes_cron_job_v1" "readings" {
  metadata {
    name      = "readings"
    namespace = kubernetes_namespace.meter_sync.metadata[0].name
  }
  spec {
    schedule                      = "20 2 * * *"
    timezone                      = "Europe/Berlin"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 2
        active_deadline_seconds    = 72000
        ttl_seconds_after_finished = 86400
        template {
          metadata {
            labels = {
              app       = "meter-sync"
              component = "readings"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            image_pull_secrets {
              name = "registry-credentials"
            }
            init_container {
              name              = "migrate"
              image             = "registry.example.test/apps/meter-sync:latest"
              image_pull_policy = "Always"
              command           = ["meters", "migrate"]
              env {
                name = "METER_KEY"
                value_from {
                  secret_key_ref {
                    name = "meter-sync-secrets"
                    key  = "meter_key"
                  }
                }
              }
              volume_mount {
                name       = "data"
                mount_path = "/state"
              }
              resources {
                requests = {
                  cpu    = "10m"
                  memory = "128Mi"
                }
                limits = {
                  memory = "128Mi"
                }
              }
            }
            container {
              name              = "readings"
              image             = "registry.example.test/apps/meter-sync:latest"
              image_pull_policy = "Always"
              command           = ["meters", "fetch"]
              env {
                name = "METER_KEY"
                value_from {
                  secret_key_ref {
                    name = "meter-sync-secrets"
                    key  = "meter_key"
                  }
                }
              }
              volume_mount {
                name       = "data"
                mount_path = "/state"
              }
              resources {
                requests = {
                  cpu    = "10m"
                  memory = "128Mi"
                }
                limits = {
                  memory = "128Mi"
                }
              }
            }
            volume {
              name = "data"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.data.metadata[0].name
              }
            }
          }
        }
      }
    }
  }
  depends_on = [kubernetes_manifest.external_secret]
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "meter-sync-backup-host"
  namespace  = kubernetes_namespace.meter_sync.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/meter-sync-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "meter-sync-backup"
    namespace = kubernetes_namespace.meter_sync.metadata[0].name
  }
  spec {
    schedule                      = "19 4 * * *"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 3
        active_deadline_seconds    = 14400
        ttl_seconds_after_finished = 86400
        template {
          metadata {
            labels = {
              app       = "meter-sync"
              component = "backup"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            container {
              name  = "backup"
              image = "docker.io/library/python:3.13.9-alpine3.22"
              command = ["/bin/sh", "-c", <<-EOT
                set -eu
                started=$(date +%s)
                target=/backup/$(date +%Y-%m-%dT%H-%M-%S)
                partial=$target.partial
                copying=
                # A failed or interrupted run leaves nothing that looks like a good backup.
                trap 'rm -rf "$partial"' EXIT
                trap 'kill $copying 2>/dev/null; exit 143' TERM
                # Left over from runs that were killed; no run takes longer than this.
                find /backup -mindepth 1 -maxdepth 1 -name '*.partial' -mmin +241 -exec rm -rf {} +
                mkdir -p "$partial"

                # Saves one volume in a subshell, so that a failure does not affect the others.
                failed=
                save() {
                  "$@" &
                  copying=$!
                  if ! wait "$copying"; then
                    failed="$failed $2"
                    rm -rf "$partial/$2" "$partial/$2".*
                  fi
                  copying=
                }
                # Whether a volume contains anything other than lost+found.
                filled() {
                  [ -n "$(ls -A "/data/$1" | grep -vx lost+found)" ]
                }

                # Archives the files, up to three times if the app is writing. A copy of files in use is better than none.
                copy_files() {
                  if ! filled "$1"; then
                    echo "/data/$1 is empty, which suggests a wrong mount" >&2
                    exit 1
                  fi
                  for attempt in 1 2 3; do
                    # find -newer compares whole seconds.
                    touch /tmp/begun
                    sleep 1
                    archived=
                    if tar -C "/data/$1" -czf "$partial/$1.tar.gz" . && tar -tzf "$partial/$1.tar.gz" >/dev/null; then
                      archived=yes
                      written=$(find "/data/$1" -type f -newer /tmp/begun | head -n 5)
                      if [ -z "$written" ]; then
                        return
                      fi
                      echo "attempt $attempt: files changed during the copy: $written" >&2
                    else
                      echo "attempt $attempt to archive $1 failed" >&2
                    fi
                  done
                  [ -n "$archived" ] || exit 1
                }

                save copy_files data

                if [ -n "$failed" ]; then
                  # The other volumes are kept until the next run. No old backup is deleted.
                  if ! rmdir "$partial" 2>/dev/null; then
                    rm -rf /backup/*.incomplete
                    mv "$partial" "$target.incomplete"
                  fi
                  echo "not backed up:$failed" >&2
                  exit 1
                fi
                mv "$partial" "$target"

                # Old backups are only deleted after a complete new one.
                rm -rf /backup/*.incomplete
                find /backup -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +

                # A failed push does not make the backup fail.
                wget -q -T 30 -O /dev/null --post-data "backup_duration_seconds $(($(date +%s) - started))
                backup_output_bytes $(du -sk "$target" | awk '{ print $1 * 1024 }')
                backup_last_success_timestamp $(date +%s)
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/meter-sync-backup" || echo "pushing the metrics failed" >&2
              EOT
              ]
              volume_mount {
                name       = "data"
                mount_path = "/data/data"
                read_only  = true
              }
              volume_mount {
                name       = "backup"
                mount_path = "/backup"
              }
              resources {
                requests = {
                  cpu    = "10m"
                  memory = "128Mi"
                }
                limits = {
                  memory = "128Mi"
                }
              }
            }
            volume {
              name = "data"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.data.metadata[0].name
              }
            }
            volume {
              name = "backup"
              persistent_volume_claim {
                claim_name = module.nfs_backup.claim_name
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
}
