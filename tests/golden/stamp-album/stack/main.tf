# Stamp Album: A catalogue of stamps with their scans

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }

resource "kubernetes_namespace" "stamp_album" {
  metadata {
    name = "stamp-album"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/stamp-album in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "stamp-album-secrets"
      namespace = "stamp-album"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "stamp-album-secrets"
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
          key = "stamp-album"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.stamp_album]
}

# Secrets sealed by people: every file sealed-*.yaml beside this one.
resource "kubernetes_manifest" "sealed_secrets" {
  for_each   = fileset(path.module, "sealed-*.yaml")
  manifest   = yamldecode(file("${path.module}/${each.value}"))
  depends_on = [kubernetes_namespace.stamp_album]
}

resource "kubernetes_persistent_volume_claim" "postgres" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "stamp-album-postgres-encrypted"
    namespace = kubernetes_namespace.stamp_album.metadata[0].name
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

# On NFS: several pods write to it or it is browsed from outside; NFS does not encrypt its sensitive data.
module "nfs_scans" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "stamp-album-scans-host"
  namespace  = kubernetes_namespace.stamp_album.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/stamp-album/scans"
  storage    = "200Gi"
}

resource "kubernetes_deployment" "stamp_album" {
  metadata {
    name      = "stamp-album"
    namespace = kubernetes_namespace.stamp_album.metadata[0].name
    labels = {
      app  = "stamp-album"
      tier = local.tiers.aux
    }
    annotations = {
      # The pod contains a database server, which Keel must not update; on the pod template, this would have no effect.
      "keel.sh/policy"               = "never"
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
        app = "stamp-album"
      }
    }
    template {
      metadata {
        labels = {
          app = "stamp-album"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "stamp-album"
          image = "ghcr.io/example/stamp-album:1.8.2"

          port {
            name           = "http"
            container_port = 8000
          }
          env {
            name  = "DATABASE_HOST"
            value = "localhost"
          }
          env {
            name = "DATABASE_PASSWORD"
            value_from {
              secret_key_ref {
                name = "stamp-album-secrets"
                key  = "db_password"
              }
            }
          }
          volume_mount {
            name       = "catalogue"
            mount_path = "/var/lib/catalogue"
          }
          volume_mount {
            name       = "scans"
            mount_path = "/scans"
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
            http_get {
              path = "/healthz"
              port = 8000
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/healthz"
              port = 8000
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        container {
          name  = "postgres"
          image = "docker.io/library/postgres:16.4"
          port {
            name           = "postgres"
            container_port = 5432
          }
          env {
            name = "POSTGRES_PASSWORD"
            value_from {
              secret_key_ref {
                name = "stamp-album-secrets"
                key  = "db_password"
              }
            }
          }
          env {
            name  = "POSTGRES_USER"
            value = "stamps"
          }
          volume_mount {
            name       = "postgres"
            mount_path = "/var/lib/postgresql/data"
            sub_path   = "data"
          }
          resources {
            requests = {
              cpu    = "10m"
              memory = "512Mi"
            }
            limits = {
              memory = "512Mi"
            }
          }
          readiness_probe {
            tcp_socket {
              port = 5432
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 5432
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "postgres"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.postgres.metadata[0].name
          }
        }
        volume {
          name = "catalogue"
          persistent_volume_claim {
            claim_name = "stamp-catalogue"
          }
        }
        volume {
          name = "scans"
          persistent_volume_claim {
            claim_name = module.nfs_scans.claim_name
          }
        }
      }
    }
  }
  # The pod cannot start until its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
    kubernetes_manifest.sealed_secrets,
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

resource "kubernetes_service" "stamp_album" {
  metadata {
    name      = "stamp-album"
    namespace = kubernetes_namespace.stamp_album.metadata[0].name
    labels = {
      app = "stamp-album"
    }
  }
  spec {
    selector = {
      app = "stamp-album"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8000
    }
  }
}

# For the backup; the app itself reaches the database at localhost.
resource "kubernetes_service" "stamp_album_postgres" {
  metadata {
    name      = "stamp-album-postgres"
    namespace = kubernetes_namespace.stamp_album.metadata[0].name
  }
  spec {
    selector = {
      app = "stamp-album"
    }
    port {
      name        = "database"
      port        = 5432
      target_port = 5432
    }
  }
}

# https://stamp-album.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "stamp-album"
  namespace       = kubernetes_namespace.stamp_album.metadata[0].name
  tls_secret_name = var.tls_secret_name
  # auth = "app": Every collector has an account with a password
  auth           = "app"
  dns_type       = "proxied"
  homepage_group = "Other"
  extra_annotations = {
    "gethomepage.dev/name"                      = "Stamp Album"
    "gethomepage.dev/description"               = "A catalogue of stamps with their scans"
    "gethomepage.dev/icon"                      = "mdi-application"
    "gethomepage.dev/pod-selector"              = ""
    "uptime.example.test/external-monitor-path" = "/healthz"
  }
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "stamp-album-backup-host"
  namespace  = kubernetes_namespace.stamp_album.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/stamp-album-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "stamp-album-backup"
    namespace = kubernetes_namespace.stamp_album.metadata[0].name
  }
  spec {
    schedule                      = "8 1 * * *"
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
              app       = "stamp-album-jobs"
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
                      app = "stamp-album"
                    }
                  }
                  topology_key = "kubernetes.io/hostname"
                }
              }
            }
            restart_policy       = "Never"
            enable_service_links = false
            # The database’s own client dumps it and reads the dump back before it counts as a backup.
            init_container {
              name  = "dump-postgres"
              image = "docker.io/library/postgres:16.4"
              command = ["/bin/sh", "-c", <<-EOT
                set -eu
                # Discard the leftovers of an earlier attempt.
                rm -rf /backup/.dumps
                mkdir -p /backup/.dumps
                date +%s >/backup/.dumps/started
                dump=/backup/.dumps/postgres.dump
                # A failed dump leaves nothing that looks like a good one; the backup reports it after saving everything else.
                trap 'rm -f "$dump.partial"; exit 0' EXIT
                pg_dump --no-password --format=custom --file="$dump.partial"
                # Read it to the end: an incomplete dump has to fail now, not when it is needed.
                pg_restore --file=/dev/null "$dump.partial"
                if ! pg_restore --list "$dump.partial" | grep ' TABLE DATA ' >/dev/null; then
                  echo "$PGDATABASE has no tables, which suggests a wrong database" >&2
                  exit 1
                fi
                mv "$dump.partial" "$dump"
              EOT
              ]
              env {
                name  = "PGHOST"
                value = "stamp-album-postgres"
              }
              env {
                name  = "PGPORT"
                value = "5432"
              }
              env {
                name  = "PGUSER"
                value = "stamps"
              }
              env {
                name  = "PGDATABASE"
                value = "stamps"
              }
              env {
                name = "PGPASSWORD"
                value_from {
                  secret_key_ref {
                    name = "stamp-album-secrets"
                    key  = "db_password"
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

                is_sqlite() {
                  [ "$(head -c 15 "$1" 2>/dev/null)" = "SQLite format 3" ]
                }
                # Copies one database with SQLite's own backup, checked before and after. It keeps its owner, so that the app
                # can write to it after a restore.
                copy_database() {
                  mkdir -p "$(dirname "$2")"
                  python3 - "$1" "$2" <<'EOF'
                import os, pathlib, sqlite3, sys

                source, target = map(pathlib.Path, sys.argv[1:])


                def opened(path, options):
                    database = sqlite3.connect(f"{path.as_uri()}?{options}", timeout=60, uri=True)
                    try:
                        database.execute("PRAGMA schema_version")
                    except sqlite3.OperationalError as error:
                        # A cleanly closed database in WAL mode cannot be opened on a read-only mount. Without a -wal file,
                        # nothing is writing to it, so it can be opened as immutable, unless it is locked.
                        locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                        if locked or "immutable" in options or os.path.exists(f"{path}-wal"):
                            raise
                        return opened(path, f"{options}&immutable=1")
                    return database


                def demand_healthy(database, what):
                    if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                        sys.exit(f"{what} fails its integrity check")


                def give_up_when_locked(status, remaining, total):
                    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                        sys.exit(f"{source} stays locked")


                try:
                    database = opened(source, "mode=ro")
                    demand_healthy(database, source)
                    copy = sqlite3.connect(target)
                    database.backup(copy, progress=give_up_when_locked)
                    copy.close()
                    copy = opened(target, "mode=rw")
                    demand_healthy(copy, f"the copy of {source}")
                    copy.close()
                except sqlite3.Error as error:
                    sys.exit(f"{source}: {error}")
                told = source.stat()
                target.chmod(told.st_mode)
                try:
                    os.chown(target, told.st_uid, told.st_gid)
                except OSError:
                    print(f"the copy of {source} has another owner", file=sys.stderr)
                EOF
                }
                # Copies the named databases of a volume; each has to exist.
                copy_named() {
                  volume=$1
                  shift
                  for file; do
                    if ! is_sqlite "/data/$volume/$file"; then
                      echo "/data/$volume/$file is not an SQLite database" >&2
                      exit 1
                    fi
                    copy_database "/data/$volume/$file" "$partial/$volume/$file"
                  done
                }

                # Takes over a dump that an init container has made and verified.
                copy_dump() {
                  if [ ! -s "/backup/.dumps/$2" ]; then
                    echo "there is no dump of $1" >&2
                    exit 1
                  fi
                  mv "/backup/.dumps/$2" "$partial/$2"
                }

                save copy_dump postgres postgres.dump
                save copy_named catalogue stamps.db 'old albums/1954.db'
                save copy_files scans

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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/stamp-album-backup" || echo "pushing the metrics failed" >&2
              EOT
              ]
              volume_mount {
                name       = "catalogue"
                mount_path = "/data/catalogue"
                read_only  = true
              }
              volume_mount {
                name       = "scans"
                mount_path = "/data/scans"
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
              name = "catalogue"
              persistent_volume_claim {
                claim_name = "stamp-catalogue"
              }
            }
            volume {
              name = "scans"
              persistent_volume_claim {
                claim_name = module.nfs_scans.claim_name
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
  depends_on = [kubernetes_manifest.external_secret, kubernetes_manifest.sealed_secrets]
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}
