# IP Echo: Tells visitors their address

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "ip_echo" {
  metadata {
    name = "ip-echo"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_deployment" "ip_echo" {
  metadata {
    name      = "ip-echo"
    namespace = kubernetes_namespace.ip_echo.metadata[0].name
    labels = {
      app  = "ip-echo"
      tier = local.tiers.aux
    }
  }
  spec {
    replicas = 1
    selector {
      match_labels = {
        app = "ip-echo"
      }
    }
    template {
      metadata {
        labels = {
          app = "ip-echo"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "ip-echo"
          image = "docker.io/mpolden/echoip:2.0.1"

          port {
            name           = "http"
            container_port = 8080
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "64Mi"
            }
            limits = {
              memory = "64Mi"
            }
          }
          readiness_probe {
            http_get {
              path = "/health"
              port = 8080
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/health"
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

resource "kubernetes_service" "ip_echo" {
  metadata {
    name      = "ip-echo"
    namespace = kubernetes_namespace.ip_echo.metadata[0].name
    labels = {
      app = "ip-echo"
    }
  }
  spec {
    selector = {
      app = "ip-echo"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}

# https://ip-echo.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "ip-echo"
  namespace       = kubernetes_namespace.ip_echo.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "IP Echo"
    "gethomepage.dev/description"  = "Tells visitors their address"
    "gethomepage.dev/icon"         = "mdi-ip"
    "gethomepage.dev/pod-selector" = ""
  }
}
