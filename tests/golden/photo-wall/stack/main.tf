# Photo Wall: Photos of the whole family

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }

resource "kubernetes_namespace" "photo_wall" {
  metadata {
    name = "photo-wall"
    labels = {
      tier                                    = local.tiers.aux
      "keel.sh/enrolled"                      = "true"
      "resource-governance/custom-quota"      = "true"
      "resource-governance/custom-limitrange" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# Replaces the quota of its Namespace tier.
resource "kubernetes_resource_quota" "photo_wall" {
  metadata {
    name      = "photo-wall-quota"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  spec {
    hard = {
      "requests.cpu"    = "4"
      "requests.memory" = "8Gi"
      "limits.memory"   = "16Gi"
      pods              = "12"
    }
  }
}

# Replaces the limits of its Namespace tier.
resource "kubernetes_limit_range" "photo_wall" {
  metadata {
    name      = "photo-wall-limits"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  spec {
    limit {
      type = "Container"
      default = {
        memory = "256Mi"
      }
      default_request = {
        memory = "128Mi"
      }
      max = {
        memory = "6Gi"
      }
    }
  }
}

# The TLS certificate, read through the symlink `secrets` beside this file.
module "tls_secret" {
  source          = "../../modules/kubernetes/setup_tls_secret"
  namespace       = kubernetes_namespace.photo_wall.metadata[0].name
  tls_secret_name = var.tls_secret_name
}

# All keys of secret/photo-wall in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "photo-wall-secrets"
      namespace = "photo-wall"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "photo-wall-secrets"
      }
      dataFrom = [{
        extract = {
          key = "photo-wall"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.photo_wall]
}

# On NFS: several pods write to it or it is browsed from outside.
# The directory is shared: The scanner puts its pictures there
module "nfs_originals" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "photo-wall-originals-host"
  namespace  = kubernetes_namespace.photo_wall.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/photos"
  storage    = "200Gi"
}

resource "kubernetes_persistent_volume_claim" "config" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "photo-wall-config-proxmox"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
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

data "kubernetes_secret" "copied_printer_login" {
  metadata {
    name      = "printer-client.tls"
    namespace = "printer"
  }
}

# The printer only takes clients that it knows
resource "kubernetes_secret" "copied_printer_login" {
  metadata {
    name      = "printer-login"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  type = data.kubernetes_secret.copied_printer_login.type
  data = data.kubernetes_secret.copied_printer_login.data
}

data "kubernetes_config_map" "copied_ca_bundle" {
  metadata {
    name      = "ca-bundle"
    namespace = "kube-system"
  }
}

# A copy: pods only mount what is in their own namespace.
resource "kubernetes_config_map" "copied_ca_bundle" {
  metadata {
    name      = "ca-bundle"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  data = data.kubernetes_config_map.copied_ca_bundle.data
}

resource "kubernetes_deployment" "photo_wall" {
  metadata {
    name      = "photo-wall"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
    labels = {
      app  = "photo-wall"
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
        app = "photo-wall"
      }
    }
    template {
      metadata {
        labels = {
          app = "photo-wall"
        }
      }
      spec {
        enable_service_links = false
        image_pull_secrets {
          name = "photo-wall-team"
        }
        security_context {
          fs_group = 1001
        }
        container {
          name  = "photo-wall"
          image = "lscr.io/linuxserver/photoprism:2025.1.1"

          port {
            name           = "http"
            container_port = 2342
          }
          port {
            name           = "share"
            container_port = 8081
          }
          env {
            name  = "PUID"
            value = "1000"
          }
          env {
            name  = "PGID"
            value = "1001"
          }
          env {
            name  = "NO_CHOWN"
            value = "true"
          }
          volume_mount {
            name       = "originals"
            mount_path = "/photos"
          }
          volume_mount {
            name       = "config"
            mount_path = "/config"
          }
          volume_mount {
            name       = "theme"
            mount_path = "/themes"
            read_only  = true
          }
          volume_mount {
            name       = "certificates"
            mount_path = "/etc/house"
            read_only  = true
          }
          volume_mount {
            name       = "printer"
            mount_path = "/etc/printer"
            read_only  = true
          }
          volume_mount {
            name       = "bundle"
            mount_path = "/etc/bundle"
            read_only  = true
          }
          volume_mount {
            name       = "photo-wall-secrets-files"
            mount_path = "/config/license.key"
            sub_path   = "license"
            read_only  = true
          }
          volume_mount {
            name       = "house-ca-files"
            mount_path = "/config/ca.pem"
            sub_path   = "ca.crt"
            read_only  = true
          }
          volume_mount {
            name       = "photo-wall-theme-config"
            mount_path = "/config/theme.json"
            sub_path   = "theme.json"
            read_only  = true
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "3584Mi"
            }
            limits = {
              memory = "6Gi"
            }
          }
          readiness_probe {
            tcp_socket {
              port = 2342
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 2342
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "originals"
          persistent_volume_claim {
            claim_name = module.nfs_originals.claim_name
          }
        }
        volume {
          name = "config"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.config.metadata[0].name
          }
        }
        volume {
          name = "theme"
          config_map {
            name = "photo-wall-theme"
          }
        }
        volume {
          name = "certificates"
          secret {
            secret_name  = "house-ca"
            default_mode = "0440"
          }
        }
        volume {
          name = "printer"
          secret {
            secret_name = kubernetes_secret.copied_printer_login.metadata[0].name
          }
        }
        volume {
          name = "bundle"
          config_map {
            name = kubernetes_config_map.copied_ca_bundle.metadata[0].name
          }
        }
        volume {
          name = "photo-wall-secrets-files"
          secret {
            secret_name = "photo-wall-secrets"
          }
        }
        volume {
          name = "house-ca-files"
          secret {
            secret_name = "house-ca"
          }
        }
        volume {
          name = "photo-wall-theme-config"
          config_map {
            name = "photo-wall-theme"
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

resource "kubernetes_service" "photo_wall" {
  metadata {
    name      = "photo-wall"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
    labels = {
      app = "photo-wall"
    }
  }
  spec {
    selector = {
      app = "photo-wall"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 2342
    }
    port {
      name        = "share"
      port        = 8081
      target_port = 8081
    }
  }
}

# The default rate limit is too low for this app.
resource "kubernetes_manifest" "rate_limit" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "photo-wall-rate-limit"
      namespace = "photo-wall"
    }
    spec = {
      rateLimit = {
        average = 100
        burst   = 1000
      }
    }
  }
  depends_on = [kubernetes_namespace.photo_wall]
}

# Requires a proof of work from browsers before it forwards their requests.
module "anubis" {
  source     = "../../modules/kubernetes/anubis_instance"
  name       = "photo-wall"
  namespace  = kubernetes_namespace.photo_wall.metadata[0].name
  target_url = "http://photo-wall.photo-wall.svc.cluster.local"
}

# https://photos.example.org
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "photo-wall"
  namespace       = kubernetes_namespace.photo_wall.metadata[0].name
  full_host       = "photos.example.org"
  tls_secret_name = var.tls_secret_name
  # auth = "app": its own accounts, which phones log in to
  auth                    = "app"
  homepage_group          = "Other"
  max_body_size           = "2g"
  skip_default_rate_limit = true
  extra_middlewares       = ["photo-wall-photo-wall-rate-limit@kubernetescrd", "photo-wall-compress@kubernetescrd"]
  external_monitor        = false
  extra_annotations = {
    "gethomepage.dev/name"         = "Photo Wall"
    "gethomepage.dev/description"  = "Photos of the whole family"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}

# /admin: a login for these paths only.
module "ingress_admin" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "photo-wall-admin"
  namespace        = kubernetes_namespace.photo_wall.metadata[0].name
  full_host        = "photos.example.org"
  service_name     = "photo-wall"
  ingress_path     = ["/admin"]
  tls_secret_name  = var.tls_secret_name
  auth             = "required"
  external_monitor = false
  homepage_enabled = false
}

# /share: called by machines, which a login page would block.
# Traefik matches prefixes, so every path that begins with one of these has this gate.
module "ingress_share" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "photo-wall-share"
  namespace       = kubernetes_namespace.photo_wall.metadata[0].name
  full_host       = "photos.example.org"
  service_name    = "photo-wall"
  port            = 8081
  ingress_path    = ["/share"]
  tls_secret_name = var.tls_secret_name
  # auth = "none": Whoever has the link may see the album
  auth             = "none"
  external_monitor = false
  homepage_enabled = false
}

# https://album.example.test
module "ingress_host_album" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "photo-wall-album"
  namespace       = kubernetes_namespace.photo_wall.metadata[0].name
  host            = "album"
  service_name    = module.anubis.service_name
  port            = module.anubis.service_port
  tls_secret_name = var.tls_secret_name
  # auth = "none": behind Anubis: The album is public and has nothing to change
  auth             = "none"
  dns_type         = "proxied"
  anti_ai_scraping = false
  external_monitor = false
  homepage_enabled = false
}

# https://wall.example.org
module "ingress_host_wall_example_org" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "photo-wall-wall-example-org"
  namespace       = kubernetes_namespace.photo_wall.metadata[0].name
  full_host       = "wall.example.org"
  service_name    = "photo-wall"
  tls_secret_name = var.tls_secret_name
  # auth = "public": A wall of pictures for guests
  auth             = "public"
  external_monitor = false
  homepage_enabled = false
}

# https://frame.example.test
module "ingress_host_frame" {
  source                = "../../modules/kubernetes/ingress_factory"
  name                  = "photo-wall-frame"
  namespace             = kubernetes_namespace.photo_wall.metadata[0].name
  host                  = "frame"
  service_name          = "photo-wall"
  tls_secret_name       = var.tls_secret_name
  auth                  = "required"
  external_monitor      = false
  external_monitor_name = "Picture frame"
  homepage_enabled      = false
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "photo-wall-backup-host"
  namespace  = kubernetes_namespace.photo_wall.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/photo-wall-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "photo-wall-backup"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  spec {
    schedule                      = "58 2 * * *"
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
              app       = "photo-wall-jobs"
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
                      app = "photo-wall"
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

                save copy_files config

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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/photo-wall-backup" || echo "pushing the metrics failed" >&2
              EOT
              ]
              volume_mount {
                name       = "config"
                mount_path = "/data/config"
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
              name = "config"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.config.metadata[0].name
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
