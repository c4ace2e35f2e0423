# Party Invites: Sends invitations and counts who comes

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }

resource "kubernetes_namespace" "party_invites" {
  metadata {
    name = "party-invites"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "party-invites-data-encrypted"
    namespace = kubernetes_namespace.party_invites.metadata[0].name
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

resource "kubernetes_deployment" "party_invites" {
  metadata {
    name      = "party-invites"
    namespace = kubernetes_namespace.party_invites.metadata[0].name
    labels = {
      app  = "party-invites"
      tier = local.tiers.aux
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
        app = "party-invites"
      }
    }
    template {
      metadata {
        labels = {
          app = "party-invites"
        }
      }
      spec {
        enable_service_links             = false
        termination_grace_period_seconds = 90
        container {
          name  = "party-invites"
          image = "ghcr.io/example/party-invites:1.4.0"

          port {
            name           = "http"
            container_port = 8080
          }
          volume_mount {
            name       = "data"
            mount_path = "/data"
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "256Mi"
            }
            limits = {
              memory = "256Mi"
            }
          }
          readiness_probe {
            http_get {
              path = "/healthz"
              port = 8080
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/healthz"
              port = 8080
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
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: Keel updates the image, and an apply must not revert it
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "party_invites" {
  metadata {
    name      = "party-invites"
    namespace = kubernetes_namespace.party_invites.metadata[0].name
    labels = {
      app = "party-invites"
    }
  }
  spec {
    selector = {
      app = "party-invites"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}

# https://party-invites.example.test, only what begins with /yes/ or /no/
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "party-invites"
  namespace       = kubernetes_namespace.party_invites.metadata[0].name
  ingress_path    = ["/yes/", "/no/"]
  tls_secret_name = var.tls_secret_name
  # auth = "none": Every link in a mail has a signed token that the app checks
  auth           = "none"
  dns_type       = "proxied"
  homepage_group = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Party Invites"
    "gethomepage.dev/description"  = "Sends invitations and counts who comes"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}

# /yes/list: a login for these paths only.
module "ingress_yes_list" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "party-invites-yes-list"
  namespace        = kubernetes_namespace.party_invites.metadata[0].name
  host             = "party-invites"
  service_name     = "party-invites"
  ingress_path     = ["/yes/list"]
  tls_secret_name  = var.tls_secret_name
  auth             = "required"
  external_monitor = false
  homepage_enabled = false
}

# /hooks/: called by machines, which a login page would block.
module "ingress_hooks" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "party-invites-hooks"
  namespace       = kubernetes_namespace.party_invites.metadata[0].name
  host            = "party-invites"
  service_name    = "party-invites"
  ingress_path    = ["/hooks/"]
  tls_secret_name = var.tls_secret_name
  # auth = "app": The app checks the signature of the mail server
  auth             = "app"
  external_monitor = false
  homepage_enabled = false
}

# https://party.example.test, only what begins with /album
module "ingress_host_party" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "party-invites-party"
  namespace       = kubernetes_namespace.party_invites.metadata[0].name
  host            = "party"
  service_name    = "party-invites"
  ingress_path    = ["/album"]
  tls_secret_name = var.tls_secret_name
  # auth = "app": Guests have accounts of their own
  auth           = "app"
  dns_type       = "proxied"
  homepage_group = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Album"
    "gethomepage.dev/description"  = "Pictures of the party"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "party-invites-backup-host"
  namespace  = kubernetes_namespace.party_invites.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/party-invites-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "party-invites-backup"
    namespace = kubernetes_namespace.party_invites.metadata[0].name
  }
  spec {
    schedule                      = "31 1 * * *"
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
              app       = "party-invites-jobs"
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
                      app = "party-invites"
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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/party-invites-backup" || echo "pushing the metrics failed" >&2
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
