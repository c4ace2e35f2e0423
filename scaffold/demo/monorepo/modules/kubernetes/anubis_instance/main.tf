# A reverse proxy that asks the browser for a little proof of work before it lets a request through
# to target_url. For open pages that people read; never in front of an API.

variable "name" { type = string }
variable "namespace" { type = string }

variable "target_url" {
  type        = string
  description = "Where requests go that have passed, as in http://site.site.svc.cluster.local."
}

variable "cookie_domain" {
  type        = string
  default     = "example.test"
  description = "One solved challenge holds for every host under it."
}

variable "difficulty" {
  type    = number
  default = 2
}

variable "cookie_expiration_hours" {
  type    = number
  default = 720
}

variable "image_tag" {
  type    = string
  default = "v1.21.3"
}

variable "replicas" {
  type        = number
  default     = null
  description = "When null: 2 with a shared store, 1 without (challenges then live in the pod's memory)."
  validation {
    condition     = var.replicas == null ? true : contains([1, 2], var.replicas)
    error_message = "replicas is 1 or 2."
  }
}

variable "shared_store_url" {
  type        = string
  default     = null
  description = "Valkey or Redis database of this instance alone: redis://host:port/<db>."
  validation {
    condition     = var.shared_store_url == null ? true : can(regex("^redis://[[:alnum:]._-]+:[0-9]+/[0-9]+$", var.shared_store_url))
    error_message = "shared_store_url has the form redis://host:port/<db>."
  }
}

variable "memory" {
  type    = string
  default = "128Mi"
}

variable "policy_yaml" {
  type    = string
  default = null
}

variable "cpu_request" {
  type    = string
  default = "20m"
}

locals {
  full_name = "anubis-${var.name}"
  labels    = { app = local.full_name }

  default_policy = yamlencode({
    bots = [
      { import = "(data)/bots/_deny-pathological.yaml" },
      { import = "(data)/crawlers/_allow-good.yaml" },
      { import = "(data)/common/keep-internet-working.yaml" },
      { name = "everybody-else", path_regex = ".*", action = "CHALLENGE" },
    ]
  })
  store  = var.shared_store_url == null ? "" : yamlencode({ store = { backend = "valkey", parameters = { url = var.shared_store_url } } })
  policy = join("\n", compact([coalesce(var.policy_yaml, local.default_policy), local.store]))

  settings = {
    BIND                         = ":8923"
    METRICS_BIND                 = ":9090"
    TARGET                       = var.target_url
    DIFFICULTY                   = tostring(var.difficulty)
    COOKIE_DOMAIN                = var.cookie_domain
    COOKIE_EXPIRATION_TIME       = "${var.cookie_expiration_hours}h"
    ED25519_PRIVATE_KEY_HEX_FILE = "/key/key"
    POLICY_FNAME                 = "/policy/policy.yaml"
  }
}

resource "kubernetes_config_map" "policy" {
  metadata {
    name      = "${local.full_name}-policy"
    namespace = var.namespace
  }

  data = { "policy.yaml" = local.policy }
}

# The same key everywhere, so that a cookie of one instance is good for the others.
resource "kubernetes_manifest" "key" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata   = { name = "${local.full_name}-key", namespace = var.namespace }
    spec = {
      refreshInterval = "1h"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      target          = { name = "${local.full_name}-key" }
      data            = [{ secretKey = "key", remoteRef = { key = "house", property = "anubis_ed25519_key" } }]
    }
  }
}

resource "kubernetes_deployment" "this" {
  metadata {
    name      = local.full_name
    namespace = var.namespace
    labels    = local.labels
  }
  spec {
    replicas = coalesce(var.replicas, var.shared_store_url == null ? 1 : 2)
    selector { match_labels = local.labels }
    template {
      metadata {
        labels      = local.labels
        annotations = { "checksum/policy" = sha256(local.policy) }
      }
      spec {
        container {
          name  = "anubis"
          image = "ghcr.io/techarohq/anubis:${var.image_tag}"
          port { container_port = 8923 }
          dynamic "env" {
            for_each = local.settings
            content {
              name  = env.key
              value = env.value
            }
          }
          volume_mount {
            name       = "key"
            mount_path = "/key"
            read_only  = true
          }
          volume_mount {
            name       = "policy"
            mount_path = "/policy"
            read_only  = true
          }
          readiness_probe {
            http_get {
              path = "/metrics"
              port = 9090
            }
          }
          liveness_probe {
            http_get {
              path = "/metrics"
              port = 9090
            }
          }
          resources {
            requests = { cpu = var.cpu_request, memory = var.memory }
            limits   = { memory = var.memory }
          }
          security_context {
            run_as_non_root           = true
            run_as_user               = 1000
            read_only_root_filesystem = true
          }
        }
        volume {
          name = "key"
          secret { secret_name = "${local.full_name}-key" }
        }
        volume {
          name = "policy"
          config_map { name = kubernetes_config_map.policy.metadata[0].name }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }

  depends_on = [kubernetes_manifest.key]
}

resource "kubernetes_service" "this" {
  metadata {
    name      = local.full_name
    namespace = var.namespace
  }
  spec {
    selector = local.labels
    port {
      port        = 8080
      target_port = 8923
    }
  }
}

output "service_name" { value = kubernetes_service.this.metadata[0].name }

output "service_port" { value = 8080 }
