# Texts to share for a day.
variable "tls_secret_name" {
  type = string
}

resource "kubernetes_namespace" "paste" {
  metadata {
    name = "paste"
  }
}

resource "kubernetes_deployment" "paste" {
  metadata {
    name      = "paste"
    namespace = kubernetes_namespace.paste.metadata[0].name
  }
  spec {
    selector {
      match_labels = { app = "paste" }
    }
    template {
      metadata {
        labels = { app = "paste" }
      }
      spec {
        container {
          name  = "paste"
          image = "ghcr.io/robin-lab/paste:1.4.0"
          port {
            name           = "http"
            container_port = 8000
          }
          resources {
            requests = { cpu = "10m", memory = "64Mi" }
            limits   = { memory = "64Mi" }
          }
          readiness_probe {
            http_get {
              path = "/"
              port = "http"
            }
          }
          liveness_probe {
            tcp_socket {
              port = "http"
            }
          }
        }
      }
    }
  }
}

resource "kubernetes_service" "paste" {
  metadata {
    name      = "paste"
    namespace = kubernetes_namespace.paste.metadata[0].name
  }
  spec {
    selector = { app = "paste" }
    port {
      name        = "http"
      port        = 80
      target_port = "http"
    }
  }
}

module "route" {
  source          = "../../infra/parts/web_route"
  name            = "paste"
  namespace       = kubernetes_namespace.paste.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
}
