# Drone Logbook: Flight log analyzer for DJI drones

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }

resource "kubernetes_namespace" "drone_logbook" {
  metadata {
    name = "drone-logbook"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/drone-logbook in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "drone-logbook-secrets"
      namespace = "drone-logbook"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "drone-logbook-secrets"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
        }
      }
      dataFrom = [{
        extract = {
          key = "drone-logbook"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.drone_logbook]
}

resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "drone-logbook-data-encrypted"
    namespace = kubernetes_namespace.drone_logbook.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "10Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm-encrypted"
    resources {
      requests = {
        storage = "2Gi"
      }
    }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink to the size written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

# On NFS: several pods write to it or it is browsed from outside; NFS does not encrypt its sensitive data.
module "nfs_sync_logs" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "drone-logbook-sync-logs-host"
  namespace  = kubernetes_namespace.drone_logbook.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/drone-logbook/sync-logs"
  storage    = "1Gi"
}

resource "kubernetes_deployment" "drone_logbook" {
  metadata {
    name      = "drone-logbook"
    namespace = kubernetes_namespace.drone_logbook.metadata[0].name
    labels = {
      app  = "drone-logbook"
      tier = local.tiers.aux
    }
    annotations = {
      "reloader.stakater.com/search" = "true"
    }
  }
  spec {
    replicas = 1
    strategy {
      # Two pods cannot share a ReadWriteOnce volume.
      type = "Recreate"
    }
    selector {
      match_labels = {
        app = "drone-logbook"
      }
    }
    template {
      metadata {
        labels = {
          app = "drone-logbook"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "drone-logbook"
          image = "ghcr.io/arpanghosh8453/open-dronelog:1.0.0"

          port {
            name           = "http"
            container_port = 80
          }
          env {
            name  = "KEEP_UPLOADED_FILES"
            value = "true"
          }
          env {
            name  = "SYNC_LOGS_PATH"
            value = "/sync-logs"
          }
          env {
            name = "PROFILE_CREATION_PASS"
            value_from {
              secret_key_ref {
                name = "drone-logbook-secrets"
                key  = "profile_creation_pass"
              }
            }
          }
          volume_mount {
            name       = "data"
            mount_path = "/data/drone-logbook"
          }
          volume_mount {
            name       = "sync-logs"
            mount_path = "/sync-logs"
            read_only  = true
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "512Mi"
            }
            limits = {
              memory = "512Mi"
            }
          }
          readiness_probe {
            tcp_socket {
              port = 80
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 80
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.data.metadata[0].name
          }
        }
        volume {
          name = "sync-logs"
          persistent_volume_claim {
            claim_name = module.nfs_sync_logs.claim_name
          }
        }
      }
    }
  }
  # The pod cannot start until its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
  ]
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      metadata[0].annotations["keel.sh/policy"],
      metadata[0].annotations["keel.sh/trigger"],
      metadata[0].annotations["keel.sh/pollSchedule"], # KYVERNO_LIFECYCLE_V2
      metadata[0].annotations["keel.sh/match-tag"],
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: Keel updates the image, and an apply must not revert it
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "drone_logbook" {
  metadata {
    name      = "drone-logbook"
    namespace = kubernetes_namespace.drone_logbook.metadata[0].name
    labels = {
      app = "drone-logbook"
    }
  }
  spec {
    selector = {
      app = "drone-logbook"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 80
    }
  }
}

# https://dronelog.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "drone-logbook"
  namespace       = kubernetes_namespace.drone_logbook.metadata[0].name
  host            = "dronelog"
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Media & Entertainment"
  extra_annotations = {
    "gethomepage.dev/name"         = "Drone Logbook"
    "gethomepage.dev/description"  = "Flight log analyzer for DJI drones"
    "gethomepage.dev/icon"         = "mdi-quadcopter"
    "gethomepage.dev/pod-selector" = ""
  }
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "drone-logbook-backup-host"
  namespace  = kubernetes_namespace.drone_logbook.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/drone-logbook-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "drone-logbook-backup"
    namespace = kubernetes_namespace.drone_logbook.metadata[0].name
  }
  spec {
    schedule                      = "15 2 * * *"
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
              app       = "drone-logbook-jobs"
              component = "backup"
            }
          }
          spec {
            # A ReadWriteOnce volume is only there on the node of the app's pod.
            affinity {
              pod_affinity {
                required_during_scheduling_ignored_during_execution {
                  label_selector {
                    match_labels = {
                      app = "drone-logbook"
                    }
                  }
                  topology_key = "kubernetes.io/hostname"
                }
              }
            }
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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/drone-logbook-backup" || echo "pushing the metrics failed" >&2
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
