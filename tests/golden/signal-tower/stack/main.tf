# Signal Tower: Listens to the weather sensors of the neighbourhood

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "signal_tower" {
  metadata {
    name = "signal-tower"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    # A Kyverno policy stamps this label on every namespace. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

resource "kubernetes_deployment" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
    labels = {
      app  = "signal-tower"
      tier = local.tiers.aux
    }
  }
  spec {
    replicas = 1
    selector {
      match_labels = {
        app = "signal-tower"
      }
    }
    template {
      metadata {
        labels = {
          app = "signal-tower"
        }
      }
      spec {
        enable_service_links = false
        security_context {
          run_as_user  = 1000
          run_as_group = 1000
          fs_group     = 1000
        }
        container {
          name  = "signal-tower"
          image = "ghcr.io/example/signal-tower:2.4.1"

          security_context {
            run_as_non_root            = true
            read_only_root_filesystem  = true
            allow_privilege_escalation = false
            capabilities {
              drop = ["ALL"]
            }
          }
          port {
            name           = "http"
            container_port = 8080
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "256Mi"
            }
            # No CPU limit: it would throttle.
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
        container {
          name    = "mast"
          image   = "docker.io/library/busybox:1.37.0"
          command = ["sleep", "infinity"]
          security_context {
            run_as_user  = 1001
            run_as_group = 1001
            # It sets the priority of packets
            capabilities {
              add = ["NET_ADMIN"]
            }
          }
          resources {
            requests = {
              cpu    = "10m"
              memory = "128Mi"
            }
            limits = {
              memory = "128Mi"
            }
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
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: Keel moves the image; an apply may not move it back
      spec[0].template[0].spec[0].container[1].image, # KEEL_IGNORE_IMAGE
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
    labels = {
      app = "signal-tower"
    }
  }
  spec {
    selector = {
      app = "signal-tower"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}

# https://signal-tower.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "signal-tower"
  namespace       = kubernetes_namespace.signal_tower.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Signal Tower"
    "gethomepage.dev/description"  = "Listens to the weather sensors of the neighbourhood"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}
