# Tide Station: Tide tables of the harbour, from its own gauge

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }
variable "postgresql_host" { type = string }
variable "redis_host" { type = string }
variable "mail_host" { type = string }
variable "image_tag" {
  type    = string
  default = "latest"
}

resource "kubernetes_namespace" "tide_station" {
  metadata {
    name = "tide-station"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/tide-station in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "tide-station-secrets"
      namespace = "tide-station"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "tide-station-secrets"
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
          key = "tide-station"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.tide_station]
}

# The database password, which Vault rotates, in the variables that the app reads.
resource "kubernetes_manifest" "db_external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "tide-station-db-creds"
      namespace = "tide-station"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-database"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "tide-station-db-creds"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
          data = {
            DATABASE_URL = "postgresql+asyncpg://tides:{{ .password }}@${var.postgresql_host}:5432/tides"
          }
        }
      }
      data = [{
        secretKey = "password"
        remoteRef = {
          key      = "static-creds/pg-tides"
          property = "password"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.tide_station]
}

# The rotated database password, copied to Grafana's namespace.
resource "kubernetes_manifest" "grafana_external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "grafana-tide-station-pg-creds"
      namespace = "monitoring"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-database"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "grafana-tide-station-pg-creds"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts Grafana when the password rotates.
              "reloader.stakater.com/match" = "true"
            }
          }
          data = {
            TIDE_STATION_PG_PASSWORD = "{{ .password }}"
          }
        }
      }
      data = [{
        secretKey = "password"
        remoteRef = {
          key      = "static-creds/pg-tides"
          property = "password"
        }
      }]
    }
  }
}

# Grafana finds datasources by this label and reads the password from its environment.
resource "kubernetes_config_map" "grafana_datasource" {
  metadata {
    name      = "grafana-tide-station-datasource"
    namespace = "monitoring"
    labels = {
      grafana_datasource = "1"
    }
  }
  data = {
    "tide-station-datasource.yaml" = yamlencode({
      apiVersion = 1
      datasources = [{
        name   = "Tide Station"
        type   = "postgres"
        access = "proxy"
        url    = "${var.postgresql_host}:5432"
        user   = "tides"
        uid    = "tide-station-pg"
        jsonData = {
          database = "tides"
          sslmode  = "disable"
        }
        secureJsonData = {
          password = "$__env{TIDE_STATION_PG_PASSWORD}"
        }
        editable = true
      }]
    })
  }
  depends_on = [kubernetes_manifest.grafana_external_secret]
}

resource "kubernetes_persistent_volume_claim" "data" {
  # The volume is only created when the first pod mounts it.
  wait_until_bound = false
  metadata {
    name      = "tide-station-data-proxmox"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
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

# Configuration files that the app reads.
resource "kubernetes_config_map" "files" {
  metadata {
    name      = "tide-station-files"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
    annotations = {
      # Reloader restarts the Deployment when one of them changes.
      "reloader.stakater.com/match" = "true"
    }
  }
  data = {
    "etc-tides-stations.yml" = <<-EOT
      stations:
        - name: pier
          factor: $${not_a_reference}

        - name: lock
    EOT

    "etc-tides-state.json" = "{\"seen\": 0}"

    "ebb.yml" = "below: 40"

    "telegraf.conf" = <<-EOT
      [agent]
        interval = "60s"
    EOT
  }
}

resource "kubernetes_deployment" "tide_station" {
  metadata {
    name      = "tide-station"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
    labels = {
      app  = "tide-station"
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
        app = "tide-station"
      }
    }
    template {
      metadata {
        labels = {
          app = "tide-station"
        }
        annotations = {
          "dependency.kyverno.io/wait-for" = "${var.redis_host}:6379,mqtt.mosquitto:1883"
          "checksum/files"                 = sha256(jsonencode(kubernetes_config_map.files.data))
        }
      }
      spec {
        enable_service_links = false
        image_pull_secrets {
          name = "registry-credentials"
        }
        security_context {
          run_as_user  = 10001
          run_as_group = 10001
          fs_group     = 10001
        }
        init_container {
          name    = "own-data"
          image   = "docker.io/library/busybox:1.37"
          command = ["chown", "-R", "10001:10001", "/volume"]
          # A new volume belongs to root; this container sees nothing else.
          security_context {
            run_as_user     = 0
            run_as_non_root = false
          }
          volume_mount {
            name       = "data"
            mount_path = "/volume"
          }
          resources {
            requests = {
              cpu    = "10m"
              memory = "32Mi"
            }
            limits = {
              memory = "32Mi"
            }
          }
        }
        init_container {
          name    = "copy-files"
          image   = "docker.io/library/busybox:1.37"
          command = ["/bin/sh", "-c", "cp /files/etc-tides-state.json /writable/etc-tides-state.json && chmod a+rw /writable/*"]
          volume_mount {
            name       = "files"
            mount_path = "/files"
            read_only  = true
          }
          volume_mount {
            name       = "writable-files"
            mount_path = "/writable"
          }
          resources {
            requests = {
              cpu    = "10m"
              memory = "32Mi"
            }
            limits = {
              memory = "32Mi"
            }
          }
        }
        init_container {
          name    = "migrate"
          image   = "registry.example.test/apps/tide-station:${var.image_tag}"
          command = ["python", "-m", "tides", "migrate"]
          env {
            name = "POD_IP"
            value_from {
              field_ref {
                field_path = "status.podIP"
              }
            }
          }
          env {
            name  = "REDIS_URL"
            value = "redis://${var.redis_host}:6379/5"
          }
          env {
            name  = "SMTP_HOST"
            value = var.mail_host
          }
          env {
            name  = "SMTP_PORT"
            value = "587"
          }
          env {
            name = "GAUGE_KEY"
            value_from {
              secret_key_ref {
                name     = "gauge-key"
                key      = "key"
                optional = true
              }
            }
          }
          env {
            name = "DATABASE_URL"
            value_from {
              secret_key_ref {
                name = "tide-station-db-creds"
                key  = "DATABASE_URL"
              }
            }
          }
          env_from {
            config_map_ref {
              name     = "harbour"
              optional = true
            }
          }
          volume_mount {
            name       = "data"
            mount_path = "/var/lib/tides"
            sub_path   = "tides"
          }
          volume_mount {
            name       = "rules"
            mount_path = "/etc/tides/rules"
            read_only  = true
          }
          volume_mount {
            name       = "files"
            mount_path = "/etc/tides/stations.yml"
            sub_path   = "etc-tides-stations.yml"
            read_only  = true
          }
          volume_mount {
            name       = "writable-files"
            mount_path = "/etc/tides/state.json"
            sub_path   = "etc-tides-state.json"
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
          name    = "tide-station"
          image   = "registry.example.test/apps/tide-station:${var.image_tag}"
          command = ["python", "-m", "tides"]
          args    = ["serve", "--workers=2"]

          port {
            name           = "http"
            container_port = 8080
          }
          port {
            name           = "metrics"
            container_port = 9090
          }
          env {
            name = "POD_IP"
            value_from {
              field_ref {
                field_path = "status.podIP"
              }
            }
          }
          env {
            name  = "REDIS_URL"
            value = "redis://${var.redis_host}:6379/5"
          }
          env {
            name  = "SMTP_HOST"
            value = var.mail_host
          }
          env {
            name  = "SMTP_PORT"
            value = "587"
          }
          env {
            name = "GAUGE_KEY"
            value_from {
              secret_key_ref {
                name     = "gauge-key"
                key      = "key"
                optional = true
              }
            }
          }
          env {
            name = "DATABASE_URL"
            value_from {
              secret_key_ref {
                name = "tide-station-db-creds"
                key  = "DATABASE_URL"
              }
            }
          }
          env_from {
            config_map_ref {
              name     = "harbour"
              optional = true
            }
          }
          volume_mount {
            name       = "data"
            mount_path = "/var/lib/tides"
            sub_path   = "tides"
          }
          volume_mount {
            name       = "rules"
            mount_path = "/etc/tides/rules"
            read_only  = true
          }
          volume_mount {
            name       = "files"
            mount_path = "/etc/tides/stations.yml"
            sub_path   = "etc-tides-stations.yml"
            read_only  = true
          }
          volume_mount {
            name       = "writable-files"
            mount_path = "/etc/tides/state.json"
            sub_path   = "etc-tides-state.json"
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
        container {
          name  = "gauge"
          image = "docker.io/library/telegraf:1.34.2"
          port {
            name           = "gauge"
            container_port = 8094
            protocol       = "UDP"
          }
          port {
            name           = "health"
            container_port = 8888
          }
          volume_mount {
            name       = "data"
            mount_path = "/in"
            read_only  = true
          }
          volume_mount {
            name       = "gauge-files"
            mount_path = "/etc/telegraf/telegraf.conf"
            sub_path   = "telegraf.conf"
            read_only  = true
          }
          volume_mount {
            name       = "gauge-secrets"
            mount_path = "/run/secrets/modem"
            sub_path   = "modem"
            read_only  = true
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
          startup_probe {
            exec {
              command = ["telegraf", "config", "check"]
            }
            period_seconds    = 10
            failure_threshold = 60
          }
          readiness_probe {
            http_get {
              path = "/"
              port = 8888
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 8888
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
        volume {
          name = "files"
          config_map {
            name = kubernetes_config_map.files.metadata[0].name
          }
        }
        volume {
          name = "writable-files"
          empty_dir {}
        }
        volume {
          name = "rules"
          config_map {
            name = kubernetes_config_map.files.metadata[0].name
          }
        }
        volume {
          name = "gauge-files"
          config_map {
            name = kubernetes_config_map.files.metadata[0].name
          }
        }
        volume {
          name = "gauge-secrets"
          secret {
            secret_name = "tide-station-secrets"
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
      spec[0].template[0].spec[0].container[0].image,      # KEEL_IGNORE_IMAGE: CI updates the image, and an apply must not revert it
      spec[0].template[0].spec[0].container[1].image,      # KEEL_IGNORE_IMAGE
      spec[0].template[0].spec[0].init_container[2].image, # KEEL_IGNORE_IMAGE
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "tide_station" {
  metadata {
    name      = "tide-station"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
    labels = {
      app = "tide-station"
    }
  }
  spec {
    selector = {
      app = "tide-station"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
    port {
      name        = "metrics"
      port        = 9090
      target_port = 9090
    }
  }
}

resource "kubernetes_cron_job_v1" "tide_fetch" {
  metadata {
    name      = "tide-fetch"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
  }
  spec {
    schedule                      = "15 */6 * * *"
    timezone                      = "Europe/Lisbon"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 2
        active_deadline_seconds    = 18000
        ttl_seconds_after_finished = 86400
        template {
          metadata {
            labels = {
              app       = "tide-station-jobs"
              component = "tide-fetch"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            image_pull_secrets {
              name = "registry-credentials"
            }
            security_context {
              run_as_user  = 10001
              run_as_group = 10001
              fs_group     = 10001
            }
            container {
              name              = "tide-fetch"
              image             = "registry.example.test/apps/tide-station:latest"
              image_pull_policy = "Always"
              command           = ["python", "-m", "tides", "fetch"]
              env {
                name = "POD_IP"
                value_from {
                  field_ref {
                    field_path = "status.podIP"
                  }
                }
              }
              env {
                name  = "REDIS_URL"
                value = "redis://${var.redis_host}:6379/5"
              }
              env {
                name  = "SMTP_HOST"
                value = var.mail_host
              }
              env {
                name  = "SMTP_PORT"
                value = "587"
              }
              env {
                name = "GAUGE_KEY"
                value_from {
                  secret_key_ref {
                    name     = "gauge-key"
                    key      = "key"
                    optional = true
                  }
                }
              }
              env {
                name = "DATABASE_URL"
                value_from {
                  secret_key_ref {
                    name = "tide-station-db-creds"
                    key  = "DATABASE_URL"
                  }
                }
              }
              env_from {
                config_map_ref {
                  name     = "harbour"
                  optional = true
                }
              }
              volume_mount {
                name       = "rules"
                mount_path = "/etc/tides/rules"
                read_only  = true
              }
              volume_mount {
                name       = "files"
                mount_path = "/etc/tides/stations.yml"
                sub_path   = "etc-tides-stations.yml"
                read_only  = true
              }
              volume_mount {
                name       = "files"
                mount_path = "/etc/tides/state.json"
                sub_path   = "etc-tides-state.json"
                read_only  = true
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
              name = "files"
              config_map {
                name = kubernetes_config_map.files.metadata[0].name
              }
            }
            volume {
              name = "rules"
              config_map {
                name = kubernetes_config_map.files.metadata[0].name
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

resource "kubernetes_cron_job_v1" "tide_prune" {
  metadata {
    name      = "tide-prune"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
  }
  spec {
    schedule                      = "0 4 * * SUN"
    suspend                       = true
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 1
        active_deadline_seconds    = 72000
        ttl_seconds_after_finished = 86400
        template {
          metadata {
            labels = {
              app       = "tide-station-jobs"
              component = "tide-prune"
            }
          }
          spec {
            # A ReadWriteOnce volume is only there on the node of the app's pod.
            affinity {
              pod_affinity {
                required_during_scheduling_ignored_during_execution {
                  label_selector {
                    match_labels = {
                      app = "tide-station"
                    }
                  }
                  topology_key = "kubernetes.io/hostname"
                }
              }
            }
            restart_policy       = "Never"
            enable_service_links = false
            image_pull_secrets {
              name = "registry-credentials"
            }
            container {
              name  = "tide-prune"
              image = "docker.io/library/alpine:3.20"
              command = ["/bin/sh", "-c", <<-EOT
                set -eu
                for year in $${YEARS:-1999}; do
                  rm -rf "/var/lib/tides/$year"
                done
              EOT
              ]
              volume_mount {
                name       = "data"
                mount_path = "/var/lib/tides"
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

# Runs once. It is kept when finished; otherwise, the next apply would run it again.
resource "kubernetes_job_v1" "tide_seed" {
  metadata {
    name      = "tide-seed"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
  }
  spec {
    backoff_limit = 2
    template {
      metadata {
        labels = {
          app       = "tide-station-jobs"
          component = "tide-seed"
        }
      }
      spec {
        restart_policy       = "OnFailure"
        enable_service_links = false
        image_pull_secrets {
          name = "registry-credentials"
        }
        security_context {
          run_as_user  = 10001
          run_as_group = 10001
          fs_group     = 10001
        }
        container {
          name              = "tide-seed"
          image             = "registry.example.test/apps/tide-station:latest"
          image_pull_policy = "Always"
          command           = ["python", "-m", "tides", "seed"]
          env {
            name = "POD_IP"
            value_from {
              field_ref {
                field_path = "status.podIP"
              }
            }
          }
          env {
            name  = "REDIS_URL"
            value = "redis://${var.redis_host}:6379/5"
          }
          env {
            name  = "SMTP_HOST"
            value = var.mail_host
          }
          env {
            name  = "SMTP_PORT"
            value = "587"
          }
          env {
            name = "GAUGE_KEY"
            value_from {
              secret_key_ref {
                name     = "gauge-key"
                key      = "key"
                optional = true
              }
            }
          }
          env {
            name = "DATABASE_URL"
            value_from {
              secret_key_ref {
                name = "tide-station-db-creds"
                key  = "DATABASE_URL"
              }
            }
          }
          env_from {
            config_map_ref {
              name     = "harbour"
              optional = true
            }
          }
          volume_mount {
            name       = "rules"
            mount_path = "/etc/tides/rules"
            read_only  = true
          }
          volume_mount {
            name       = "files"
            mount_path = "/etc/tides/stations.yml"
            sub_path   = "etc-tides-stations.yml"
            read_only  = true
          }
          volume_mount {
            name       = "files"
            mount_path = "/etc/tides/state.json"
            sub_path   = "etc-tides-state.json"
            read_only  = true
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
          name = "files"
          config_map {
            name = kubernetes_config_map.files.metadata[0].name
          }
        }
        volume {
          name = "rules"
          config_map {
            name = kubernetes_config_map.files.metadata[0].name
          }
        }
      }
    }
  }
  wait_for_completion = false
  depends_on          = [kubernetes_manifest.external_secret, kubernetes_manifest.db_external_secret]
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      # Changes that do not affect what it does must not run it again.
      spec[0].template[0].metadata,
      spec[0].template[0].spec[0].enable_service_links,
      # A newer image must not run it again.
      spec[0].template[0].spec[0].container[0].image,
    ]
  }
}

# https://tide-station.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "tide-station"
  namespace       = kubernetes_namespace.tide_station.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Tide Station"
    "gethomepage.dev/description"  = "Tide tables of the harbour, from its own gauge"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}

# Backups go to the NFS server, which is mirrored off-site.
module "nfs_backup" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "tide-station-backup-host"
  namespace  = kubernetes_namespace.tide_station.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/tide-station-backup"
}

resource "kubernetes_cron_job_v1" "backup" {
  metadata {
    name      = "tide-station-backup"
    namespace = kubernetes_namespace.tide_station.metadata[0].name
  }
  spec {
    schedule                      = "34 3 * * *"
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
              app       = "tide-station-jobs"
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
                      app = "tide-station"
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
                " "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/tide-station-backup" || echo "pushing the metrics failed" >&2
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
