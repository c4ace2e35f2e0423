resource "kubernetes_service" "relay" {
  lifecycle {
    # METALLB_LIFECYCLE_V1
    ignore_changes = [metadata[0].annotations["metallb.io/ip-allocated-from-pool"]]
  }
}
