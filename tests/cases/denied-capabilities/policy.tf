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

resource "kubectl_manifest" "privileged" {
  yaml_body = yamlencode({
    apiVersion = "kyverno.io/v1"
    kind       = "ClusterPolicy"
    metadata   = { name = "privileged" }
    spec = {
      validationFailureAction = "Enforce"
      rules = [{
        name    = "privileged"
        exclude = { any = [{ resources = { namespaces = ["radio"] } }] }
        validate = {
          pattern = { spec = { containers = [{ "=(securityContext)" = { "=(privileged)" = false } }] } }
        }
      }]
    }
  })
}
