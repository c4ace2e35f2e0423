# What the mast's console and the mail of the buoys run is somebody else's.
resource "kubernetes_service" "mast_console" {
  metadata {
    name      = "mast-console"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  spec {
    type          = "ExternalName"
    external_name = "mast.example.org"
    port {
      port = 9000
    }
  }
}

resource "kubernetes_service" "buoy_mail" {
  metadata {
    name      = "buoy-mail"
    namespace = kubernetes_namespace.signal_tower.metadata[0].name
  }
  spec {
    type          = "ExternalName"
    external_name = "buoys.example.org"
    port {
      port = 80
    }
  }
}
