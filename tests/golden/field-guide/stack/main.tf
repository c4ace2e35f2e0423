# Field Guide: A field guide to local birds

variable "tls_secret_name" {
  type      = string
  sensitive = true
}
variable "redis_host" { type = string }

resource "kubernetes_namespace" "field_guide" {
  metadata {
    name = "field-guide"
    labels = {
      tier = local.tiers.aux
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_deployment" "field_guide" {
  metadata {
    name      = "field-guide"
    namespace = kubernetes_namespace.field_guide.metadata[0].name
    labels = {
      app  = "field-guide"
      tier = local.tiers.aux
    }
  }
  spec {
    replicas = 1
    selector {
      match_labels = {
        app = "field-guide"
      }
    }
    template {
      metadata {
        labels = {
          app = "field-guide"
        }
      }
      spec {
        enable_service_links = false
        container {
          name  = "field-guide"
          image = "docker.io/library/nginx:1.29.0"

          port {
            name           = "http"
            container_port = 80
          }

          resources {
            requests = {
              cpu    = "10m"
              memory = "64Mi"
            }
            limits = {
              memory = "64Mi"
            }
          }
          readiness_probe {
            http_get {
              path = "/"
              port = 80
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/"
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
    ignore_changes = [spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_service" "field_guide" {
  metadata {
    name      = "field-guide"
    namespace = kubernetes_namespace.field_guide.metadata[0].name
    labels = {
      app = "field-guide"
    }
  }
  spec {
    selector = {
      app = "field-guide"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 80
    }
  }
}

# Requires a proof of work from browsers before it forwards their requests.
module "anubis" {
  source           = "../../modules/kubernetes/anubis_instance"
  name             = "field-guide"
  namespace        = kubernetes_namespace.field_guide.metadata[0].name
  target_url       = "http://field-guide.field-guide.svc.cluster.local"
  shared_store_url = "redis://${var.redis_host}:6379/5"
  replicas         = 2
}

# https://field-guide.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "field-guide"
  namespace       = kubernetes_namespace.field_guide.metadata[0].name
  service_name    = module.anubis.service_name
  port            = module.anubis.service_port
  tls_secret_name = var.tls_secret_name
  # auth = "none": behind Anubis: The guide is public, and nothing can be changed there
  auth             = "none"
  anti_ai_scraping = false
  dns_type         = "proxied"
  homepage_group   = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Field Guide"
    "gethomepage.dev/description"  = "A field guide to local birds"
    "gethomepage.dev/icon"         = "nginx.png"
    "gethomepage.dev/pod-selector" = ""
  }
}

# /feed.xml, /sitemap.xml: called by machines, which a login page would block.
# Traefik matches prefixes, so every path that begins with one of these has this gate.
module "ingress_feeds" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "field-guide-feeds"
  namespace       = kubernetes_namespace.field_guide.metadata[0].name
  host            = "field-guide"
  service_name    = "field-guide"
  ingress_path    = ["/feed.xml", "/sitemap.xml"]
  tls_secret_name = var.tls_secret_name
  # auth = "none": Feed readers and crawlers cannot solve a proof of work, and both files are public
  auth             = "none"
  external_monitor = false
  homepage_enabled = false
}
