# seed-log: what was sown where, and when to harvest it. Our own app, built by Woodpecker.

variable "image_tag" {
  type    = string
  default = "latest"
}

variable "postgresql_host" { type = string }

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

locals {
  labels = { app = "seed-log" }
}

resource "kubernetes_namespace" "seed_log" {
  metadata {
    name = "seed-log"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }

  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata   = { name = "seed-log-secrets", namespace = kubernetes_namespace.seed_log.metadata[0].name }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target = {
        name     = "seed-log-secrets"
        template = { metadata = { annotations = { "reloader.stakater.com/match" = "true" } } }
      }
      data = [
        { secretKey = "CALENDAR_TOKEN", remoteRef = { key = "seed-log", property = "calendar_token" } },
      ]
    }
  }
}

resource "kubernetes_manifest" "db_external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata   = { name = "seed-log-db-creds", namespace = kubernetes_namespace.seed_log.metadata[0].name }
    spec = {
      refreshInterval = "15m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-database" }
      target = {
        name = "seed-log-db-creds"
        template = {
          metadata = { annotations = { "reloader.stakater.com/match" = "true" } }
          data     = { DATABASE_URL = "postgresql://seed_log:{{ .password }}@${var.postgresql_host}:5432/seed_log" }
        }
      }
      data = [
        { secretKey = "password", remoteRef = { key = "static-creds/pg-seed-log", property = "password" } },
      ]
    }
  }
}

resource "kubernetes_deployment" "seed_log" {
  metadata {
    name      = "seed-log"
    namespace = kubernetes_namespace.seed_log.metadata[0].name
    labels    = merge(local.labels, { tier = local.tiers.aux })
    annotations = {
      "reloader.stakater.com/search" = "true"
    }
  }
  spec {
    replicas = 1
    selector { match_labels = local.labels }
    template {
      metadata { labels = local.labels }
      spec {
        image_pull_secrets { name = "registry-credentials" }
        init_container {
          name    = "migrate"
          image   = "registry.example.test/apps/seed-log:${var.image_tag}"
          command = ["seed-log", "migrate"]
          env_from {
            secret_ref { name = "seed-log-db-creds" }
          }
          resources {
            requests = { cpu = "20m", memory = "128Mi" }
            limits   = { memory = "256Mi" }
          }
        }
        container {
          name  = "seed-log"
          image = "registry.example.test/apps/seed-log:${var.image_tag}"
          port { container_port = 8000 }
          dynamic "env_from" {
            for_each = ["seed-log-secrets", "seed-log-db-creds"]
            content {
              secret_ref { name = env_from.value }
            }
          }
          readiness_probe {
            http_get {
              path = "/calendar/health"
              port = 8000
            }
          }
          liveness_probe {
            http_get {
              path = "/calendar/health"
              port = 8000
            }
            initial_delay_seconds = 20
          }
          resources {
            requests = { cpu = "20m", memory = "128Mi" }
            limits   = { memory = "256Mi" }
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
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE
      spec[0].template[0].spec[0].init_container[0].image,
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }

  depends_on = [kubernetes_manifest.external_secret, kubernetes_manifest.db_external_secret]
}

resource "kubernetes_service" "seed_log" {
  metadata {
    name      = "seed-log"
    namespace = kubernetes_namespace.seed_log.metadata[0].name
  }
  spec {
    selector = local.labels
    port {
      port        = 80
      target_port = 8000
    }
  }
}

module "ingress" {
  source = "../../modules/kubernetes/ingress_factory"

  name            = "seed-log"
  namespace       = kubernetes_namespace.seed_log.metadata[0].name
  auth            = "required"
  dns_type        = "non-proxied"
  tls_secret_name = var.tls_secret_name
  extra_annotations = {
    "gethomepage.dev/description" = "Sowing and harvest"
    "gethomepage.dev/icon"        = "mdi-seed"
  }
}

module "ingress_calendar" {
  source = "../../modules/kubernetes/ingress_factory"

  name         = "seed-log-calendar"
  full_host    = "seed-log.example.test"
  namespace    = kubernetes_namespace.seed_log.metadata[0].name
  service_name = "seed-log"
  ingress_path = ["/calendar"]
  # auth = "none": phones fetch the calendar by an address with a secret token in it.
  auth             = "none"
  homepage_enabled = false
  tls_secret_name  = var.tls_secret_name
}
