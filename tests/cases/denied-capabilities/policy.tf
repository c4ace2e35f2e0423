locals {
  excluded = ["kube-system", "page-watch"]
}

resource "kubectl_manifest" "capabilities" {
  yaml_body = yamlencode({
    apiVersion = "kyverno.io/v1"
    kind       = "ClusterPolicy"
    metadata   = { name = "capabilities" }
    spec = {
      validationFailureAction = "Enforce"
      rules = [{
        name    = "capabilities"
        exclude = { any = [{ resources = { namespaces = local.excluded } }] }
        validate = {
          deny = {
            conditions = {
              any = [{
                key      = "{{ request.object.spec.containers[].securityContext.capabilities.add[] || `[]` }}"
                operator = "AnyIn"
                value    = ["SYS_ADMIN"]
              }]
            }
          }
        }
      }]
    }
  })
}
