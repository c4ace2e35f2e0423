# Sketchpad: A whiteboard for two

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "sketchpad" {
  metadata {
    name = "sketchpad"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_deployment" "sketchpad" {
  metadata {
    name      = "sketchpad"
    namespace = kubernetes_namespace.sketchpad.metadata[0].name
    labels = {
      app  = "sketchpad"
      tier = local.tiers.aux
    }
  }
  spec {
    replicas = 1
    selector {
      match_labels = {
        app = "sketchpad"
      }
    }
    template {
      metadata {
        labels = {
          app = "sketchpad"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "sketchpad"
          image = "docker.io/excalidraw/excalidraw:0.18.0"

          port {
            name           = "http"
            container_port = 80
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
            tcp_socket {
              port = 80
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            tcp_socket {
              port = 80
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

resource "kubernetes_service" "sketchpad" {
  metadata {
    name      = "sketchpad"
    namespace = kubernetes_namespace.sketchpad.metadata[0].name
    labels = {
      app = "sketchpad"
    }
  }
  spec {
    selector = {
      app = "sketchpad"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 80
    }
  }
}

# https://sketchpad.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "sketchpad"
  namespace       = kubernetes_namespace.sketchpad.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Sketchpad"
    "gethomepage.dev/description"  = "A whiteboard for two"
    "gethomepage.dev/icon"         = "excalidraw.png"
    "gethomepage.dev/pod-selector" = ""
  }
}
