# Toy Warehouse: The stock of toys, for the shop and the till

variable "nfs_server" { type = string }

resource "kubernetes_namespace" "toy_warehouse" {
  metadata {
    name = "toy-warehouse"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/toy-warehouse in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "toy-warehouse-secrets"
      namespace = "toy-warehouse"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "toy-warehouse-secrets"
      }
      dataFrom = [{
        extract = {
          key = "toy-warehouse"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.toy_warehouse]
}

resource "kubernetes_persistent_volume_claim" "mariadb" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "toy-warehouse-mariadb-encrypted"
    namespace = kubernetes_namespace.toy_warehouse.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "25Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm-encrypted"
    resources {
      requests = {
        storage = "5Gi"
      }
    }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink to the size written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

resource "kubernetes_deployment" "toy_warehouse" {
  metadata {
    name      = "toy-warehouse"
    namespace = kubernetes_namespace.toy_warehouse.metadata[0].name
    labels = {
      app  = "toy-warehouse"
      tier = local.tiers.aux
    }
    annotations = {
      # The pod contains a database server, which Keel must not update; on the pod template, this would have no effect.
      "keel.sh/policy" = "never"
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
        app = "toy-warehouse"
      }
    }
    template {
      metadata {
        labels = {
          app = "toy-warehouse"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "toy-warehouse"
          image = "docker.io/library/mariadb:11.4.5"

          port {
            name           = "http"
            container_port = 3306
          }
          env {
            name  = "MARIADB_DATABASE"
            value = "toys"
          }
          env {
            name  = "MARIADB_USER"
            value = "shop"
          }
          env {
            name = "MARIADB_PASSWORD"
            value_from {
              secret_key_ref {
                name = "toy-warehouse-secrets"
                key  = "mariadb_password"
              }
            }
          }
          env {
            name = "MARIADB_ROOT_PASSWORD"
            value_from {
              secret_key_ref {
                name = "toy-warehouse-secrets"
                key  = "mariadb_root_password"
              }
            }
          }
          volume_mount {
            name       = "mariadb"
            mount_path = "/var/lib/mysql"
            sub_path   = "data"
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "1Gi"
            }
            limits = {
              memory = "1Gi"
            }
          }
          readiness_probe {
            tcp_socket {
              port = 3306
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 3306
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "mariadb"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.mariadb.metadata[0].name
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
      metadata[0].annotations["keel.sh/trigger"],
      metadata[0].annotations["keel.sh/pollSchedule"], # KYVERNO_LIFECYCLE_V2
      metadata[0].annotations["keel.sh/match-tag"],
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "toy_warehouse" {
  metadata {
    name      = "toy-warehouse"
    namespace = kubernetes_namespace.toy_warehouse.metadata[0].name
    labels = {
      app = "toy-warehouse"
    }
  }
  spec {
    selector = {
      app = "toy-warehouse"
    }
    port {
      name        = "http"
      port        = 3306
      target_port = 3306
    }
  }
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "toy-warehouse-backup-host"
  namespace  = kubernetes_namespace.toy_warehouse.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/toy-warehouse-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "toy-warehouse-backup"
    namespace = kubernetes_namespace.toy_warehouse.metadata[0].name
  }
  spec {
    schedule                      = "56 1 * * *"
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
              app       = "toy-warehouse-jobs"
              component = "backup"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            # The database’s own client dumps it and reads the dump back before it counts as a backup.
            init_container {
              name  = "dump-mariadb"
              image = "docker.io/library/mariadb:11.4.5"
              command = ["/bin/sh", "-c", <<-EOT
                set -eu
                # Discard the leftovers of an earlier attempt.
                rm -rf /backup/.dumps
                mkdir -p /backup/.dumps
                date +%s >/backup/.dumps/started
                dump=/backup/.dumps/mariadb.sql.gz
                # A failed dump leaves nothing that looks like a good one; the backup reports it after saving everything else.
                trap 'rm -f "$dump.partial" "$dump.whole"; exit 0' EXIT
                client=$(command -v mysqldump || command -v mariadb-dump)
                "$client" --host="$MYSQL_HOST" --port="$MYSQL_TCP_PORT" --user="$MYSQL_USER" --single-transaction --quick \
                  --routines --triggers --events --no-tablespaces --result-file="$dump.whole" "$MYSQL_DATABASE"
                # The last line proves that it is complete.
                if ! tail -n 1 "$dump.whole" | grep '^-- Dump completed' >/dev/null; then
                  echo "the dump of $MYSQL_DATABASE is incomplete" >&2
                  exit 1
                fi
                if ! grep '^CREATE TABLE' "$dump.whole" >/dev/null; then
                  echo "$MYSQL_DATABASE has no tables, which suggests a wrong database" >&2
                  exit 1
                fi
                gzip -c "$dump.whole" >"$dump.partial"
                gzip -t "$dump.partial"
                rm "$dump.whole"
                mv "$dump.partial" "$dump"
              EOT
              ]
              env {
                name  = "MYSQL_HOST"
                value = "toy-warehouse"
              }
              env {
                name  = "MYSQL_TCP_PORT"
                value = "3306"
              }
              env {
                name  = "MYSQL_USER"
                value = "shop"
              }
              env {
                name  = "MYSQL_DATABASE"
                value = "toys"
              }
              env {
                name = "MYSQL_PWD"
                value_from {
                  secret_key_ref {
                    name = "toy-warehouse-secrets"
                    key  = "mariadb_password"
                  }
                }
              }
              volume_mount {
                name       = "backup"
                mount_path = "/backup"
              }
              resources {
                requests = {
                  cpu    = "10m"
                  memory = "256Mi"
                }
                limits = {
                  memory = "256Mi"
                }
              }
            }
            container {
              name  = "backup"
              image = "docker.io/library/python:3.13.9-alpine3.22"
              command = ["/bin/sh", "-c", <<-EOT
                set -eu
                started=$(cat /backup/.dumps/started)
                target=/backup/$(date +%Y-%m-%dT%H-%M-%S)
                partial=$target.partial
                copying=
                # A failed or interrupted run leaves nothing that looks like a good backup.
                trap 'rm -rf "$partial" /backup/.dumps' EXIT
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

                # Takes over a dump that an init container has made and verified.
                copy_dump() {
                  if [ ! -s "/backup/.dumps/$2" ]; then
                    echo "there is no dump of $1" >&2
                    exit 1
                  fi
                  mv "/backup/.dumps/$2" "$partial/$2"
                }

                save copy_dump mariadb mariadb.sql.gz

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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/toy-warehouse-backup" || echo "pushing the metrics failed" >&2
              EOT
              ]
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
  depends_on = [kubernetes_manifest.external_secret]
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

# These objects already exist and are imported, not created. Remove the blocks after the apply.
import {
  to = kubernetes_namespace.toy_warehouse
  id = "toy-warehouse"
}

import {
  to = kubernetes_manifest.external_secret
  id = "apiVersion=external-secrets.io/v1beta1,kind=ExternalSecret,namespace=toy-warehouse,name=toy-warehouse-secrets"
}

import {
  to = kubernetes_persistent_volume_claim.mariadb
  id = "toy-warehouse/toy-warehouse-mariadb-encrypted"
}

import {
  to = kubernetes_cron_job_v1.backup
  id = "toy-warehouse/toy-warehouse-backup"
}

import {
  to = module.nfs_backup.kubernetes_persistent_volume.this
  id = "toy-warehouse-backup-host"
}

import {
  to = module.nfs_backup.kubernetes_persistent_volume_claim.this
  id = "toy-warehouse/toy-warehouse-backup-host"
}

import {
  to = kubernetes_deployment.toy_warehouse
  id = "toy-warehouse/toy-warehouse"
}

import {
  to = kubernetes_service.toy_warehouse
  id = "toy-warehouse/toy-warehouse"
}
