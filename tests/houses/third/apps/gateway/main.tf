# Traefik, and the login page that it asks before it lets anybody through.
resource "kubernetes_namespace" "gateway" {
  metadata {
    name = "gateway"
  }
}
