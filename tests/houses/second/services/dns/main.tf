# The names of the lab, answered inside it.
resource "kubernetes_namespace" "dns" {
  metadata {
    name = "dns"
  }
}
