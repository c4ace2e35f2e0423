# What we know.
resource "kubernetes_namespace" "wiki" {
  metadata {
    name = "wiki"
  }
}

resource "kubernetes_persistent_volume_claim" "pages" {
  metadata {
    name      = "wiki-pages"
    namespace = kubernetes_namespace.wiki.metadata[0].name
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "local-path"
    resources {
      requests = { storage = "1Gi" }
    }
  }
}

resource "kubernetes_deployment" "wiki" {
  metadata {
    name      = "wiki"
    namespace = kubernetes_namespace.wiki.metadata[0].name
  }
  spec {
    strategy {
      type = "Recreate"
    }
    selector {
      match_labels = { app = "wiki" }
    }
    template {
      metadata {
        labels = { app = "wiki" }
      }
      spec {
        container {
          name  = "wiki"
          image = "docker.io/requarks/wiki:2.5.307"
          port {
            name           = "http"
            container_port = 3000
          }
          volume_mount {
            name       = "pages"
            mount_path = "/wiki/data"
          }
          volume_mount {
            name       = "photos"
            mount_path = "/photos"
          }
          resources {
            requests = { cpu = "50m", memory = "256Mi" }
            limits   = { memory = "256Mi" }
          }
          readiness_probe {
            http_get {
              path = "/healthz"
              port = "http"
            }
          }
          liveness_probe {
            tcp_socket {
              port = "http"
            }
          }
        }
        volume {
          name = "pages"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.pages.metadata[0].name
          }
        }
        volume {
          name = "photos"
          persistent_volume_claim {
            claim_name = module.photos.claim
          }
        }
      }
    }
  }
}

resource "kubernetes_service" "wiki" {
  metadata {
    name      = "wiki"
    namespace = kubernetes_namespace.wiki.metadata[0].name
  }
  spec {
    selector = { app = "wiki" }
    port {
      name        = "http"
      port        = 80
      target_port = "http"
    }
  }
}

module "photos" {
  source    = "../../tf/modules/nas_volume"
  called    = "wiki-photos"
  space     = kubernetes_namespace.wiki.metadata[0].name
  server    = "nas.fjord.example.net"
  directory = "/volume1/apps/wiki/photos"
  size      = "50Gi"
}

module "web" {
  source   = "../../tf/modules/expose"
  app      = "wiki"
  space    = kubernetes_namespace.wiki.metadata[0].name
  hostname = "wiki.fjord.example.net"
  login    = "required"
}
