# Frost Watch: Warns the garden of the night's frost

variable "nfs_server" { type = string }

resource "kubernetes_namespace" "frost_watch" {
  metadata {
    name = "frost-watch"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/frost-watch in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "frost-watch-secrets"
      namespace = "frost-watch"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "frost-watch-secrets"
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
          key = "frost-watch"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.frost_watch]
}

resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "frost-watch-data-proxmox"
    namespace = kubernetes_namespace.frost_watch.metadata[0].name
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
    # The autoresizer grows it, and a claim cannot shrink to the size written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

resource "kubernetes_deployment" "frost_watch" {
  metadata {
    name      = "frost-watch"
    namespace = kubernetes_namespace.frost_watch.metadata[0].name
    labels = {
      app  = "frost-watch"
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
        app = "frost-watch"
      }
    }
    template {
      metadata {
        labels = {
          app = "frost-watch"
        }
      }
      spec {
        enable_service_links = false
        node_selector = {
          "kubernetes.io/hostname" = "shed"
        }
        image_pull_secrets {
          name = "registry-credentials"
        }
        container {
          name  = "frost-watch"
          image = "ghcr.io/example/frost-watch:1.8.2"

          security_context {
            privileged = true
          }
          env {
            name = "WEATHER_API_KEY"
            value_from {
              secret_key_ref {
                name = "frost-watch-secrets"
                key  = "weather_api_key"
              }
            }
          }
          volume_mount {
            name       = "data"
            mount_path = "/var/lib/frost-watch"
          }
          volume_mount {
            name       = "device-ttyusb0"
            mount_path = "/dev/ttyUSB0"
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "128Mi"
            }
            limits = {
              memory = "128Mi"
            }
          }
          liveness_probe {
            exec {
              command = ["frost-watch", "alive"]
            }
            initial_delay_seconds = 30
            period_seconds        = 60
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
        # It reads the thermometers that are plugged in there
        volume {
          name = "device-ttyusb0"
          host_path {
            path = "/dev/ttyUSB0"
            type = "CharDevice"
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

resource "kubernetes_cron_job_v1" "digest" {
  metadata {
    name      = "digest"
    namespace = kubernetes_namespace.frost_watch.metadata[0].name
  }
  spec {
    schedule                      = "0 7 * * *"
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
              app       = "frost-watch-jobs"
              component = "digest"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            image_pull_secrets {
              name = "registry-credentials"
            }
            container {
              name  = "digest"
              image = "registry.example.test/apps/mail-digest:1.4.0"
              args  = ["frost"]
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
  name       = "frost-watch-backup-host"
  namespace  = kubernetes_namespace.frost_watch.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/frost-watch-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "frost-watch-backup"
    namespace = kubernetes_namespace.frost_watch.metadata[0].name
  }
  spec {
    schedule                      = "46 3 * * *"
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
              app       = "frost-watch-jobs"
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
                      app = "frost-watch"
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
                # Copies all databases of a volume, and every other file unchanged.
                copy_sqlite() {
                  databases=0
                  (cd "/data/$1" && find . -type f) >"$partial/$1.list"
                  while IFS= read -r file; do
                    file=$${file#./}
                    from=/data/$1/$file
                    if is_sqlite "$from"; then
                      copy_database "$from" "$partial/$1/$file"
                      databases=$((databases + 1))
                      continue
                    fi
                    case $file in
                      # These are part of a database, and included in its copy.
                      *-wal | *-shm | *-journal) if is_sqlite "$${from%-*}"; then continue; fi ;;
                    esac
                    mkdir -p "$(dirname "$partial/$1/$file")"
                    # A file may disappear meanwhile, but a read error is a failure.
                    cp -p "$from" "$partial/$1/$file" || [ ! -e "$from" ] || exit 1
                  done <"$partial/$1.list"
                  rm "$partial/$1.list"
                  if [ "$databases" = 0 ]; then
                    echo "no SQLite database in /data/$1" >&2
                    exit 1
                  fi
                }

                save copy_sqlite data

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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/frost-watch-backup" || echo "pushing the metrics failed" >&2
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
