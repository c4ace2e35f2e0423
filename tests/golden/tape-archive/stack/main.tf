# Tape Archive: Recordings, listened to and written down

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }
variable "postgresql_host" { type = string }
variable "redis_host" { type = string }

resource "kubernetes_namespace" "tape_archive" {
  metadata {
    name = "tape-archive"
    labels = {
      tier               = local.tiers.gpu
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/tape-archive in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "tape-archive-secrets"
      namespace = "tape-archive"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "tape-archive-secrets"
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
          key = "tape-archive"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.tape_archive]
}

# The database password, which Vault rotates, in the variables that the app reads.
resource "kubernetes_manifest" "db_external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "tape-archive-db-creds"
      namespace = "tape-archive"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-database"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "tape-archive-db-creds"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
          data = {
            DATABASE_URL = "postgresql://tape_archive:{{ .password }}@${var.postgresql_host}:5432/tape_archive"
          }
        }
      }
      data = [{
        secretKey = "password"
        remoteRef = {
          key      = "static-creds/pg-tape-archive"
          property = "password"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.tape_archive]
}

resource "kubernetes_persistent_volume_claim" "state" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "tape-archive-state-encrypted"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
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
# The directory is shared: The recorder writes them there
module "nfs_recordings" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "tape-archive-recordings-host"
  namespace  = kubernetes_namespace.tape_archive.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/tapes"
  storage    = "1Gi"
}

resource "kubernetes_persistent_volume_claim" "index" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "tape-archive-index-encrypted"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "20Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm-encrypted"
    resources {
      requests = {
        storage = "4Gi"
      }
    }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink to the size written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

resource "kubernetes_deployment" "tape_archive" {
  metadata {
    name      = "tape-archive"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app  = "tape-archive"
      tier = local.tiers.gpu
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
        app = "tape-archive"
      }
    }
    template {
      metadata {
        labels = {
          app = "tape-archive"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "tape-archive"
          image = "docker.io/acme/tape-archive:2.4.0"

          port {
            name           = "http"
            container_port = 8080
          }
          env {
            name  = "CACHE_URL"
            value = "redis://${var.redis_host}:6379/5"
          }
          env {
            name = "SESSION_KEY"
            value_from {
              secret_key_ref {
                name = "tape-archive-secrets"
                key  = "session_key"
              }
            }
          }
          env {
            name = "DATABASE_URL"
            value_from {
              secret_key_ref {
                name = "tape-archive-db-creds"
                key  = "DATABASE_URL"
              }
            }
          }
          volume_mount {
            name       = "state"
            mount_path = "/var/lib/tapes"
          }
          volume_mount {
            name       = "recordings"
            mount_path = "/recordings"
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
              path = "/health"
              port = 8080
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/health"
              port = 8080
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "state"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.state.metadata[0].name
          }
        }
        volume {
          name = "recordings"
          persistent_volume_claim {
            claim_name = module.nfs_recordings.claim_name
          }
        }
      }
    }
  }
  # The pod cannot start until its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
    kubernetes_manifest.db_external_secret,
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

resource "kubernetes_service" "tape_archive" {
  metadata {
    name      = "tape-archive"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app = "tape-archive"
    }
  }
  spec {
    selector = {
      app = "tape-archive"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}

# It works off the queue that the app fills.
resource "kubernetes_deployment" "tape_archive_worker" {
  metadata {
    name      = "tape-archive-worker"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app  = "tape-archive-worker"
      tier = local.tiers.gpu
    }
    annotations = {
      "reloader.stakater.com/search" = "true"
    }
  }
  spec {
    replicas = 1
    selector {
      match_labels = {
        app = "tape-archive-worker"
      }
    }
    template {
      metadata {
        labels = {
          app = "tape-archive-worker"
        }
        annotations = {
          "dependency.kyverno.io/wait-for" = "${var.redis_host}:6379"
        }
      }
      spec {
        enable_service_links = false
        container {
          name    = "worker"
          image   = "docker.io/acme/tape-archive:2.4.0"
          command = ["tapes", "work"]

          env {
            name  = "CACHE_URL"
            value = "redis://${var.redis_host}:6379/5"
          }
          env {
            name = "SESSION_KEY"
            value_from {
              secret_key_ref {
                name = "tape-archive-secrets"
                key  = "session_key"
              }
            }
          }
          env {
            name = "DATABASE_URL"
            value_from {
              secret_key_ref {
                name = "tape-archive-db-creds"
                key  = "DATABASE_URL"
              }
            }
          }
          volume_mount {
            name       = "recordings"
            mount_path = "/recordings"
            read_only  = true
          }

          resources {
            requests = {
              cpu    = "10m"
              memory = "768Mi"
            }
            limits = {
              memory = "768Mi"
            }
          }
          liveness_probe {
            exec {
              command = ["tapes", "alive"]
            }
            initial_delay_seconds = 30
            period_seconds        = 60
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "recordings"
          persistent_volume_claim {
            claim_name = module.nfs_recordings.claim_name
          }
        }
      }
    }
  }
  # The pod cannot start until its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
    kubernetes_manifest.db_external_secret,
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

resource "kubernetes_deployment" "tape_archive_search" {
  metadata {
    name      = "tape-archive-search"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app  = "tape-archive-search"
      tier = local.tiers.gpu
    }
    annotations = {
      # This Deployment is exempt from Keel; on the pod template, this would have no effect.
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
        app = "tape-archive-search"
      }
    }
    template {
      metadata {
        labels = {
          app = "tape-archive-search"
        }
      }
      spec {
        enable_service_links = false
        # The backup mounts block volumes of both pods, so they have to be on one node.
        affinity {
          pod_affinity {
            required_during_scheduling_ignored_during_execution {
              label_selector {
                match_labels = {
                  app = "tape-archive"
                }
              }
              topology_key = "kubernetes.io/hostname"
            }
          }
        }
        security_context {
          run_as_user  = 1000
          run_as_group = 1000
          fs_group     = 1000
        }
        container {
          name  = "search"
          image = "docker.io/acme/finder:1.15.2"

          port {
            name           = "http"
            container_port = 7700
          }
          volume_mount {
            name       = "index"
            mount_path = "/index"
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
          readiness_probe {
            http_get {
              path = "/health"
              port = 7700
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/health"
              port = 7700
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "index"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.index.metadata[0].name
          }
        }
      }
    }
  }
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

resource "kubernetes_service" "tape_archive_search" {
  metadata {
    name      = "tape-archive-search"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app = "tape-archive-search"
    }
  }
  spec {
    selector = {
      app = "tape-archive-search"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 7700
    }
  }
}

resource "kubernetes_deployment" "tape_ears" {
  metadata {
    name      = "tape-ears"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app  = "tape-ears"
      tier = local.tiers.gpu
    }
  }
  spec {
    replicas = 1
    strategy {
      # The new pod can only start once the old one has released its GPU slice.
      type = "Recreate"
    }
    selector {
      match_labels = {
        app = "tape-ears"
      }
    }
    template {
      metadata {
        labels = {
          app = "tape-ears"
        }
      }
      spec {
        enable_service_links             = false
        termination_grace_period_seconds = 600
        node_selector = {
          "nvidia.com/gpu.present" = "true"
          "kubernetes.io/arch"     = "amd64"
        }
        toleration {
          key      = "nvidia.com/gpu"
          operator = "Equal"
          value    = "true"
          effect   = "NoSchedule"
        }
        toleration {
          key      = "example.com/ears"
          operator = "Exists"
          effect   = "NoExecute"
        }
        container {
          name  = "whisper"
          image = "docker.io/acme/ears:3.1.0"
          args  = ["--model", "small"]

          port {
            name           = "voice"
            container_port = 10300
          }
          port {
            name           = "metrics"
            container_port = 9100
          }
          volume_mount {
            name       = "recordings"
            mount_path = "/data"
            sub_path   = "ears"
          }

          resources {
            requests = {
              cpu    = "10m"
              memory = "2Gi"
            }
            limits = {
              memory           = "2Gi"
              "nvidia.com/gpu" = "1"
            }
          }
          readiness_probe {
            tcp_socket {
              port = 10300
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 10300
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "recordings"
          persistent_volume_claim {
            claim_name = module.nfs_recordings.claim_name
          }
        }
      }
    }
  }
  # Its first start takes longer than an apply waits; check it with kubectl rollout status.
  wait_for_rollout = false
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

resource "kubernetes_service" "tape_ears" {
  metadata {
    name      = "tape-ears"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app = "tape-ears"
    }
    annotations = {
      "prometheus.io/scrape" = "true"
      "prometheus.io/path"   = "/metrics"
      "prometheus.io/port"   = "9100"
    }
  }
  spec {
    selector = {
      app = "tape-ears"
    }
    port {
      name        = "voice"
      port        = 10300
      target_port = 10300
    }
    port {
      name        = "metrics"
      port        = 9100
      target_port = 9100
    }
  }
}

resource "kubernetes_deployment" "tape_archive_player" {
  metadata {
    name      = "tape-archive-player"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app  = "tape-archive-player"
      tier = local.tiers.gpu
    }
  }
  spec {
    replicas = 2
    selector {
      match_labels = {
        app = "tape-archive-player"
      }
    }
    template {
      metadata {
        labels = {
          app = "tape-archive-player"
        }
      }
      spec {
        enable_service_links = false
        affinity {
          pod_anti_affinity {
            preferred_during_scheduling_ignored_during_execution {
              weight = 100
              pod_affinity_term {
                label_selector {
                  match_labels = {
                    app = "tape-archive-player"
                  }
                }
                topology_key = "kubernetes.io/hostname"
              }
            }
          }
        }
        container {
          name  = "player"
          image = "docker.io/acme/player:1.0.3"

          port {
            name           = "http"
            container_port = 3000
          }

          resources {
            requests = {
              cpu    = "10m"
              memory = "64Mi"
            }
            limits = {
              memory = "64Mi"
            }
          }
          readiness_probe {
            tcp_socket {
              port = 3000
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 3000
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
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

# Draining a node waits until enough other pods are running.
resource "kubernetes_pod_disruption_budget_v1" "tape_archive_player" {
  metadata {
    name      = "tape-archive-player"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
  }
  spec {
    min_available = "1"
    selector {
      match_labels = {
        app = "tape-archive-player"
      }
    }
  }
}

resource "kubernetes_service" "tape_archive_player" {
  metadata {
    name      = "tape-archive-player"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
    labels = {
      app = "tape-archive-player"
    }
  }
  spec {
    selector = {
      app = "tape-archive-player"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 3000
    }
  }
}

resource "kubernetes_cron_job_v1" "reindex" {
  metadata {
    name      = "reindex"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
  }
  spec {
    schedule                      = "30 3 * * *"
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
              app       = "tape-archive-jobs"
              component = "reindex"
            }
          }
          spec {
            # A ReadWriteOnce volume is only there on the node of the pod that has it.
            affinity {
              pod_affinity {
                required_during_scheduling_ignored_during_execution {
                  label_selector {
                    match_labels = {
                      app = "tape-archive-search"
                    }
                  }
                  topology_key = "kubernetes.io/hostname"
                }
              }
            }
            restart_policy       = "Never"
            enable_service_links = false
            container {
              name    = "reindex"
              image   = "docker.io/acme/finder:1.15.2"
              command = ["finder", "reindex"]
              volume_mount {
                name       = "index"
                mount_path = "/index"
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
              name = "index"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.index.metadata[0].name
              }
            }
          }
        }
      }
    }
  }
  depends_on = [kubernetes_manifest.external_secret, kubernetes_manifest.db_external_secret]
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

# https://tapes.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "tape-archive"
  namespace       = kubernetes_namespace.tape_archive.metadata[0].name
  host            = "tapes"
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Tape Archive"
    "gethomepage.dev/description"  = "Recordings, listened to and written down"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}

# https://play.example.test
module "ingress_host_play" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "tape-archive-play"
  namespace        = kubernetes_namespace.tape_archive.metadata[0].name
  host             = "play"
  service_name     = "tape-archive-player"
  tls_secret_name  = var.tls_secret_name
  auth             = "required"
  dns_type         = "proxied"
  homepage_enabled = false
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "tape-archive-backup-host"
  namespace  = kubernetes_namespace.tape_archive.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/tape-archive-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "tape-archive-backup"
    namespace = kubernetes_namespace.tape_archive.metadata[0].name
  }
  spec {
    schedule                      = "34 1 * * *"
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
              app       = "tape-archive-jobs"
              component = "backup"
            }
          }
          spec {
            # A ReadWriteOnce volume is only there on the node of each pod that has one.
            affinity {
              pod_affinity {
                required_during_scheduling_ignored_during_execution {
                  label_selector {
                    match_labels = {
                      app = "tape-archive"
                    }
                  }
                  topology_key = "kubernetes.io/hostname"
                }
                required_during_scheduling_ignored_during_execution {
                  label_selector {
                    match_labels = {
                      app = "tape-archive-search"
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

                save copy_files state
                save copy_files index

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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/tape-archive-backup" || echo "pushing the metrics failed" >&2
              EOT
              ]
              volume_mount {
                name       = "state"
                mount_path = "/data/state"
                read_only  = true
              }
              volume_mount {
                name       = "index"
                mount_path = "/data/index"
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
              name = "state"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.state.metadata[0].name
              }
            }
            volume {
              name = "index"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.index.metadata[0].name
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
