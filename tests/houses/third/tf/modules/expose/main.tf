# One host of the house: an Ingress, with the login in front of it unless the app has its own.
variable "app" {
  type        = string
  description = "What the Ingress is called, and the Service behind it unless `backend` says otherwise."
}

variable "space" {
  type = string
}

variable "hostname" {
  type = string
}

variable "backend" {
  type    = string
  default = null
}

variable "backend_port" {
  type    = number
  default = 80
}

variable "paths" {
  type    = list(string)
  default = ["/"]
}

variable "login" {
  type    = string
  default = "required"
  validation {
    condition     = contains(["required", "app", "none"], var.login)
    error_message = "login is required, app or none."
  }
}

resource "kubernetes_ingress_v1" "this" {
  metadata {
    name      = var.app
    namespace = var.space
    annotations = var.login == "required" ? {
      "traefik.ingress.kubernetes.io/router.middlewares" = "gateway-login@kubernetescrd"
    } : {}
  }
  spec {
    ingress_class_name = "traefik"
    rule {
      host = var.hostname
      http {
        dynamic "path" {
          for_each = var.paths
          content {
            path      = path.value
            path_type = "Prefix"
            backend {
              service {
                name = coalesce(var.backend, var.app)
                port {
                  number = var.backend_port
                }
              }
            }
          }
        }
      }
    }
  }
}
