# Reading Room: Books and magazines to read in the browser

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "nfs_server" { type = string }

resource "kubernetes_namespace" "reading_room" {
  metadata {
    name = "reading-room"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/reading-room in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "reading-room-secrets"
      namespace = "reading-room"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "reading-room-secrets"
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
          key = "reading-room"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.reading_room]
}

# Read during the plan, so the ExternalSecret has to be applied first.
data "kubernetes_secret" "reading_room" {
  metadata {
    name      = "reading-room-secrets"
    namespace = kubernetes_namespace.reading_room.metadata[0].name
  }
  depends_on = [kubernetes_manifest.external_secret]
}

# On NFS: several pods write to it or it is browsed from outside; NFS does not encrypt its sensitive data.
module "nfs_library" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "reading-room-library-host"
  namespace  = kubernetes_namespace.reading_room.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/reading-room/library"
  storage    = "50Gi"
}

resource "kubernetes_deployment" "reading_room" {
  metadata {
    name      = "reading-room"
    namespace = kubernetes_namespace.reading_room.metadata[0].name
    labels = {
      app  = "reading-room"
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
        app = "reading-room"
      }
    }
    template {
      metadata {
        labels = {
          app = "reading-room"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "reading-room"
          image = "ghcr.io/example/reading-room:4.2.1"

          port {
            name           = "http"
            container_port = 5000
          }
          env_from {
            secret_ref {
              name = "reading-room-secrets"
            }
          }
          volume_mount {
            name       = "library"
            mount_path = "/books"
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
              path = "/ping"
              port = 5000
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/ping"
              port = 5000
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "library"
          persistent_volume_claim {
            claim_name = module.nfs_library.claim_name
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

resource "kubernetes_service" "reading_room" {
  metadata {
    name      = "reading-room"
    namespace = kubernetes_namespace.reading_room.metadata[0].name
    labels = {
      app = "reading-room"
    }
  }
  spec {
    selector = {
      app = "reading-room"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 5000
    }
  }
}

# The default rate limit is too low for this app.
resource "kubernetes_manifest" "rate_limit" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "reading-room-rate-limit"
      namespace = "reading-room"
    }
    spec = {
      rateLimit = {
        average = 100
        burst   = 500
      }
    }
  }
  depends_on = [kubernetes_namespace.reading_room]
}

# The default rate limit is too low for this app.
resource "kubernetes_manifest" "ingress_opds_rate_limit" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "reading-room-opds-rate-limit"
      namespace = "reading-room"
    }
    spec = {
      rateLimit = {
        average = 20
        burst   = 40
      }
    }
  }
  depends_on = [kubernetes_namespace.reading_room]
}

# https://books.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "reading-room"
  namespace       = kubernetes_namespace.reading_room.metadata[0].name
  host            = "books"
  tls_secret_name = var.tls_secret_name
  # auth = "app": the app has its own accounts, and its mobile readers cannot follow a redirect
  auth                           = "app"
  anti_ai_scraping               = false
  dns_type                       = "non-proxied"
  homepage_group                 = "Media"
  max_body_size                  = "2g"
  skip_default_rate_limit        = true
  extra_middlewares              = ["reading-room-reading-room-rate-limit@kubernetescrd", "traefik-compress@kubernetescrd"]
  custom_content_security_policy = "script-src 'self'"
  external_monitor_name          = "Reading room"
  extra_annotations = {
    "gethomepage.dev/name"                      = "Reading Room"
    "gethomepage.dev/description"               = "Books and magazines to read in the browser"
    "gethomepage.dev/icon"                      = "mdi-application"
    "gethomepage.dev/pod-selector"              = ""
    "gethomepage.dev/widget.type"               = "kavita"
    "gethomepage.dev/widget.url"                = "http://reading-room.reading-room.svc.cluster.local"
    "gethomepage.dev/widget.password"           = data.kubernetes_secret.reading_room.data["WIDGET_PASSWORD"]
    "uptime.example.test/external-monitor-path" = "/ping"
  }
}

# /opds: called by machines, which a login page would block.
# Traefik matches prefixes, so every path that begins with one of these has this gate.
module "ingress_opds" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "reading-room-opds"
  namespace       = kubernetes_namespace.reading_room.metadata[0].name
  host            = "books"
  service_name    = "reading-room"
  ingress_path    = ["/opds"]
  tls_secret_name = var.tls_secret_name
  # auth = "none": e-readers log in with a token in the address
  auth                    = "none"
  skip_default_rate_limit = true
  extra_middlewares       = ["reading-room-reading-room-opds-rate-limit@kubernetescrd"]
  external_monitor        = false
  homepage_enabled        = false
}

# https://library.example.test
module "ingress_host_library" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "reading-room-library"
  namespace        = kubernetes_namespace.reading_room.metadata[0].name
  host             = "library"
  service_name     = "reading-room"
  tls_secret_name  = var.tls_secret_name
  auth             = "required"
  dns_type         = "non-proxied"
  max_body_size    = "10m"
  homepage_enabled = false
}

# https://read.example.org
module "ingress_host_read_example_org" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "reading-room-read-example-org"
  namespace       = kubernetes_namespace.reading_room.metadata[0].name
  full_host       = "read.example.org"
  service_name    = "reading-room"
  tls_secret_name = var.tls_secret_name
  # auth = "none": the front page of the club, meant for anyone
  auth                    = "none"
  allow_local_access_only = true
  external_monitor        = false
  homepage_enabled        = false
}
