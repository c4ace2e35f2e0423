# Ledger Bridge: Brings bank statements into the ledger

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "mysql_host" { type = string }
variable "image_tag" {
  type    = string
  default = "latest"
}

resource "kubernetes_namespace" "ledger_bridge" {
  metadata {
    name = "ledger-bridge"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/ledger-bridge in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "ledger-bridge-secrets"
      namespace = "ledger-bridge"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "ledger-bridge-secrets"
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
          key = "ledger-bridge"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.ledger_bridge]
}

# The database password, which Vault rotates, in the variables that the app reads.
resource "kubernetes_manifest" "db_external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "ledger-bridge-db-creds"
      namespace = "ledger-bridge"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-database"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "ledger-bridge-db-creds"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
          data = {
            DB_PASSWORD = "{{ .password }}"
          }
        }
      }
      data = [{
        secretKey = "password"
        remoteRef = {
          key      = "static-creds/mysql-ledger-bridge"
          property = "password"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.ledger_bridge]
}

resource "kubernetes_deployment" "ledger_bridge" {
  metadata {
    name      = "ledger-bridge"
    namespace = kubernetes_namespace.ledger_bridge.metadata[0].name
    labels = {
      app  = "ledger-bridge"
      tier = local.tiers.aux
    }
    annotations = {
      "reloader.stakater.com/search" = "true"
    }
  }
  spec {
    replicas = 1
    selector {
      match_labels = {
        app = "ledger-bridge"
      }
    }
    template {
      metadata {
        labels = {
          app = "ledger-bridge"
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
        container {
          name  = "ledger-bridge"
          image = "registry.example.test/apps/ledger-bridge:${var.image_tag}"

          port {
            name           = "http"
            container_port = 8080
          }
          env {
            name  = "DB_HOST"
            value = var.mysql_host
          }
          env {
            name  = "DB_PORT"
            value = "3306"
          }
          env {
            name  = "DB_NAME"
            value = "ledger_bridge"
          }
          env {
            name  = "DB_USER"
            value = "ledger_bridge"
          }
          env {
            name = "BANK_TOKEN"
            value_from {
              secret_key_ref {
                name = "ledger-bridge-secrets"
                key  = "bank_token"
              }
            }
          }
          env {
            name = "DB_PASSWORD"
            value_from {
              secret_key_ref {
                name = "ledger-bridge-db-creds"
                key  = "DB_PASSWORD"
              }
            }
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
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: CI updates the image, and an apply must not revert it
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "ledger_bridge" {
  metadata {
    name      = "ledger-bridge"
    namespace = kubernetes_namespace.ledger_bridge.metadata[0].name
    labels = {
      app = "ledger-bridge"
    }
  }
  spec {
    selector = {
      app = "ledger-bridge"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}

# https://ledger-bridge.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "ledger-bridge"
  namespace       = kubernetes_namespace.ledger_bridge.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Finance & Personal"
  extra_annotations = {
    "gethomepage.dev/name"         = "Ledger Bridge"
    "gethomepage.dev/description"  = "Brings bank statements into the ledger"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}
