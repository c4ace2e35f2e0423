# Navidrome: the music library, with its index in an SQLite file. One of the first stacks; nobody has
# looked at it since.

variable "tls_secret_name" { type = string }

resource "kubernetes_namespace" "navidrome" {
  metadata {
    name   = "navidrome"
    labels = { tier = local.tiers.aux }
  }
  lifecycle {
    # A Kyverno policy sets this label. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

module "tls_secret" {
  source = "../../modules/kubernetes/setup_tls_secret"

  namespace       = kubernetes_namespace.navidrome.metadata[0].name
  tls_secret_name = var.tls_secret_name
}

module "nfs_music" {
  source = "../../modules/kubernetes/nfs_volume"

  name       = "navidrome-music-host"
  namespace  = kubernetes_namespace.navidrome.metadata[0].name
  nfs_server = "192.0.2.20"
  nfs_path   = "/srv/nfs/music"
  storage    = "500Gi"
}

resource "kubernetes_persistent_volume_claim" "data" {
  wait_until_bound = false

  metadata {
    name      = "navidrome-data-proxmox"
    namespace = kubernetes_namespace.navidrome.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "80%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "5Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm"
    resources { requests = { storage = "1Gi" } }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink to the size written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}

resource "kubernetes_deployment" "navidrome" {
  metadata {
    name      = "navidrome"
    namespace = kubernetes_namespace.navidrome.metadata[0].name
  }
  spec {
    strategy { type = "Recreate" }
    selector { match_labels = { app = "navidrome" } }
    template {
      metadata { labels = { app = "navidrome" } }
      spec {
        container {
          name  = "navidrome"
          image = "docker.io/deluan/navidrome:0.54.5"
          port { container_port = 4533 }
          volume_mount {
            name       = "music"
            mount_path = "/music"
            read_only  = true
          }
          volume_mount {
            name       = "data"
            mount_path = "/data"
          }
          resources {
            requests = { cpu = "50m", memory = "256Mi" }
            limits   = { cpu = "500m", memory = "256Mi" }
          }
        }
        volume {
          name = "music"
          persistent_volume_claim { claim_name = module.nfs_music.claim_name }
        }
        volume {
          name = "data"
          persistent_volume_claim { claim_name = kubernetes_persistent_volume_claim.data.metadata[0].name }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_service" "navidrome" {
  metadata {
    name      = "navidrome"
    namespace = kubernetes_namespace.navidrome.metadata[0].name
  }
  spec {
    selector = { app = "navidrome" }
    port {
      port        = 80
      target_port = 4533
    }
  }
}

module "ingress" {
  source = "../../modules/kubernetes/ingress_factory"

  name            = "navidrome"
  host            = "music"
  namespace       = kubernetes_namespace.navidrome.metadata[0].name
  auth            = "app"
  dns_type        = "non-proxied"
  tls_secret_name = var.tls_secret_name
}
