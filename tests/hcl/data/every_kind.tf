# A file of every kind of thing that HCL has, laid out as terraform fmt does.

/* A comment
   over two lines. */
variable "greeting" {
  type        = string
  default     = "hello" # said first
  description = <<-EOT
    What is said, and "how":
      - once
      - or twice
  EOT
}

variable "limits" {
  type = object({
    cpu    = optional(string, "10m")
    memory = string
  })
  default = { memory = "256Mi" }

  validation {
    condition     = can(regex("^[0-9]+Mi$", var.limits.memory)) && var.limits.cpu != ""
    error_message = "Memory is given in Mi."
  }
}

locals {
  numbers = [1, -2, 3.5, 1 + 2 * 3]
  flags   = { yes = true, no = !true, none = null }
  upper   = [for word in split(",", var.greeting) : upper(word) if word != ""]
  lengths = { for index, word in local.upper : word => length(word)... }
  quoted  = "a \"quoted\" \\ word, a tab\t, a $${dollar} and 100%%{percent}"
  said    = "${var.greeting}, ${local.upper[0]}${var.limits["memory"]}"
  listed  = "%{for word in local.upper}${word} %{endfor}%{if true}end%{else}not%{endif}"
  empty   = []
  nothing = {}
  keys = {
    word          = 1
    "two words"   = 2
    (local.said)  = 3
    "${local.n}x" = 4
    colon : 5,
    last = [
      "one", # the first
      "two"  # the second
    ]
  }
  n = var.limits == null ? 0 : (
    1 +
    length(local.upper)
  )
  all    = kubernetes_service.app[*].metadata[0].name
  old    = kubernetes_service.app.*.id
  legacy = kubernetes_service.app.0.id
  merged = merge(local.flags, { more = true }, [local.keys, local.lengths]...)
}

resource "kubernetes_service" "app" {
  count = 2
  metadata { name = "app-${count.index}" }
  spec {
    selector = { app = "app" }
    dynamic "port" {
      for_each = { web = 80, admin = 8080 }
      content {
        name = port.key
        port = port.value
      }
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].annotations["one/two"], spec] // trailing
  }
}

output "script" {
  value = <<EOT
#!/bin/sh
echo "${local.said}" # no comment
  EOT "not the end"
  %{if true}
exit 0
  %{endif}
EOT
}
