# Greenhouse: Waters the plants and shows how they grow

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }

resource "kubernetes_namespace" "greenhouse" {
  metadata {
    name = "greenhouse"
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

# Every key of secret/greenhouse in Vault.
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

# Read while planning, so the ExternalSecret has to be applied first.
data "kubernetes_secret" "greenhouse" {
  metadata {
    name      = "greenhouse-secrets"
    namespace = kubernetes_namespace.greenhouse.metadata[0].name
  }
  depends_on = [kubernetes_manifest.external_secret]
}

resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only made when the first pod wants it.
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
    # The autoresizer grows it, and a claim cannot shrink back to what is written here.
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
      # Sablier scales it to zero while nobody asks for it; what it has woken gets requests after a moment.
      "sablier.enable"      = "true"
      "sablier.group"       = "greenhouse"
      "sablier.ready-after" = "5s"
    }
    annotations = {
      # How Keel updates it. On the pod template this would do nothing.
      "keel.sh/policy"       = "minor"
      "keel.sh/pollSchedule" = "@daily"
      "keel.sh/trigger"      = "poll"
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
            # No CPU limit: it would throttle.
            limits = {
              memory = "512Mi"
            }
          }
          # It may take ten minutes to start.
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
        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.data.metadata[0].name
          }
        }
      }
    }
  }
  # Its first start outlasts what an apply waits for: see whether it is ready with kubectl rollout status.
  wait_for_rollout = false
  # The pod cannot start before its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
  ]
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      metadata[0].annotations["keel.sh/match-tag"],
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: Keel moves the image; an apply may not move it back
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

# Every other pod of the cluster is kept out, from the pods of its jobs too.
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
      # The ingress passes on what comes from outside.
      from {
        namespace_selector {
          match_labels = {
            "kubernetes.io/metadata.name" = "traefik"
          }
        }
      }
      # Prometheus asks for its metrics.
      from {
        namespace_selector {
          match_labels = {
            "kubernetes.io/metadata.name" = "monitoring"
          }
        }
      }
      # The dashboard asks it for what its tile shows.
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

# What leads elsewhere is asked nothing before.
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

# Who may not come is turned away before anything else is looked at.
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

# The default rate limit counts over a second.
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

# Only what was let in gets these headers, in place of what a client sends.
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

# Names and hashes of passwords, as Traefik wants them: alone in a Secret.
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

# Passwords are asked for behind the rate limit, so that nobody tries many of them.
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

# /api/: called by machines, which no login page may stop.
module "ingress_api" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "greenhouse-api"
  namespace       = kubernetes_namespace.greenhouse.metadata[0].name
  host            = "greenhouse"
  service_name    = "greenhouse"
  ingress_path    = ["/api/"]
  tls_secret_name = var.tls_secret_name
  # auth = "app": The valves know a name and a password
  auth              = "app"
  extra_middlewares = ["greenhouse-greenhouse-api-basic-auth@kubernetescrd"]
  sablier           = { group = "greenhouse", session_duration = "3h", strategy = "blocking" }
  external_monitor  = false
  homepage_enabled  = false
}

# Where the backups go: the NFS server, which is mirrored off site.
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
        # A run that hangs is stopped: no later one starts before it has ended.
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
                # What fails or is stopped leaves nothing that looks like a good backup.
                trap 'rm -rf "$partial"' EXIT
                trap 'kill $copying 2>/dev/null; exit 143' TERM
                # What was killed could not tidy up. No run takes longer than that.
                find /backup -mindepth 1 -maxdepth 1 -name '*.partial' -mmin +241 -exec rm -rf {} +
                mkdir -p "$partial"

                # One volume, in a shell of its own: where it fails, the others are saved all the same.
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
                # Whether there is anything in a volume; lost+found is of the file system.
                filled() {
                  [ -n "$(ls -A "/data/$1" | grep -vx lost+found)" ]
                }

                is_sqlite() {
                  [ "$(head -c 15 "$1" 2>/dev/null)" = "SQLite format 3" ]
                }
                # One database by SQLite's own backup, checked before and after, of the same owner, so that the app can write
                # to it once it is restored.
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
                        # In WAL mode a cleanly closed database cannot be opened on a read-only mount. Without a -wal file
                        # nobody writes to it, so it may be taken as immutable; one that is locked may not.
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
                # All databases of a volume, and every other file as it is.
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
                      # These belong to a database, and are in its copy.
                      *-wal | *-shm | *-journal) if is_sqlite "$${from%-*}"; then continue; fi ;;
                    esac
                    mkdir -p "$(dirname "$partial/$1/$file")"
                    # A file may go away meanwhile, but not fail to be read.
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
                  # The others are kept, once: until the next backup, whole or not. No old one goes.
                  if ! rmdir "$partial" 2>/dev/null; then
                    rm -rf /backup/*.incomplete
                    mv "$partial" "$target.incomplete"
                  fi
                  echo "not backed up:$failed" >&2
                  exit 1
                fi
                mv "$partial" "$target"

                # Only now, with a new and good backup, old ones may go.
                rm -rf /backup/*.incomplete
                find /backup -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +

                # The metrics tell, they do not decide: a failed push is no failed backup.
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
