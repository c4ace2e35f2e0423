# A directory of the NFS server as a claim. The name is the PersistentVolume's too, and so cluster-wide.

variable "name" { type = string }
variable "namespace" { type = string }
variable "nfs_server" { type = string }

variable "nfs_path" {
  type        = string
  description = "Directory on the server. It has to exist before the first pod mounts it."
}

variable "storage" {
  type        = string
  default     = "10Gi"
  description = "Said to Kubernetes only: NFS does not enforce it."
}

variable "access_modes" {
  type    = list(string)
  default = ["ReadWriteMany"]
}

resource "kubernetes_persistent_volume" "this" {
  metadata { name = var.name }

  spec {
    capacity                         = { storage = var.storage }
    access_modes                     = var.access_modes
    storage_class_name               = "nfs-host"
    persistent_volume_reclaim_policy = "Retain"
    mount_options                    = ["nfsvers=4", "soft", "timeo=30", "retrans=3"]
    persistent_volume_source {
      csi {
        driver            = "nfs.csi.k8s.io"
        volume_handle     = var.name
        volume_attributes = { server = var.nfs_server, share = var.nfs_path }
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
    access_modes       = var.access_modes
    storage_class_name = "nfs-host"
    volume_name        = kubernetes_persistent_volume.this.metadata[0].name
    resources { requests = { storage = var.storage } }
  }
}

output "claim_name" { value = kubernetes_persistent_volume_claim.this.metadata[0].name }
