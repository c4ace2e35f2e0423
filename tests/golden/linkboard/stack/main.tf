# Linkboard: Bookmarks with notes and archives

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "postgresql_host" { type = string }

resource "kubernetes_namespace" "linkboard" {
  metadata {
    name = "linkboard"
    labels = {
      tier               = local.tiers.edge
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/linkboard in Vault, and single keys of other paths.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "linkboard-secrets"
      namespace = "linkboard"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "linkboard-secrets"
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
          key = "linkboard"
        }
      }]
      data = [
        # The house has one account there
        {
          secretKey = "OPENAI_API_KEY"
          remoteRef = {
            key      = "shared/openai"
            property = "api_key"
          }
        },
      ]
    }
  }
  depends_on = [kubernetes_namespace.linkboard]
}

# The database password, which Vault rotates, in the variables that the app reads.
resource "kubernetes_manifest" "db_external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "linkboard-db-creds"
      namespace = "linkboard"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-database"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "linkboard-db-creds"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
          data = {
            DATABASE_URL = "postgresql://linkboard:{{ .password }}@${var.postgresql_host}:5432/linkboard"
          }
        }
      }
      data = [{
        secretKey = "password"
        remoteRef = {
          key      = "static-creds/pg-linkboard"
          property = "password"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.linkboard]
}

resource "kubernetes_deployment" "linkboard" {
  metadata {
    name      = "linkboard"
    namespace = kubernetes_namespace.linkboard.metadata[0].name
    labels = {
      app  = "linkboard"
      tier = local.tiers.edge
    }
    annotations = {
      "reloader.stakater.com/search" = "true"
    }
  }
  spec {
    replicas = 1
    selector {
      match_labels = {
        app = "linkboard"
      }
    }
    template {
      metadata {
        labels = {
          app = "linkboard"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "linkboard"
          image = "ghcr.io/linkboard/linkboard:v2.9.3"

          port {
            name           = "http"
            container_port = 3000
          }
          env {
            name  = "NEXTAUTH_URL"
            value = "https://links.example.test/api/v1/auth"
          }
          env {
            name = "NEXTAUTH_SECRET"
            value_from {
              secret_key_ref {
                name = "linkboard-secrets"
                key  = "nextauth_secret"
              }
            }
          }
          env {
            name = "OPENAI_API_KEY"
            value_from {
              secret_key_ref {
                name = "linkboard-secrets"
                key  = "OPENAI_API_KEY"
              }
            }
          }
          env {
            name = "DATABASE_URL"
            value_from {
              secret_key_ref {
                name = "linkboard-db-creds"
                key  = "DATABASE_URL"
              }
            }
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "512Mi"
            }
            limits = {
              memory = "1Gi"
            }
          }
          # It can take up to ten minutes to start.
          startup_probe {
            http_get {
              path = "/api/health"
              port = 3000
            }
            period_seconds    = 10
            failure_threshold = 60
          }
          readiness_probe {
            http_get {
              path = "/api/health"
              port = 3000
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/api/health"
              port = 3000
            }
            period_seconds    = 30
            timeout_seconds   = 10
            failure_threshold = 5
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

resource "kubernetes_service" "linkboard" {
  metadata {
    name      = "linkboard"
    namespace = kubernetes_namespace.linkboard.metadata[0].name
    labels = {
      app = "linkboard"
    }
  }
  spec {
    selector = {
      app = "linkboard"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 3000
    }
  }
}

# https://links.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "linkboard"
  namespace       = kubernetes_namespace.linkboard.metadata[0].name
  host            = "links"
  tls_secret_name = var.tls_secret_name
  # auth = "app": NextAuth with a password and passkeys for every account
  auth           = "app"
  dns_type       = "proxied"
  homepage_group = "Productivity"
  extra_annotations = {
    "gethomepage.dev/name"                      = "Linkboard"
    "gethomepage.dev/description"               = "Bookmarks with notes and archives"
    "gethomepage.dev/icon"                      = "linkwarden.png"
    "gethomepage.dev/pod-selector"              = ""
    "uptime.example.test/external-monitor-path" = "/api/health"
  }
}
