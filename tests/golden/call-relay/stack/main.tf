# Call Relay: Relays video calls of the family

variable "nfs_server" { type = string }

resource "kubernetes_namespace" "turn_server" {
  metadata {
    name = "call-relay"
    labels = {
      tier               = local.tiers.edge
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# On NFS: several pods write to it or it is browsed from outside; NFS does not encrypt its sensitive data.
module "nfs_logs" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "call-relay-logs-host"
  namespace  = kubernetes_namespace.turn_server.metadata[0].name
  nfs_server = var.nfs_server
  nfs_path   = "/srv/nfs/call-relay/logs"
  storage    = "1Gi"
}

# What the app may do in the cluster.
resource "kubernetes_service_account" "turn_server" {
  metadata {
    name      = "turn-server"
    namespace = kubernetes_namespace.turn_server.metadata[0].name
  }
}

resource "kubernetes_cluster_role" "turn_server_everywhere" {
  metadata {
    name = "turn-server-everywhere"
  }
  # It tells callers which node relays for them
  rule {
    api_groups = [""]
    resources  = ["nodes"]
    verbs      = ["get"]
  }
}

resource "kubernetes_cluster_role_binding" "turn_server_everywhere" {
  metadata {
    name = "turn-server-everywhere"
  }
  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account.turn_server.metadata[0].name
    namespace = kubernetes_namespace.turn_server.metadata[0].name
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = kubernetes_cluster_role.turn_server_everywhere.metadata[0].name
  }
}

resource "kubernetes_deployment" "turn_server" {
  metadata {
    name      = "turn-server"
    namespace = kubernetes_namespace.turn_server.metadata[0].name
    labels = {
      app       = "call-relay"
      tier      = local.tiers.edge
      component = "relay"
    }
  }
  spec {
    replicas = 2
    selector {
      match_labels = {
        app = "call-relay"
      }
    }
    template {
      metadata {
        labels = {
          app       = "call-relay"
          component = "relay"
        }
        annotations = {
          "sidecar.istio.io/inject" = "false"
        }
      }
      spec {
        # Nobody can call for help while it is down
        service_account_name = kubernetes_service_account.turn_server.metadata[0].name
        priority_class_name  = "system-cluster-critical"
        enable_service_links = false
        node_selector = {
          "kubernetes.io/arch" = "amd64"
        }
        container {
          name  = "coturn"
          image = "docker.io/coturn/coturn:4.6.3"

          security_context {
            # It marks the packets of calls
            capabilities {
              add = ["NET_BIND_SERVICE", "NET_ADMIN"]
            }
          }
          port {
            name           = "metrics"
            container_port = 9641
          }
          port {
            name           = "turn-udp"
            container_port = 3478
            protocol       = "UDP"
          }
          port {
            name           = "turn-tcp"
            container_port = 3478
          }
          port {
            name           = "admin"
            container_port = 5766
          }
          volume_mount {
            name       = "logs"
            mount_path = "/var/log/coturn"
          }
          volume_mount {
            name       = "shared-memory"
            mount_path = "/dev/shm"
          }
          volume_mount {
            name       = "sessions"
            mount_path = "/var/lib/coturn"
          }
          volume_mount {
            name       = "bans"
            mount_path = "/etc/bans"
            read_only  = true
          }

          resources {
            requests = {
              cpu    = "25m"
              memory = "512Mi"
            }
            limits = {
              memory = "512Mi"
            }
          }
          # It has a startup probe of its own.
          startup_probe {
            tcp_socket {
              port = 9641
            }
            period_seconds    = 10
            failure_threshold = 12
          }
          readiness_probe {
            tcp_socket {
              port = 3478
            }
            initial_delay_seconds = 5
            period_seconds        = 15
            timeout_seconds       = 5
            failure_threshold     = 2
          }
          liveness_probe {
            exec {
              command = ["turnadmin", "--version"]
            }
            period_seconds    = 30
            timeout_seconds   = 5
            failure_threshold = 5
          }
        }
        container {
          name    = "exporter"
          image   = "docker.io/library/busybox:1.37"
          command = ["tail", "-F", "/sessions/log"]
          volume_mount {
            name       = "sessions"
            mount_path = "/var/lib/coturn"
            read_only  = true
          }
          volume_mount {
            name       = "bans"
            mount_path = "/etc/bans"
          }
          resources {
            requests = {
              cpu    = "10m"
              memory = "128Mi"
            }
            limits = {
              memory = "128Mi"
            }
          }
        }
        volume {
          name = "logs"
          persistent_volume_claim {
            claim_name = module.nfs_logs.claim_name
          }
        }
        volume {
          name = "shared-memory"
          empty_dir {
            medium     = "Memory"
            size_limit = "64Mi"
          }
        }
        volume {
          name = "sessions"
          empty_dir {}
        }
        volume {
          name = "bans"
          empty_dir {}
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      metadata[0].annotations["keel.sh/policy"],
      metadata[0].annotations["keel.sh/trigger"],
      metadata[0].annotations["keel.sh/pollSchedule"], # KYVERNO_LIFECYCLE_V2
      metadata[0].annotations["keel.sh/match-tag"],
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE: Keel updates the image, and an apply must not revert it
      spec[0].template[0].spec[0].container[1].image, # KEEL_IGNORE_IMAGE
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}

resource "kubernetes_service" "turn_server" {
  metadata {
    name      = "call-relay"
    namespace = kubernetes_namespace.turn_server.metadata[0].name
    labels = {
      app = "call-relay"
    }
    annotations = {
      "prometheus.io/scrape" = "false"
    }
  }
  spec {
    selector = {
      app = "call-relay"
    }
    port {
      name        = "metrics"
      port        = 9641
      target_port = 9641
    }
    port {
      name        = "turn-udp"
      port        = 3478
      target_port = 3478
      protocol    = "UDP"
    }
    port {
      name        = "turn-tcp"
      port        = 3478
      target_port = 3478
    }
    port {
      name        = "admin"
      port        = 5766
      target_port = 5766
    }
  }
}

# Reachable from the house's network, bypassing the ingress and its gate: TURN is no HTTP; the relay checks the password of every call
# It has an address of its own.
resource "kubernetes_service" "load_balancer" {
  metadata {
    name      = "call-relay-lb"
    namespace = kubernetes_namespace.turn_server.metadata[0].name
    labels = {
      app = "call-relay"
    }
    annotations = {
      "metallb.io/loadBalancerIPs" = "10.0.20.204"
    }
  }
  spec {
    type = "LoadBalancer"
    # The app needs to see its clients’ addresses.
    external_traffic_policy = "Local"
    selector = {
      app = "call-relay"
    }
    port {
      name        = "turn-udp"
      port        = 3478
      target_port = 3478
      protocol    = "UDP"
    }
    port {
      name        = "turn-tcp"
      port        = 3478
      target_port = 3478
    }
    dynamic "port" {
      for_each = range(49152, 49156)
      content {
        name        = "relay-${port.value}"
        port        = port.value
        target_port = port.value
        protocol    = "UDP"
      }
    }
  }
}

resource "kubernetes_cron_job_v1" "expire" {
  metadata {
    name      = "expire"
    namespace = kubernetes_namespace.turn_server.metadata[0].name
  }
  spec {
    schedule                      = "0 * * * *"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 1
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 2
        active_deadline_seconds    = 120
        ttl_seconds_after_finished = 600
        template {
          metadata {
            labels = {
              app       = "call-relay-jobs"
              component = "expire"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            service_account_name = kubernetes_service_account.turn_server.metadata[0].name
            container {
              name    = "expire"
              image   = "docker.io/coturn/coturn:4.6.3"
              command = ["turnadmin", "--list"]
              resources {
                requests = {
                  cpu    = "10m"
                  memory = "128Mi"
                }
                limits = {
                  memory = "128Mi"
                }
              }
            }
          }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}
