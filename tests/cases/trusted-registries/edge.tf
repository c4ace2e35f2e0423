locals {
  excluded = ["kube-system"]
}

resource "kubectl_manifest" "registries" {
  yaml_body = yamlencode({
    apiVersion = "kyverno.io/v1"
    kind       = "ClusterPolicy"
    metadata   = { name = "registries" }
    spec = {
      validationFailureAction = "Enforce"
      rules = [{
        name    = "registries"
        exclude = { any = [{ resources = { namespaces = local.excluded } }] }
        validate = {
          pattern = {
            spec = {
              containers = [{ image = join(" | ", ["docker.io/*", "ghcr.io/*"]) }]
            }
          }
        }
      }]
    }
  })
}
