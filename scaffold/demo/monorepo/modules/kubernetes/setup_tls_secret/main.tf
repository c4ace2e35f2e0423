# The wildcard certificate as a Secret of one namespace. The calling stack needs a link
# secrets -> ../../secrets, unless it brings a certificate of its own.

variable "namespace" { type = string }
variable "tls_secret_name" {}
variable "tls_crt" { default = "" }
variable "tls_key" { default = "" }

resource "kubernetes_secret" "tls" {
  metadata {
    name      = var.tls_secret_name
    namespace = var.namespace
  }

  type = "kubernetes.io/tls"
  data = {
    "tls.crt" = var.tls_crt == "" ? file("${path.root}/secrets/fullchain.pem") : var.tls_crt
    "tls.key" = var.tls_key == "" ? file("${path.root}/secrets/privkey.pem") : var.tls_key
  }
}
