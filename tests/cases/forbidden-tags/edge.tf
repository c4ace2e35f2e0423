locals {
  excluded = ["kube-system"]
}

resource "kubectl_manifest" "tags" {
  yaml_body = yamlencode({
    apiVersion = "kyverno.io/v1"
    kind       = "ClusterPolicy"
    metadata   = { name = "tags" }
    spec = {
      validationFailureAction = "Enforce"
      rules = [{
        name    = "tags"
        exclude = { any = [{ resources = { namespaces = local.excluded } }] }
        validate = {
          pattern = {
            spec = {
              containers = [{ image = "!*:latest" }]
            }
          }
        }
      }]
    }
  })
}
