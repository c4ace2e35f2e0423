# A directory of the NAS, as a claim.
variable "called" {
  type = string
}

variable "space" {
  type = string
}

variable "server" {
  type = string
}

variable "directory" {
  type = string
}

variable "size" {
  type    = string
  default = "10Gi"
}

resource "kubernetes_persistent_volume" "this" {
  metadata {
    name = var.called
  }
  spec {
    capacity           = { storage = var.size }
    access_modes       = ["ReadWriteMany"]
    storage_class_name = "nas"
    persistent_volume_source {
      nfs {
        server = var.server
        path   = var.directory
      }
    }
  }
}

resource "kubernetes_persistent_volume_claim" "this" {
  metadata {
    name      = var.called
    namespace = var.space
  }
  spec {
    access_modes       = ["ReadWriteMany"]
    storage_class_name = "nas"
    volume_name        = kubernetes_persistent_volume.this.metadata[0].name
    resources {
      requests = { storage = var.size }
    }
  }
}

output "claim" {
  value = kubernetes_persistent_volume_claim.this.metadata[0].name
}
