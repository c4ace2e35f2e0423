# A host of the lab: its ingress, with the login in front of it unless the app has one.
variable "name" {
  type = string
}

variable "namespace" {
  type = string
}

variable "service_name" {
  type    = string
  default = null
}

variable "port" {
  type    = number
  default = 80
}

variable "host" {
  type    = string
  default = null
}

variable "full_host" {
  type    = string
  default = null
}

variable "ingress_path" {
  type    = list(string)
  default = ["/"]
}

variable "tls_secret_name" {
  type = string
}

variable "auth" {
  type    = string
  default = "required"
  validation {
    condition     = contains(["required", "app", "none"], var.auth)
    error_message = "auth is required, app or none."
  }
}

variable "dns_type" {
  type    = string
  default = "none"
  validation {
    condition     = contains(["none", "proxied"], var.dns_type)
    error_message = "dns_type is none or proxied."
  }
}

variable "homepage_enabled" {
  type    = bool
  default = false
}

variable "homepage_group" {
  type    = string
  default = null
}

variable "extra_annotations" {
  type    = map(string)
  default = {}
}

locals {
  host = coalesce(var.full_host, "${coalesce(var.host, var.name)}.lab.example.org")
}

resource "kubernetes_ingress_v1" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
    annotations = merge(
      var.auth == "required" ? { "traefik.ingress.kubernetes.io/router.middlewares" = "auth-login@kubernetescrd" } : {},
      var.extra_annotations,
    )
  }
  spec {
    ingress_class_name = "traefik"
    tls {
      hosts       = [local.host]
      secret_name = var.tls_secret_name
    }
    rule {
      host = local.host
      http {
        dynamic "path" {
          for_each = var.ingress_path
          content {
            path      = path.value
            path_type = "Prefix"
            backend {
              service {
                name = coalesce(var.service_name, var.name)
                port {
                  number = var.port
                }
              }
            }
          }
        }
      }
    }
  }
}
