# Greenhouse: Waters the plants and shows how they grow

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }
variable "public_ip" { type = string }

resource "kubernetes_namespace" "greenhouse" {
  metadata {
    name = "greenhouse"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/greenhouse in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "greenhouse-secrets"
      namespace = "greenhouse"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "greenhouse-secrets"
      }
      dataFrom = [{
        extract = {
          key = "greenhouse"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.greenhouse]
}

# Read during the plan, so the ExternalSecret has to be applied first.
data "kubernetes_secret" "greenhouse" {
  metadata {
    name      = "greenhouse-secrets"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
  }
  depends_on = [kubernetes_manifest.external_secret]
}

# Settings and state together, for one backup of both
resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "greenhouse-data-proxmox"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
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

resource "kubernetes_deployment" "greenhouse" {
  metadata {
    name      = "greenhouse"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
    labels = {
      app  = "greenhouse"
      tier = local.tiers.aux
      # Sablier scales it to zero while nobody uses it, and forwards requests shortly after waking it up.
      "sablier.enable"      = "true"
      "sablier.group"       = "greenhouse"
      "sablier.ready-after" = "5s"
    }
    annotations = {
      # How Keel updates it. On the pod template, this would have no effect.
      "keel.sh/policy"       = "minor"
      "keel.sh/pollSchedule" = "@daily"
      "keel.sh/trigger"      = "poll"
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
        app = "greenhouse"
      }
    }
    template {
      metadata {
        labels = {
          app = "greenhouse"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "greenhouse"
          image = "ghcr.io/example/greenhouse:3.1.4"

          port {
            name           = "http"
            container_port = 8080
          }
          env {
            name  = "HOME_ADDRESS"
            value = var.public_ip
          }
          env {
            name  = "CAMERA"
            value = "rtsp://${var.public_ip}:8554/beds"
          }
          volume_mount {
            name       = "data"
            mount_path = "/etc/greenhouse"
            sub_path   = "config"
          }
          volume_mount {
            name       = "data"
            mount_path = "/var/lib/greenhouse"
            sub_path   = "state"
          }
          volume_mount {
            name       = "data"
            mount_path = "/srv/www/pictures"
            sub_path   = "pictures"
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
          # It can take up to ten minutes to start.
          startup_probe {
            http_get {
              path = "/healthz"
              port = 8080
            }
            period_seconds    = 10
            failure_threshold = 60
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
            period_seconds    = 30
            timeout_seconds   = 10
            failure_threshold = 5
          }
        }
        # Opens the valves at sunrise
        container {
          name    = "clock"
          image   = "docker.io/library/busybox:1.37.0"
          command = ["sleep", "infinity"]
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
  # Its first start takes longer than an apply waits; check it with kubectl rollout status.
  wait_for_rollout = false
  # The pod cannot start until its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
  ]
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      metadata[0].annotations["keel.sh/match-tag"],
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: Keel updates the image, and an apply must not revert it
      spec[0].template[0].spec[0].container[1].image, # KEEL_IGNORE_IMAGE
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
      spec[0].replicas,                                                   # SABLIER_MANAGED_REPLICAS
    ]
  }
}

resource "kubernetes_service" "greenhouse" {
  metadata {
    name      = "greenhouse"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
    labels = {
      app = "greenhouse"
    }
    annotations = {
      "prometheus.io/scrape" = "true"
      "prometheus.io/path"   = "/metrics"
      "prometheus.io/port"   = "8080"
    }
  }
  spec {
    selector = {
      app = "greenhouse"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}

# No other pod in the cluster may reach its pods, including those of its jobs.
resource "kubernetes_network_policy" "greenhouse" {
  metadata {
    name      = "greenhouse"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
  }
  spec {
    policy_types = ["Ingress"]
    pod_selector {}
    ingress {
      # Its own pods.
      from {
        pod_selector {}
      }
      # It asks for the readings of the day.
      from {
        namespace_selector {
          match_labels = {
            "kubernetes.io/metadata.name" = "hermes-agent"
          }
        }
      }
      # The ingress forwards external requests.
      from {
        namespace_selector {
          match_labels = {
            "kubernetes.io/metadata.name" = "traefik"
          }
        }
      }
      # Prometheus scrapes its metrics.
      from {
        namespace_selector {
          match_labels = {
            "kubernetes.io/metadata.name" = "monitoring"
          }
        }
      }
      # The dashboard’s tile reads from it.
      from {
        namespace_selector {
          match_labels = {
            "kubernetes.io/metadata.name" = "homepage"
          }
        }
      }
    }
  }
}

# Before anybody is up
resource "kubernetes_cron_job_v1" "report" {
  metadata {
    name      = "report"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
  }
  spec {
    schedule                      = "0 6 * * *"
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
              app       = "greenhouse-jobs"
              component = "report"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            container {
              name    = "report"
              image   = "ghcr.io/example/greenhouse:3.1.4"
              command = ["greenhouse", "report"]
              env {
                name  = "HOME_ADDRESS"
                value = var.public_ip
              }
              env {
                name  = "CAMERA"
                value = "rtsp://${var.public_ip}:8554/beds"
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

# Runs once. It is kept when finished; otherwise, the next apply would run it again.
# Fills the beds once
resource "kubernetes_job_v1" "plant" {
  metadata {
    name      = "plant"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
  }
  spec {
    backoff_limit = 2
    template {
      metadata {
        labels = {
          app       = "greenhouse-jobs"
          component = "plant"
        }
      }
      spec {
        restart_policy       = "Never"
        enable_service_links = false
        init_container {
          name    = "weather"
          image   = "docker.io/library/busybox:1.37.0"
          command = ["wget", "-O", "/dev/null", "http://forecast.example.org"]
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
          name    = "plant"
          image   = "ghcr.io/example/greenhouse:3.1.4"
          command = ["greenhouse", "plant"]
          env {
            name  = "HOME_ADDRESS"
            value = var.public_ip
          }
          env {
            name  = "CAMERA"
            value = "rtsp://${var.public_ip}:8554/beds"
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
      }
    }
  }
  wait_for_completion = false
  depends_on          = [kubernetes_manifest.external_secret]
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      # Changes that do not affect what it does must not run it again.
      spec[0].template[0].metadata,
      spec[0].template[0].spec[0].enable_service_links,
    ]
  }
}

# A redirect needs no other checks first.
resource "kubernetes_manifest" "redirect" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "greenhouse-redirect"
      namespace = "greenhouse"
    }
    spec = {
      redirectRegex = {
        regex       = "^https://greenhouse\\.[^/]*/old/(.*)"
        replacement = "/$${1}"
      }
    }
  }
  depends_on = [kubernetes_namespace.greenhouse]
}

# Unwanted addresses are rejected before anything else is checked.
resource "kubernetes_manifest" "allowlist" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "greenhouse-allowlist"
      namespace = "greenhouse"
    }
    spec = {
      ipAllowList = {
        sourceRange = ["192.0.2.0/24", "198.51.100.7"]
      }
    }
  }
  depends_on = [kubernetes_namespace.greenhouse]
}

# The default rate limit counts requests per second.
resource "kubernetes_manifest" "rate_limit" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "greenhouse-rate-limit"
      namespace = "greenhouse"
    }
    spec = {
      rateLimit = {
        average = 10
        period  = "1m"
        burst   = 20
        sourceCriterion = {
          requestHost = true
        }
      }
    }
  }
  depends_on = [kubernetes_namespace.greenhouse]
}

# Only accepted requests get these headers, which replace those that a client sends.
resource "kubernetes_manifest" "headers" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "greenhouse-headers"
      namespace = "greenhouse"
    }
    spec = {
      headers = {
        customRequestHeaders = {
          "X-Gateway"      = "greenhouse"
          "X-Gateway-Auth" = data.kubernetes_secret.greenhouse.data["gateway_secret"]
        }
      }
    }
  }
  depends_on = [kubernetes_namespace.greenhouse]
}

# User names and password hashes; Traefik requires a Secret that holds nothing else.
resource "kubernetes_manifest" "ingress_api_basic_auth_users" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "greenhouse-api-basic-auth"
      namespace = "greenhouse"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "greenhouse-api-basic-auth"
      }
      data = [{
        secretKey = "users"
        remoteRef = {
          key      = "greenhouse"
          property = "valve_users"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.greenhouse]
}

# The rate limit comes first, so that nobody can guess passwords quickly.
resource "kubernetes_manifest" "ingress_api_basic_auth" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "greenhouse-api-basic-auth"
      namespace = "greenhouse"
    }
    spec = {
      basicAuth = {
        secret = "greenhouse-api-basic-auth"
      }
    }
  }
  depends_on = [kubernetes_namespace.greenhouse]
}

# https://greenhouse.example.test
module "ingress" {
  source                  = "../../modules/kubernetes/ingress_factory"
  name                    = "greenhouse"
  namespace               = kubernetes_namespace.greenhouse.metadata[0].name
  tls_secret_name         = var.tls_secret_name
  auth                    = "required"
  dns_type                = "non-proxied"
  homepage_group          = "Other"
  skip_default_rate_limit = true
  extra_middlewares       = ["greenhouse-greenhouse-redirect@kubernetescrd", "greenhouse-greenhouse-allowlist@kubernetescrd", "greenhouse-greenhouse-rate-limit@kubernetescrd", "greenhouse-greenhouse-headers@kubernetescrd"]
  sablier                 = { group = "greenhouse", session_duration = "3h", strategy = "dynamic" }
  extra_annotations = {
    "gethomepage.dev/name"         = "Greenhouse"
    "gethomepage.dev/description"  = "Waters the plants and shows how they grow"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
    "gethomepage.dev/widget.type"  = "customapi"
    "gethomepage.dev/widget.url"   = "http://greenhouse.greenhouse.svc.cluster.local/tile"
  }
}

# /api/: called by machines, which a login page would block.
module "ingress_api" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "greenhouse-api"
  namespace       = kubernetes_namespace.greenhouse.metadata[0].name
  host            = "greenhouse"
  service_name    = "greenhouse"
  ingress_path    = ["/api/"]
  tls_secret_name = var.tls_secret_name
  # auth = "app": The valves know a name and a password
  auth                  = "app"
  extra_middlewares     = ["greenhouse-greenhouse-api-basic-auth@kubernetescrd"]
  sablier               = { group = "greenhouse", session_duration = "3h", strategy = "blocking" }
  external_monitor      = true
  external_monitor_name = "Valves"
  homepage_enabled      = false
}

# https://plants.example.test
# The label on the pots says so
module "ingress_host_plants" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "greenhouse-plants"
  namespace        = kubernetes_namespace.greenhouse.metadata[0].name
  host             = "plants"
  service_name     = "greenhouse"
  tls_secret_name  = var.tls_secret_name
  auth             = "required"
  dns_type         = "non-proxied"
  sablier          = { group = "greenhouse", session_duration = "3h", strategy = "dynamic" }
  homepage_enabled = false
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "greenhouse-backup-host"
  namespace  = kubernetes_namespace.greenhouse.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/greenhouse-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "greenhouse-backup"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
  }
  spec {
    schedule                      = "26 3 * * *"
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
              app       = "greenhouse-jobs"
              component = "backup"
            }
          }
          spec {
            # A ReadWriteOnce volume is only there on the node of the app's pod.
            affinity {
              pod_affinity {
                # Preferred only: while the app is scaled to zero there is no such pod.
                preferred_during_scheduling_ignored_during_execution {
                  weight = 100
                  pod_affinity_term {
                    label_selector {
                      match_labels = {
                        app = "greenhouse"
                      }
                    }
                    topology_key = "kubernetes.io/hostname"
                  }
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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/greenhouse-backup" || echo "pushing the metrics failed" >&2
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
