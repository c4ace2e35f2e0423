# The garden journal: a static site that anybody may read.

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

locals {
  labels = { app = "journal" }
}

resource "kubernetes_namespace" "journal" {
  metadata {
    name   = "journal"
    labels = { tier = local.tiers.edge }
  }

  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_config_map" "pages" {
  metadata {
    name      = "journal-pages"
    namespace = kubernetes_namespace.journal.metadata[0].name
  }

  data = {
    "index.html" = "<!doctype html><title>Garden journal</title><h1>The beans are up</h1>"
    "feed.xml"   = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Garden journal</title></feed>"
  }
}

resource "kubernetes_deployment" "journal" {
  metadata {
    name      = "journal"
    namespace = kubernetes_namespace.journal.metadata[0].name
    labels    = merge(local.labels, { tier = local.tiers.edge })
    annotations = {
      "reloader.stakater.com/auto" = "true"
    }
  }
  spec {
    replicas = 1
    selector { match_labels = local.labels }
    template {
      metadata { labels = local.labels }
      spec {
        container {
          name  = "nginx"
          image = "docker.io/nginxinc/nginx-unprivileged:1.27.4"
          port { container_port = 8080 }
          volume_mount {
            name       = "pages"
            mount_path = "/usr/share/nginx/html"
            read_only  = true
          }
          readiness_probe {
            http_get {
              path = "/"
              port = 8080
            }
          }
          liveness_probe {
            tcp_socket { port = 8080 }
          }
          resources {
            requests = { cpu = "5m", memory = "32Mi" }
            limits   = { memory = "64Mi" }
          }
        }
        volume {
          name = "pages"
          config_map { name = kubernetes_config_map.pages.metadata[0].name }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_service" "journal" {
  metadata {
    name      = "journal"
    namespace = kubernetes_namespace.journal.metadata[0].name
  }
  spec {
    selector = local.labels
    port {
      port        = 80
      target_port = 8080
    }
  }
}

module "anubis" {
  source = "../../modules/kubernetes/anubis_instance"

  name       = "journal"
  namespace  = kubernetes_namespace.journal.metadata[0].name
  target_url = "http://journal.journal.svc.cluster.local"
}

module "ingress" {
  source = "../../modules/kubernetes/ingress_factory"

  name         = "journal"
  namespace    = kubernetes_namespace.journal.metadata[0].name
  service_name = module.anubis.service_name
  port         = module.anubis.service_port
  # auth = "none": a public site; Anubis keeps the crawlers out.
  auth             = "none"
  anti_ai_scraping = false
  dns_type         = "proxied"
  tls_secret_name  = var.tls_secret_name
  extra_annotations = {
    "gethomepage.dev/description" = "What grows and what does not"
    "gethomepage.dev/icon"        = "mdi-sprout"
  }
}

module "ingress_feed" {
  source = "../../modules/kubernetes/ingress_factory"

  name         = "journal-feed"
  full_host    = "journal.example.test"
  namespace    = kubernetes_namespace.journal.metadata[0].name
  service_name = "journal"
  ingress_path = ["/feed.xml"]
  # auth = "none": feed readers can neither sign on nor solve a challenge.
  auth             = "none"
  anti_ai_scraping = false
  homepage_enabled = false
  tls_secret_name  = var.tls_secret_name
}
