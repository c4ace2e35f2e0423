resource "kubectl_manifest" "enrol" {
  yaml_body = yamlencode({
    apiVersion = "kyverno.io/v1"
    kind       = "ClusterPolicy"
    metadata   = { name = "enrol" }
    spec = {
      rules = [{
        name    = "enrol"
        exclude = { any = [{ resources = { selector = { matchLabels = { "keel.sh/policy" = "never" } } } }] }
      }]
    }
  })
}
