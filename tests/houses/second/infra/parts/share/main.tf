# A directory of the file server, as a claim.
variable "name" {
  type = string
}

variable "namespace" {
  type = string
}

variable "nfs_server" {
  type = string
}

variable "nfs_path" {
  type = string
}

variable "storage" {
  type    = string
  default = "1Gi"
}

resource "kubernetes_persistent_volume" "this" {
  metadata {
    name = var.name
  }
  spec {
    capacity           = { storage = var.storage }
    access_modes       = ["ReadWriteMany"]
    storage_class_name = "tank"
    persistent_volume_source {
      nfs {
        server = var.nfs_server
        path   = var.nfs_path
      }
    }
  }
}

resource "kubernetes_persistent_volume_claim" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
  }
  spec {
    access_modes       = ["ReadWriteMany"]
    storage_class_name = "tank"
    volume_name        = kubernetes_persistent_volume.this.metadata[0].name
    resources {
      requests = { storage = var.storage }
    }
  }
}

output "claim_name" {
  value = kubernetes_persistent_volume_claim.this.metadata[0].name
}
