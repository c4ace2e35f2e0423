# Cloud Drive: The drive that a friend runs

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "cloud_drive" {
  metadata {
    name = "cloud-drive"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# It runs outside the cluster, at drive.example.org.
resource "kubernetes_service" "cloud_drive" {
  metadata {
    name      = "cloud-drive"
    namespace = kubernetes_namespace.cloud_drive.metadata[0].name
  }
  spec {
    type          = "ExternalName"
    external_name = "drive.example.org"
    port {
      name        = "http"
      port        = 80
      target_port = 80
    }
  }
}

# https://cloud-drive.example.test
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "cloud-drive"
  namespace       = kubernetes_namespace.cloud_drive.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  homepage_group  = "Other"
  extra_annotations = {
    "gethomepage.dev/name"         = "Cloud Drive"
    "gethomepage.dev/description"  = "The drive that a friend runs"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}
