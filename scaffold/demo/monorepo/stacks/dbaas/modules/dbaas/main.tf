# The shared databases: one PostgreSQL cluster, and a database with its owner per Service.

variable "kube_config_path" { type = string }
variable "tier" { type = string }

resource "kubernetes_namespace" "dbaas" {
  metadata {
    name   = "dbaas"
    labels = { tier = var.tier }
  }
  lifecycle {
    # A Kyverno policy sets this label. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

# The operator makes the cluster; everything below waits for it.
resource "null_resource" "pg_cluster" {
  triggers = { instances = "2" }

  provisioner "local-exec" {
    command = "kubectl --kubeconfig ${var.kube_config_path} -n dbaas wait --for=condition=Ready cluster/pg-cluster"
  }

  depends_on = [kubernetes_namespace.dbaas]
}

# Each of these may run again at any time. Vault replaces the first password at once.
# (woodpecker's database is older than this list and was made by hand.)

resource "null_resource" "pg_seed_log_db" {
  depends_on = [null_resource.pg_cluster]

  triggers = {
    db_name  = "seed_log"
    username = "seed_log"
  }

  provisioner "local-exec" {
    command = <<-EOT
      primary=$(kubectl --kubeconfig ${var.kube_config_path} -n dbaas get cluster pg-cluster -o jsonpath='{.status.currentPrimary}')
      kubectl --kubeconfig ${var.kube_config_path} -n dbaas exec -i "$primary" -c postgres -- psql -U postgres -v ON_ERROR_STOP=1 <<'SQL'
      SELECT 'CREATE ROLE seed_log LOGIN PASSWORD ''replaced-by-vault''' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seed_log')\gexec
      SELECT 'CREATE DATABASE seed_log OWNER seed_log' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'seed_log')\gexec
      GRANT ALL PRIVILEGES ON DATABASE seed_log TO seed_log;
      SQL
    EOT
  }
}
