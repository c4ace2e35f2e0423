# Camera Eye: Tells birds from cats on the garden cameras

variable "nfs_server" { type = string }
variable "mysql_host" { type = string }

resource "kubernetes_namespace" "camera_eye" {
  metadata {
    name = "camera-eye"
    labels = {
      tier                               = local.tiers.gpu
      "keel.sh/enrolled"                 = "true"
      "resource-governance/custom-quota" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# Single keys from Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "camera-eye-secrets"
      namespace = "camera-eye"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "camera-eye-secrets"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
        }
      }
      data = [
        {
          secretKey = "MQTT_PASSWORD"
          remoteRef = {
            key      = "camera-eye"
            property = "mqtt"
          }
        },
        # It tells of cats through the house's notifications
        {
          secretKey = "PUSH_TOKEN"
          remoteRef = {
            key      = "ntfy"
            property = "token"
          }
        },
        {
          secretKey = "licence"
          remoteRef = {
            key      = "camera-eye"
            property = "licence"
          }
        },
      ]
    }
  }
  depends_on = [kubernetes_namespace.camera_eye]
}

# The database password, which Vault rotates, in the variables that the app reads.
# The database is shared: The database is older than the stack and holds its own findings
resource "kubernetes_manifest" "db_external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "camera-eye-db-creds"
      namespace = "camera-eye"
    }
    spec = {
      refreshInterval = "15m"
      secretStoreRef = {
        name = "vault-database"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "camera-eye-db-creds"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
          data = {
            DB_DSN      = "camera_eye:{{ .password }}@tcp(${var.mysql_host}:3306)/camera_eye?parseTime=true"
            DB_PASSWORD = "{{ .password }}"
          }
        }
      }
      data = [{
        secretKey = "password"
        remoteRef = {
          key      = "static-creds/mysql-camera-eye"
          property = "password"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.camera_eye]
}

# On NFS: several pods write to it or it is browsed from outside; NFS does not encrypt its sensitive data.
# The directory is shared: Frigate writes the clips that it looks at
module "nfs_clips" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "camera-eye-clips-host"
  namespace  = kubernetes_namespace.camera_eye.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/frigate/clips"
  storage    = "1Gi"
}

# What the app may do in the cluster.
resource "kubernetes_service_account" "camera_eye" {
  metadata {
    name      = "camera-eye"
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
  }
}

resource "kubernetes_role" "camera_eye" {
  metadata {
    name      = "camera-eye"
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
  }
  rule {
    api_groups = [""]
    resources  = ["pods"]
    verbs      = ["get", "list"]
  }
}

resource "kubernetes_role_binding" "camera_eye" {
  metadata {
    name      = "camera-eye"
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
  }
  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account.camera_eye.metadata[0].name
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = kubernetes_role.camera_eye.metadata[0].name
  }
}

resource "kubernetes_role" "camera_eye_frigate" {
  metadata {
    name      = "camera-eye-frigate"
    namespace = "frigate"
  }
  # It asks Frigate to cut a clip
  rule {
    api_groups = [""]
    resources  = ["pods/exec"]
    verbs      = ["create"]
  }
}

resource "kubernetes_role_binding" "camera_eye_frigate" {
  metadata {
    name      = "camera-eye-frigate"
    namespace = "frigate"
  }
  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account.camera_eye.metadata[0].name
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = kubernetes_role.camera_eye_frigate.metadata[0].name
  }
}

resource "kubernetes_cluster_role" "camera_eye_everywhere" {
  metadata {
    name = "camera-eye-everywhere"
  }
  # It looks for the node with the GPU
  rule {
    api_groups = [""]
    resources  = ["nodes"]
    verbs      = ["get"]
  }
}

resource "kubernetes_cluster_role_binding" "camera_eye_everywhere" {
  metadata {
    name = "camera-eye-everywhere"
  }
  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account.camera_eye.metadata[0].name
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = kubernetes_cluster_role.camera_eye_everywhere.metadata[0].name
  }
}

resource "kubernetes_deployment" "camera_eye" {
  metadata {
    name      = "camera-eye"
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
    labels = {
      app  = "camera-eye"
      tier = local.tiers.gpu
    }
    annotations = {
      "reloader.stakater.com/search" = "true"
    }
  }
  spec {
    replicas = 1
    strategy {
      # The new pod can only start once the old one has released its GPU slice.
      type = "Recreate"
    }
    selector {
      match_labels = {
        app = "camera-eye"
      }
    }
    template {
      metadata {
        labels = {
          app = "camera-eye"
        }
        annotations = {
          "diun.enable"       = "true"
          "diun.include_tags" = "^\\d+\\.\\d+\\.\\d+$"
        }
      }
      spec {
        service_account_name = kubernetes_service_account.camera_eye.metadata[0].name
        enable_service_links = false
        node_selector = {
          "nvidia.com/gpu.present" = "true"
        }
        toleration {
          key      = "nvidia.com/gpu"
          operator = "Equal"
          value    = "true"
          effect   = "NoSchedule"
        }
        container {
          name  = "camera-eye"
          image = "ghcr.io/example/camera-eye:2.3.0"

          port {
            name           = "http"
            container_port = 5000
          }
          port {
            name           = "metrics"
            container_port = 9100
          }
          env {
            name  = "DB_HOST"
            value = var.mysql_host
          }
          env_from {
            secret_ref {
              name = "camera-eye-secrets"
            }
          }
          env_from {
            secret_ref {
              name = "camera-eye-db-creds"
            }
          }
          volume_mount {
            name       = "clips"
            mount_path = "/media"
            read_only  = true
          }
          volume_mount {
            name       = "camera-eye-secrets-files"
            mount_path = "/etc/camera-eye/licence.key"
            sub_path   = "licence"
            read_only  = true
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "4Gi"
            }
            limits = {
              memory           = "4Gi"
              "nvidia.com/gpu" = "1"
            }
          }
          readiness_probe {
            http_get {
              path = "/api/version"
              port = 5000
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/api/version"
              port = 5000
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        volume {
          name = "clips"
          persistent_volume_claim {
            claim_name = module.nfs_clips.claim_name
          }
        }
        volume {
          name = "camera-eye-secrets-files"
          secret {
            secret_name = "camera-eye-secrets"
          }
        }
      }
    }
  }
  # The pod cannot start until its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
    kubernetes_manifest.db_external_secret,
  ]
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      metadata[0].annotations["keel.sh/policy"],
      metadata[0].annotations["keel.sh/trigger"],
      metadata[0].annotations["keel.sh/pollSchedule"], # KYVERNO_LIFECYCLE_V2
      metadata[0].annotations["keel.sh/match-tag"],
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: Keel updates the image, and an apply must not revert it
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "camera_eye" {
  metadata {
    name      = "camera-eye"
    namespace = kubernetes_namespace.camera_eye.metadata[0].name
    labels = {
      app = "camera-eye"
    }
    annotations = {
      "prometheus.io/scrape" = "true"
      "prometheus.io/path"   = "/metrics"
      "prometheus.io/port"   = "9100"
    }
  }
  spec {
    selector = {
      app = "camera-eye"
    }
    port {
      name        = "http"
      port        = 5000
      target_port = 5000
    }
    port {
      name        = "metrics"
      port        = 9100
      target_port = 9100
    }
  }
}
