# House Router: The router's own pages

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "house_router" {
  metadata {
    name = "house-router"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# It runs outside the cluster, at 192.0.2.1.
resource "kubernetes_service" "house_router" {
  metadata {
    name      = "house-router"
    namespace = kubernetes_namespace.house_router.metadata[0].name
  }
  spec {
    port {
      name        = "http"
      port        = 8443
      target_port = 8443
    }
  }
}

resource "kubernetes_endpoints" "house_router" {
  metadata {
    name      = kubernetes_service.house_router.metadata[0].name
    namespace = kubernetes_namespace.house_router.metadata[0].name
  }
  subset {
    address {
      ip = "192.0.2.1"
    }
    port {
      name = "http"
      port = 8443
    }
  }
}

# https://house-router.example.test
module "ingress" {
  source                  = "../../modules/kubernetes/ingress_factory"
  name                    = "house-router"
  namespace               = kubernetes_namespace.house_router.metadata[0].name
  port                    = 8443
  tls_secret_name         = var.tls_secret_name
  auth                    = "required"
  homepage_group          = "Other"
  skip_default_rate_limit = true
  extra_middlewares       = ["traefik-router-rate-limit@kubernetescrd"]
  allow_local_access_only = true
  external_monitor        = false
  extra_annotations = {
    "gethomepage.dev/name"         = "House Router"
    "gethomepage.dev/description"  = "The router's own pages"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}
