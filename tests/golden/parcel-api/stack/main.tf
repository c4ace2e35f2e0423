# Parcel API: Parcel tracking for the house

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "parcel_api" {
  metadata {
    name = "parcel-api"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/parcel-api in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "parcel-api-secrets"
      namespace = "parcel-api"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "parcel-api-secrets"
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
          key = "parcel-api"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.parcel_api]
}

resource "kubernetes_deployment" "parcel_api" {
  metadata {
    name      = "parcel-api"
    namespace = kubernetes_namespace.parcel_api.metadata[0].name
    labels = {
      app  = "parcel-api"
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
        app = "parcel-api"
      }
    }
    template {
      metadata {
        labels = {
          app = "parcel-api"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "parcel-api"
          image = "ghcr.io/parcels/api:3.2.0"

          port {
            name           = "http"
            container_port = 8000
          }
          env {
            name = "WEBHOOK_KEY"
            value_from {
              secret_key_ref {
                name = "parcel-api-secrets"
                key  = "webhook_key"
              }
            }
          }
          env_from {
            secret_ref {
              name = "parcel-api-secrets"
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
              port = 8000
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/healthz"
              port = 8000
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

resource "kubernetes_service" "parcel_api" {
  metadata {
    name      = "parcel-api"
    namespace = kubernetes_namespace.parcel_api.metadata[0].name
    labels = {
      app = "parcel-api"
    }
  }
  spec {
    selector = {
      app = "parcel-api"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8000
    }
  }
}

# https://parcel-api.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "parcel-api"
  namespace       = kubernetes_namespace.parcel_api.metadata[0].name
  tls_secret_name = var.tls_secret_name
  # auth = "app": Every request carries a bearer token that the API checks
  auth             = "app"
  dns_type         = "proxied"
  homepage_enabled = false
  extra_annotations = {
    "uptime.example.test/external-monitor-path" = "/healthz"
  }
}

# /hooks/carrier/: called by machines, which a login page would block.
module "ingress_hooks_carrier" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "parcel-api-hooks-carrier"
  namespace       = kubernetes_namespace.parcel_api.metadata[0].name
  host            = "parcel-api"
  service_name    = "parcel-api"
  ingress_path    = ["/hooks/carrier/"]
  tls_secret_name = var.tls_secret_name
  # auth = "none": Carriers post here, and sign every request with a shared key
  auth             = "none"
  external_monitor = false
  homepage_enabled = false
}

# /api/v1/, /api/v2/: called by machines, which a login page would block.
module "ingress_api" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "parcel-api-api"
  namespace       = kubernetes_namespace.parcel_api.metadata[0].name
  host            = "parcel-api"
  service_name    = "parcel-api"
  ingress_path    = ["/api/v1/", "/api/v2/"]
  tls_secret_name = var.tls_secret_name
  # auth = "app": The phone app sends its own bearer token
  auth             = "app"
  max_body_size    = "1m"
  external_monitor = false
  homepage_enabled = false
}
