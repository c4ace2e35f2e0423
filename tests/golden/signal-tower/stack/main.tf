# Signal Tower: Listens to the weather sensors of the neighbourhood

variable "tls_secret_name" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "signal_tower" {
  metadata {
    name = "signal-tower"
    labels = {
      tier               = local.tiers.gpu
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

# All keys of secret/signal-tower in Vault.
resource "kubernetes_manifest" "external_secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "signal-tower-secrets"
      namespace = "signal-tower"
    }
    spec = {
      refreshInterval = "1h"
      secretStoreRef = {
        name = "vault-kv"
        kind = "ClusterSecretStore"
      }
      target = {
        name = "signal-tower-secrets"
        template = {
          metadata = {
            annotations = {
              # Reloader restarts the Deployment when this Secret changes.
              "reloader.stakater.com/match" = "true"
            }
          }
        }
      }
      dataFrom = [{
        extract = {
          key = "signal-tower"
        }
      }]
    }
  }
  depends_on = [kubernetes_namespace.signal_tower]
}

# What it has heard so far
# The app writes it: what it has when it is created is only where it starts.
resource "kubernetes_config_map" "written_signal_tower_state" {
  metadata {
    name      = "signal-tower-state"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  data = {
    "since" = "0"
  }
  lifecycle {
    ignore_changes = [data, binary_data]
  }
}

# What its jobs may do in the cluster.
resource "kubernetes_service_account" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
}

resource "kubernetes_role" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  rule {
    api_groups     = [""]
    resources      = ["configmaps"]
    resource_names = ["signal-tower-state"]
    verbs          = ["get", "patch"]
  }
}

resource "kubernetes_role_binding" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account.signal_tower.metadata[0].name
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = kubernetes_role.signal_tower.metadata[0].name
  }
}

resource "kubernetes_deployment" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
    labels = {
      app  = "signal-tower"
      tier = local.tiers.gpu
    }
    annotations = {
      "reloader.stakater.com/search" = "true"
    }
  }
  spec {
    replicas = 2
    strategy {
      # The new pod can only start once the old one has released its GPU slice.
      type = "Recreate"
    }
    selector {
      match_labels = {
        app = "signal-tower"
      }
    }
    template {
      metadata {
        labels = {
          app = "signal-tower"
        }
      }
      spec {
        enable_service_links = false
        affinity {
          pod_anti_affinity {
            preferred_during_scheduling_ignored_during_execution {
              weight = 100
              pod_affinity_term {
                label_selector {
                  match_labels = {
                    app = "signal-tower"
                  }
                }
                topology_key = "kubernetes.io/hostname"
              }
            }
          }
        }
        topology_spread_constraint {
          max_skew           = 1
          topology_key       = "topology.kubernetes.io/zone"
          when_unsatisfiable = "ScheduleAnyway"
          label_selector {
            match_labels = {
              app = "signal-tower"
            }
          }
        }
        node_selector = {
          "nvidia.com/gpu.present" = "true"
        }
        toleration {
          key      = "nvidia.com/gpu"
          operator = "Equal"
          value    = "true"
          effect   = "NoSchedule"
        }
        toleration {
          key      = "example.com/mast"
          operator = "Equal"
          value    = "true"
          effect   = "NoSchedule"
        }
        toleration {
          key      = "example.com/spare"
          operator = "Exists"
          effect   = "NoExecute"
        }
        security_context {
          run_as_user  = 1000
          run_as_group = 1000
          fs_group     = 1000
        }
        container {
          name  = "signal-tower"
          image = "ghcr.io/example/signal-tower:2.4.1"

          security_context {
            run_as_non_root            = true
            read_only_root_filesystem  = true
            allow_privilege_escalation = false
            capabilities {
              drop = ["ALL"]
            }
          }
          port {
            name           = "http"
            container_port = 8080
          }
          port {
            name           = "gossip"
            container_port = 7946
          }
          port {
            name           = "rtl"
            container_port = 1234
            protocol       = "UDP"
          }
          # Less than that wears out the motor
          env {
            name  = "SWEEP"
            value = "30"
          }
          env {
            name = "TOWER_KEY"
            value_from {
              secret_key_ref {
                name = "signal-tower-secrets"
                key  = "tower_key"
              }
            }
          }
          # Only where the uplink asks for one
          env {
            name = "UPLINK_KEY"
            value_from {
              secret_key_ref {
                name     = "signal-tower-secrets"
                key      = "uplink_key"
                optional = true
              }
            }
          }

          resources {
            requests = {
              cpu                 = "25m"
              memory              = "256Mi"
              "ephemeral-storage" = "256Mi"
            }
            limits = {
              memory               = "256Mi"
              "ephemeral-storage"  = "2Gi"
              "nvidia.com/gpu"     = "1"
              "example.com/gpumem" = "1500"
            }
          }
          readiness_probe {
            http_get {
              path = "/healthz"
              port = 8080
            }
            period_seconds  = 10
            timeout_seconds = 5
          }
          liveness_probe {
            http_get {
              path = "/healthz"
              port = 8080
            }
            initial_delay_seconds = 30
            period_seconds        = 30
            timeout_seconds       = 10
            failure_threshold     = 5
          }
        }
        container {
          name    = "mast"
          image   = "docker.io/library/busybox:1.37.0"
          command = ["sleep", "infinity"]
          security_context {
            run_as_user  = 1001
            run_as_group = 1001
            # It sets the priority of packets
            capabilities {
              add = ["NET_ADMIN"]
            }
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
      }
    }
  }
  # The pod cannot start until its Secrets exist.
  depends_on = [
    kubernetes_manifest.external_secret,
  ]
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

# Draining a node waits until enough other pods are running.
resource "kubernetes_pod_disruption_budget_v1" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  spec {
    min_available = "1"
    selector {
      match_labels = {
        app = "signal-tower"
      }
    }
  }
}

resource "kubernetes_service" "signal_tower" {
  metadata {
    name      = "signal-tower"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
    labels = {
      app = "signal-tower"
    }
  }
  spec {
    selector = {
      app = "signal-tower"
    }
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}

# Reachable from the house's network, bypassing the ingress and its gate: The sensors of the garden send to it
# Services share one address and differ by port.
resource "kubernetes_service" "load_balancer" {
  metadata {
    name      = "signal-tower-lb"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
    labels = {
      app = "signal-tower"
    }
    annotations = {
      "metallb.io/loadBalancerIPs" = "10.0.20.200"
      "metallb.io/allow-shared-ip" = "shared"
    }
  }
  spec {
    type = "LoadBalancer"
    # All Services on a shared address need the same policy.
    external_traffic_policy = "Cluster"
    selector = {
      app = "signal-tower"
    }
    port {
      name        = "rtl"
      port        = 4321
      target_port = 1234
      protocol    = "UDP"
    }
  }
}

resource "kubernetes_cron_job_v1" "tune" {
  metadata {
    name      = "tune"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  spec {
    schedule                      = "0 5 * * *"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 2
        active_deadline_seconds    = 72000
        ttl_seconds_after_finished = 86400
        template {
          metadata {
            labels = {
              app       = "signal-tower-jobs"
              component = "tune"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            service_account_name = kubernetes_service_account.signal_tower.metadata[0].name
            security_context {
              run_as_user  = 1000
              run_as_group = 1000
              fs_group     = 1000
            }
            container {
              name    = "tuner"
              image   = "ghcr.io/example/signal-tower:2.4.1"
              command = ["signal-tower", "tune"]
              # Less than that wears out the motor
              env {
                name  = "SWEEP"
                value = "30"
              }
              env {
                name = "TOWER_KEY"
                value_from {
                  secret_key_ref {
                    name = "signal-tower-secrets"
                    key  = "tower_key"
                  }
                }
              }
              # Only where the uplink asks for one
              env {
                name = "UPLINK_KEY"
                value_from {
                  secret_key_ref {
                    name     = "signal-tower-secrets"
                    key      = "uplink_key"
                    optional = true
                  }
                }
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
          }
        }
      }
    }
  }
  depends_on = [kubernetes_manifest.external_secret]
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_cron_job_v1" "prune" {
  metadata {
    name      = "prune"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
    labels = {
      "example.com/part" = "broom"
    }
  }
  spec {
    schedule                      = "0 4 * * *"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 300
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5
    job_template {
      metadata {}
      spec {
        backoff_limit              = 2
        active_deadline_seconds    = 72000
        ttl_seconds_after_finished = 86400
        template {
          metadata {
            labels = {
              app                = "signal-tower-jobs"
              component          = "prune"
              "example.com/part" = "broom"
            }
          }
          spec {
            restart_policy       = "Never"
            enable_service_links = false
            security_context {
              run_as_user  = 1000
              run_as_group = 1000
              fs_group     = 1000
            }
            container {
              name    = "prune"
              image   = "ghcr.io/example/signal-tower:2.4.1"
              command = ["signal-tower", "prune"]
              # Less than that wears out the motor
              env {
                name  = "SWEEP"
                value = "30"
              }
              env {
                name = "TOWER_KEY"
                value_from {
                  secret_key_ref {
                    name = "signal-tower-secrets"
                    key  = "tower_key"
                  }
                }
              }
              # Only where the uplink asks for one
              env {
                name = "UPLINK_KEY"
                value_from {
                  secret_key_ref {
                    name     = "signal-tower-secrets"
                    key      = "uplink_key"
                    optional = true
                  }
                }
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
          }
        }
      }
    }
  }
  depends_on = [kubernetes_manifest.external_secret]
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

# Requires a proof of work from browsers before it forwards their requests.
module "anubis" {
  source     = "../../modules/kubernetes/anubis_instance"
  name       = "signal-tower"
  namespace  = kubernetes_namespace.signal_tower.metadata[0].name
  target_url = "http://signal-tower.signal-tower.svc.cluster.local"

  policy_yaml = <<-EOT
    bots:
      - import: (data)/meta/default-config.yaml
  EOT
}

# https://signal-tower.example.test
module "ingress" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "signal-tower-front"
  namespace        = kubernetes_namespace.signal_tower.metadata[0].name
  host             = "signal-tower"
  service_name     = "signal-tower"
  tls_secret_name  = var.tls_secret_name
  auth             = "required"
  dns_type         = "proxied"
  homepage_group   = "Other"
  ssl_redirect     = false
  exclude_crowdsec = true
  extra_annotations = {
    "gethomepage.dev/name"         = "Signal Tower"
    "gethomepage.dev/description"  = "Listens to the weather sensors of the neighbourhood"
    "gethomepage.dev/icon"         = "mdi-application"
    "gethomepage.dev/pod-selector" = ""
  }
}

# /buoy/: called by machines, which a login page would block.
module "ingress_buoy" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "signal-tower-buoy"
  namespace       = kubernetes_namespace.signal_tower.metadata[0].name
  host            = "signal-tower"
  service_name    = "buoy-mail"
  ingress_path    = ["/buoy/"]
  tls_secret_name = var.tls_secret_name
  # auth = "none": Buoys send what they measure and know no login
  auth             = "none"
  external_monitor = false
  homepage_enabled = false
}

# https://mast.example.test
module "ingress_host_mast" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "signal-tower-mast"
  namespace        = kubernetes_namespace.signal_tower.metadata[0].name
  host             = "mast"
  service_name     = "mast-console"
  port             = 9000
  tls_secret_name  = var.tls_secret_name
  auth             = "required"
  dns_type         = "proxied"
  homepage_enabled = false
}

# https://fog.example.test
module "ingress_host_fog" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "signal-tower-fog"
  namespace       = kubernetes_namespace.signal_tower.metadata[0].name
  host            = "fog"
  service_name    = module.anubis.service_name
  port            = module.anubis.service_port
  tls_secret_name = var.tls_secret_name
  # auth = "none": behind Anubis: Pictures of the fog are for everybody
  auth             = "none"
  dns_type         = "proxied"
  anti_ai_scraping = false
  homepage_enabled = false
}
