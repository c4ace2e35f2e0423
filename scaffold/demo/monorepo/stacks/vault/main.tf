# Vault's database engine: it changes the password of every role below once a week.

data "vault_kv_secret_v2" "platform" {
  mount = "secret"
  name  = "platform"
}

resource "vault_mount" "database" {
  path = "database"
  type = "database"
}

resource "vault_database_secret_backend_connection" "postgresql" {
  backend = vault_mount.database.path
  name    = "postgresql"
  allowed_roles = [
    "pg-woodpecker",
    "pg-seed-log",
  ]

  postgresql {
    connection_url = "postgresql://{{username}}:{{password}}@pg-cluster-rw.dbaas.svc.cluster.local:5432/postgres"
    username       = "postgres"
    password       = data.vault_kv_secret_v2.platform.data["postgresql_root_password"]
  }
}

resource "vault_database_secret_backend_connection" "mysql" {
  backend       = vault_mount.database.path
  name          = "mysql"
  allowed_roles = ["mysql-grafana"]

  mysql {
    connection_url = "{{username}}:{{password}}@tcp(mysql.dbaas.svc.cluster.local:3306)/"
    username       = "root"
    password       = data.vault_kv_secret_v2.platform.data["mysql_root_password"]
  }
}

resource "vault_database_secret_backend_static_role" "mysql_grafana" {
  backend         = vault_mount.database.path
  db_name         = vault_database_secret_backend_connection.mysql.name
  name            = "mysql-grafana"
  username        = "grafana"
  rotation_period = 604800
}

resource "vault_database_secret_backend_static_role" "pg_woodpecker" {
  backend         = vault_mount.database.path
  db_name         = vault_database_secret_backend_connection.postgresql.name
  name            = "pg-woodpecker"
  username        = "woodpecker"
  rotation_period = 604800
}

resource "vault_database_secret_backend_static_role" "pg_seed_log" {
  backend         = vault_mount.database.path
  db_name         = vault_database_secret_backend_connection.postgresql.name
  name            = "pg-seed-log"
  username        = "seed_log"
  rotation_period = 604800
}
