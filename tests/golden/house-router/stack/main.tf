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

# Single keys of other Services' Vault paths.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "house-router-secrets"
      namespace = "house-router"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "house-router-secrets"
      }
      data = [
        # The router itself checks it too
        {
          secretKey = "gateway-router_secret"
          remoteRef = {
            key      = "gateway"
            property = "router_secret"
          }
        },
      ]
    }
  }
  depends_on = [kubernetes_namespace.house_router]
}

# Read during the plan, so the ExternalSecret has to be applied first.
data "kubernetes_secret" "house_router" {
  metadata {
    name      = "house-router-secrets"
    namespace = kubernetes_namespace.house_router.metadata[0].name
  }
  depends_on = [kubernetes_manifest.external_secret]
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

# It runs outside the cluster, at 192.0.2.1.
resource "kubernetes_service" "router_console" {
  metadata {
    name      = "router-console"
    namespace = kubernetes_namespace.house_router.metadata[0].name
  }
  spec {
    port {
      name        = "http"
      port        = 80
      target_port = 8444
    }
  }
}

resource "kubernetes_endpoints" "router_console" {
  metadata {
    name      = kubernetes_service.router_console.metadata[0].name
    namespace = kubernetes_namespace.house_router.metadata[0].name
  }
  subset {
    address {
      ip = "192.0.2.1"
    }
    port {
      name = "http"
      port = 8444
    }
  }
}

# It runs outside the cluster, at camera.example.org.
resource "kubernetes_service" "house_router_camera" {
  metadata {
    name      = "house-router-camera"
    namespace = kubernetes_namespace.house_router.metadata[0].name
  }
  spec {
    type          = "ExternalName"
    external_name = "camera.example.org"
    port {
      name        = "http"
      port        = 8080
      target_port = 8080
    }
  }
}

# Only accepted requests get these headers, which replace those that a client sends.
resource "kubernetes_manifest" "ingress_ws_headers" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "house-router-ws-headers"
      namespace = "house-router"
    }
    spec = {
      headers = {
        customRequestHeaders = {
          "X-Gateway-Auth" = data.kubernetes_secret.house_router.data["gateway-router_secret"]
        }
      }
    }
  }
  depends_on = [kubernetes_namespace.house_router]
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

# /ws/: called by machines, which a login page would block.
module "ingress_ws" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "house-router-ws"
  namespace       = kubernetes_namespace.house_router.metadata[0].name
  host            = "house-router"
  service_name    = "router-console"
  ingress_path    = ["/ws/"]
  tls_secret_name = var.tls_secret_name
  # auth = "app": The console checks a name and a password
  auth                    = "app"
  extra_middlewares       = ["house-router-house-router-ws-headers@kubernetescrd"]
  allow_local_access_only = true
  external_monitor        = false
  homepage_enabled        = false
}

# https://camera.example.test
module "ingress_host_camera" {
  source                  = "../../modules/kubernetes/ingress_factory"
  name                    = "house-router-camera"
  namespace               = kubernetes_namespace.house_router.metadata[0].name
  host                    = "camera"
  service_name            = "house-router-camera"
  port                    = 8080
  tls_secret_name         = var.tls_secret_name
  auth                    = "required"
  allow_local_access_only = true
  external_monitor        = false
  homepage_enabled        = false
}

# These objects already exist and are imported, not created. Remove the blocks after the apply.
import {
  to = kubernetes_service.house_router
  id = "house-router/house-router"
}

import {
  to = kubernetes_endpoints.house_router
  id = "house-router/house-router"
}

import {
  to = kubernetes_service.router_console
  id = "house-router/router-console"
}

import {
  to = kubernetes_endpoints.router_console
  id = "house-router/router-console"
}

import {
  to = kubernetes_service.house_router_camera
  id = "house-router/house-router-camera"
}

import {
  to = module.ingress.kubernetes_ingress_v1.this
  id = "house-router/house-router"
}

import {
  to = module.ingress_ws.kubernetes_ingress_v1.this
  id = "house-router/house-router-ws"
}

import {
  to = module.ingress_host_camera.kubernetes_ingress_v1.this
  id = "house-router/house-router-camera"
}
