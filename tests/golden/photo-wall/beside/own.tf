# What no question covers: a theme, a certificate, and a second app beside the first.
resource "kubernetes_config_map" "theme" {
  metadata {
    name      = "photo-wall-theme"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  data = {
    "theme.json" = jsonencode({ dark = true })
  }
}

resource "kubernetes_secret" "house_ca" {
  metadata {
    name      = "house-ca"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  data = {
    "ca.crt" = file("${path.module}/secrets/fullchain.pem")
  }
}

resource "kubernetes_manifest" "compress" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "compress"
      namespace = "photo-wall"
    }
    spec = {
      compress = {}
    }
  }
  depends_on = [kubernetes_namespace.photo_wall]
}

resource "kubernetes_secret" "team" {
  metadata {
    name      = "photo-wall-team"
    namespace = kubernetes_namespace.photo_wall.metadata[0].name
  }
  type = "kubernetes.io/dockerconfigjson"
  data = {
    ".dockerconfigjson" = jsonencode({ auths = {} })
  }
}
