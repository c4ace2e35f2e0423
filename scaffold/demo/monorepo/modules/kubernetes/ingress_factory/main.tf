# One host (or some paths of it) on the way from the internet to a Service: the ingress with its
# middlewares, its DNS record, its dashboard tile and its uptime monitor.

terraform {
  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 4.0"
    }
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

variable "name" { type = string }
variable "namespace" { type = string }

variable "service_name" {
  type        = string
  default     = null
  description = "Service behind the ingress; the ingress's own name when null."
}

variable "port" {
  default     = "80"
  description = "Port of the Service (not of the container)."
}

variable "external_name" {
  type        = string
  default     = null
  description = "Host outside the cluster to send requests to; makes an ExternalName Service."
}

variable "backend_protocol" {
  default     = "HTTP"
  description = "HTTPS where the external backend speaks TLS itself."
}

variable "host" {
  type        = string
  default     = null
  description = "Host label under root_domain; the ingress's own name when null."
}

variable "full_host" {
  type        = string
  default     = null
  description = "Whole host name, in place of host and root_domain."
}

variable "root_domain" {
  type    = string
  default = "example.test"
}

variable "ingress_path" {
  type    = list(string)
  default = ["/"]
}

variable "tls_secret_name" {}

variable "ssl_redirect" {
  type    = bool
  default = true
}

variable "auth" {
  type        = string
  default     = "required"
  description = "What gates the app: required (single sign-on), app (its own login), public (anonymous sign-on, an audit trail only), none (open on purpose)."
  validation {
    condition     = contains(["required", "app", "public", "none"], var.auth)
    error_message = "auth is one of required, app, public, none."
  }
}

variable "allow_local_access_only" {
  type    = bool
  default = false
}

variable "anti_ai_scraping" {
  type        = bool
  default     = null
  description = "Turn crawlers away. When null: wherever single sign-on does not already do so (auth app or none)."
}

variable "sablier" {
  type = object({
    group            = string
    session_duration = string
    strategy         = string
  })
  default     = null
  description = "Wakes what Sablier has scaled to zero: a page that waits (dynamic), or a request that does (blocking)."
}

variable "exclude_crowdsec" {
  type    = bool
  default = false
}

variable "skip_default_rate_limit" {
  type    = bool
  default = false
}

variable "custom_content_security_policy" {
  type    = string
  default = null
}

variable "max_body_size" {
  type        = string
  default     = null
  description = "Largest request body, as in 512k, 50m or 5g; unlimited when null."
  validation {
    condition     = var.max_body_size == null ? true : can(regex("^[0-9]+[kmgKMG]?$", var.max_body_size))
    error_message = "max_body_size is a number with an optional k, m or g."
  }
}

variable "extra_middlewares" {
  type    = list(string)
  default = []
}

variable "extra_annotations" {
  type    = map(string)
  default = {}
}

variable "dns_type" {
  type        = string
  default     = "none"
  description = "proxied (through Cloudflare's network), non-proxied (straight to the house), or none."
  validation {
    condition     = contains(["proxied", "non-proxied", "none"], var.dns_type)
    error_message = "dns_type is one of proxied, non-proxied, none."
  }
}

variable "cloudflare_zone_id" {
  type    = string
  default = "00000000000000000000000000000001"
}

variable "cloudflare_tunnel_id" {
  type    = string
  default = "00000000-0000-4000-8000-000000000001"
}

variable "public_ip" {
  type    = string
  default = "192.0.2.80"
}

variable "public_ipv6" {
  type    = string
  default = "2001:db8::80"
}

variable "external_monitor" {
  type        = bool
  default     = null
  description = "Watch the host from outside. When null: wherever a DNS record is made."
}

variable "external_monitor_name" {
  type    = string
  default = null
}

variable "homepage_enabled" {
  type    = bool
  default = true
}

variable "homepage_group" {
  type    = string
  default = null
}

locals {
  host     = coalesce(var.full_host, "${coalesce(var.host, var.name)}.${var.root_domain}")
  dns_name = local.host == var.root_domain ? "@" : trimsuffix(local.host, ".${var.root_domain}")

  sign_on = {
    required = "traefik-authentik-forward-auth@kubernetescrd"
    public   = "traefik-authentik-forward-auth-public@kubernetescrd"
  }
  anti_ai = var.anti_ai_scraping == null ? !contains(keys(local.sign_on), var.auth) : var.anti_ai_scraping

  # In the order in which a request meets them.
  middlewares = concat(
    compact([
      "traefik-retry@kubernetescrd",
      var.skip_default_rate_limit ? "" : "traefik-rate-limit@kubernetescrd",
      var.exclude_crowdsec ? "" : "traefik-crowdsec@kubernetescrd",
      var.allow_local_access_only ? "traefik-local-only@kubernetescrd" : "",
      local.anti_ai ? "traefik-ai-bot-block@kubernetescrd" : "",
      local.anti_ai ? "traefik-anti-ai-headers@kubernetescrd" : "",
      lookup(local.sign_on, var.auth, ""),
      var.custom_content_security_policy == null ? "traefik-csp-headers@kubernetescrd" : "",
    ]),
    [for kind in local.own_kinds : "${var.namespace}-${var.name}-${kind}@kubernetescrd"],
    var.extra_middlewares,
  )

  own_kinds = compact([
    var.custom_content_security_policy == null ? "" : "csp",
    var.max_body_size == null ? "" : "buffering",
    var.sablier == null ? "" : "sablier",
  ])
  own_specs = {
    csp       = { headers = { contentSecurityPolicy = var.custom_content_security_policy } }
    buffering = { buffering = { maxRequestBodyBytes = local.body_bytes } }
    sablier = { plugin = { sablier = {
      group                                  = try(var.sablier.group, null)
      sessionDuration                        = try(var.sablier.session_duration, null)
      (try(var.sablier.strategy, "dynamic")) = {}
    } } }
  }

  monitored = var.external_monitor == null ? var.dns_type != "none" : var.external_monitor
  monitor_annotations = {
    # "false" only where somebody said so: the sync job may still know the host from elsewhere.
    "uptime.example.test/external-monitor"      = local.monitored ? "true" : (var.external_monitor == null ? null : "false")
    "uptime.example.test/external-monitor-name" = local.monitored ? var.external_monitor_name : null
    "cloudflare.example.test/dns-type"          = var.dns_type == "none" ? null : var.dns_type
  }

  homepage_group = contains(["dbaas", "monitoring", "uptime-kuma", "vault"], var.namespace) ? "Infrastructure" : "Apps"
  homepage_annotations = {
    "gethomepage.dev/enabled" = "true"
    "gethomepage.dev/name"    = replace(var.name, "-", " ")
    "gethomepage.dev/group"   = coalesce(var.homepage_group, local.homepage_group)
    "gethomepage.dev/href"    = "https://${local.host}"
    "gethomepage.dev/icon"    = "${var.name}.png"
  }

  unit       = { "" = 1, k = 1024, m = 1048576, g = 1073741824 }
  body       = regex("^([0-9]+)([kmg]?)$", lower(var.max_body_size == null ? "0" : var.max_body_size))
  body_bytes = tonumber(local.body[0]) * local.unit[local.body[1]]
}

resource "kubernetes_service" "external" {
  count = var.external_name == null ? 0 : 1

  metadata {
    name      = var.name
    namespace = var.namespace
    annotations = {
      "traefik.ingress.kubernetes.io/service.serversscheme" = lower(var.backend_protocol)
    }
  }
  spec {
    type          = "ExternalName"
    external_name = var.external_name
    port {
      port        = var.port
      target_port = var.port
    }
  }
}

resource "kubernetes_ingress_v1" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
    annotations = merge(
      {
        "traefik.ingress.kubernetes.io/router.entrypoints" = var.ssl_redirect ? "websecure" : "web,websecure"
        "traefik.ingress.kubernetes.io/router.middlewares" = join(",", local.middlewares)
      },
      { for key, value in local.homepage_annotations : key => value if var.homepage_enabled },
      { for key, value in local.monitor_annotations : key => value if value != null },
      var.extra_annotations,
    )
  }
  spec {
    ingress_class_name = "traefik"
    tls {
      hosts       = [local.host]
      secret_name = var.tls_secret_name
    }
    rule {
      host = local.host
      http {
        dynamic "path" {
          for_each = var.ingress_path
          content {
            path      = path.value
            path_type = "Prefix"
            backend {
              service {
                name = coalesce(var.service_name, var.name)
                port { number = var.port }
              }
            }
          }
        }
      }
    }
  }
}

resource "kubernetes_manifest" "middleware" {
  for_each = toset(local.own_kinds)

  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata   = { name = "${var.name}-${each.key}", namespace = var.namespace }
    spec       = local.own_specs[each.key]
  }
}

resource "cloudflare_record" "proxied" {
  count = var.dns_type == "proxied" ? 1 : 0

  zone_id = var.cloudflare_zone_id
  name    = local.dns_name
  type    = "CNAME"
  content = "${var.cloudflare_tunnel_id}.cfargotunnel.com"
  proxied = true
}

resource "cloudflare_record" "direct" {
  for_each = { for type, address in { A = var.public_ip, AAAA = var.public_ipv6 } : type => address if var.dns_type == "non-proxied" }

  zone_id = var.cloudflare_zone_id
  name    = local.dns_name
  type    = each.key
  content = each.value
  proxied = false
}
