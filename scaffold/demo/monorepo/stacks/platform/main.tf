# A stand-in: in a real house the ingress controller and its middlewares live here.

resource "kubernetes_namespace" "traefik" {
  metadata {
    name   = "traefik"
    labels = { tier = local.tiers.core }
  }
}
