# Vault Notes: Encrypted notes

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }

resource "kubernetes_namespace" "vault_notes" {
  metadata {
    name = "vault-notes"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    # A Kyverno policy stamps this label on every namespace. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only made when the first pod wants it.
  wait_until_bound = false
  metadata {
    name      = "vault-notes-data-encrypted"
    namespace = kubernetes_namespace.vault_notes.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "4Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm-encrypted"
    resources {
      requests = {
        storage = "500Mi"
      }
    }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink back to what is written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

# No backup: It is filled again from the notes
resource "kubernetes_persistent_volume_claim" "cache" {
  # The volume is only made when the first pod wants it.
  wait_until_bound = false
  metadata {
    name      = "vault-notes-cache-proxmox"
    namespace = kubernetes_namespace.vault_notes.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "5Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm"
    resources {
      requests = {
        storage = "1Gi"
      }
    }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink back to what is written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

resource "kubernetes_deployment" "vault_notes" {
  metadata {
    name      = "vault-notes"
    namespace = kubernetes_namespace.vault_notes.metadata[0].name
    labels = {
      app  = "vault-notes"
      tier = local.tiers.aux
      # Keel leaves this Deployment alone; on the pod template this would do nothing.
      "keel.sh/policy" = "never"
    }
  }
  spec {
    replicas = 1
    strategy {
      # A ReadWriteOnce volume cannot be in two pods.
      type = "Recreate"
    }
    selector {
      match_labels = {
        app = "vault-notes"
      }
    }
    template {
      metadata {
        labels = {
          app = "vault-notes"
        }
      }
      spec {
        security_context {
          run_as_user  = 1000
          run_as_group = 1000
          fs_group     = 1000
        }
        container {
          name  = "vault-notes"
          image = "docker.io/standardnotes/server:1.4.2"

          port {
            name           = "http"
            container_port = 3000
          }
          volume_mount {
            name       = "data"
            mount_path = "/data"
          }
          volume_mount {
            name       = "cache"
            mount_path = "/cache"
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "256Mi"
            }
            # No CPU limit: it would throttle.
            limits = {
              memory = "256Mi"
            }
          }
          readiness_probe {
            http_get {
              path = "/healthcheck"
              port = 3000
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/healthcheck"
              port = 3000
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
          name = "cache"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.cache.metadata[0].name
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
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "vault_notes" {
  metadata {
    name      = "vault-notes"
    namespace = kubernetes_namespace.vault_notes.metadata[0].name
    labels = {
      app = "vault-notes"
    }
  }
  spec {
    selector = {
      app = "vault-notes"
    }
    port {
      name        = "http"
      port        = 8080
      target_port = 3000
    }
  }
}

# https://vault-notes.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "vault-notes"
  namespace       = kubernetes_namespace.vault_notes.metadata[0].name
  port            = 8080
  tls_secret_name = var.tls_secret_name
  # auth = "app": The server asks every client for its own account and key
  auth           = "app"
  dns_type       = "proxied"
  homepage_group = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Vault Notes"
    "gethomepage.dev/description"  = "Encrypted notes"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}

# Where the backups go: the NFS server, which is mirrored off site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "vault-notes-backup-host"
  namespace  = kubernetes_namespace.vault_notes.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/vault-notes-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "vault-notes-backup"
    namespace = kubernetes_namespace.vault_notes.metadata[0].name
  }
  spec {
    schedule                      = "41 2 * * *"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 3
        ttl_seconds_after_finished = 86400
        template {
          metadata {}
          spec {
            # A ReadWriteOnce volume is only there on the node of the app's pod.
            affinity {
              pod_affinity {
                required_during_scheduling_ignored_during_execution {
                  label_selector {
                    match_labels = {
                      app = "vault-notes"
                    }
                  }
                  topology_key = "kubernetes.io/hostname"
                }
              }
            }
            restart_policy = "Never"
            container {
              name  = "backup"
              image = "docker.io/library/alpine:3.20"
              command = ["/bin/sh", "-c", <<-EOT
                set -eu
                started=$(date +%s)
                target=/backup/$(date +%Y-%m-%dT%H-%M-%S)
                partial=$target.partial
                # A failed backup leaves nothing that looks like a good one.
                trap 'rm -rf "$partial"' EXIT
                mkdir -p "$partial"

                command -v sqlite3 >/dev/null || apk add --no-cache sqlite

                is_sqlite() {
                  [ "$(head -c 15 "$1" 2>/dev/null)" = "SQLite format 3" ]
                }
                healthy() {
                  [ "$(sqlite3 "$1" 'PRAGMA integrity_check;')" = ok ]
                }
                # A read-only URI. In WAL mode a cleanly closed database cannot be opened on a read-only mount;
                # without a -wal file nobody writes to it, so it may be taken as immutable.
                read_only() {
                  uri="file:$(printf %s "$1" | sed 's/%/%25/g; s/?/%3f/g; s/#/%23/g')?mode=ro"
                  if ! sqlite3 "$uri" 'PRAGMA schema_version;' >/dev/null 2>&1 && [ ! -e "$1-wal" ]; then
                    uri="$uri&immutable=1"
                  fi
                  printf %s "$uri"
                }
                copy_database() {
                  source=$(read_only "$1")
                  if ! healthy "$source"; then
                    echo "$1 fails its integrity check" >&2
                    exit 1
                  fi
                  sqlite3 "$source" ".timeout 60000" ".backup $partial/copy"
                  # Of the same owner, so that the app can write to it once it is restored.
                  chown "$(stat -c %u:%g "$1")" "$partial/copy" || echo "the copy of $1 has another owner" >&2
                  chmod "$(stat -c %a "$1")" "$partial/copy"
                  if ! healthy "$partial/copy"; then
                    echo "the copy of $1 fails its integrity check" >&2
                    exit 1
                  fi
                  mv "$partial/copy" "$2"
                }
                # Databases by SQLite's own backup, and every other file as it is.
                copy_sqlite() {
                  databases=0
                  (cd "/data/$1" && find . -type f) >"$partial/list"
                  while IFS= read -r file; do
                    from=/data/$1/$file
                    mkdir -p "$(dirname "$partial/$1/$file")"
                    if is_sqlite "$from"; then
                      copy_database "$from" "$partial/$1/$file"
                      databases=$((databases + 1))
                      continue
                    fi
                    case $file in
                      # These belong to a database, and are in its copy.
                      *-wal | *-shm | *-journal) if is_sqlite "$${from%-*}"; then continue; fi ;;
                    esac
                    # A file may go away meanwhile, but not fail to be read.
                    cp -p "$from" "$partial/$1/$file" || [ ! -e "$from" ] || exit 1
                  done <"$partial/list"
                  rm "$partial/list"
                  if [ "$databases" = 0 ]; then
                    echo "no SQLite database in /data/$1" >&2
                    exit 1
                  fi
                }

                copy_sqlite data
                mv "$partial" "$target"

                # Only now, with a new and good backup, old ones may go.
                find /backup -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +

                # The metrics tell, they do not decide: a failed push is no failed backup.
                wget -q -O /dev/null --post-data "backup_duration_seconds $(($(date +%s) - started))
                backup_output_bytes $(du -sk "$target" | awk '{ print $1 * 1024 }')
                backup_last_success_timestamp $(date +%s)
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/vault-notes-backup" || echo "pushing the metrics failed" >&2
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
