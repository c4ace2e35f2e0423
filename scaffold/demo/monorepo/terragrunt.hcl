# What every stack shares: where its state lives, its variables, its providers and the names of the tiers.

locals {
  # Needed before the database that holds all other state can answer: their state is local and encrypted in Git.
  # (infra and cnpg live in a repository of their own, but their names stay taken.)
  tier0_stacks = ["infra", "platform", "cnpg", "vault", "dbaas", "external-secrets"]
  stack        = trimprefix(path_relative_to_include(), "stacks/")
  is_tier0     = contains(local.tier0_stacks, local.stack)
}

remote_state {
  backend = local.is_tier0 ? "local" : "pg"
  generate = {
    path      = "backend.tf"
    if_exists = "overwrite_terragrunt"
  }
  config = local.is_tier0 ? {
    path = "${get_repo_root()}/state/${local.stack}/terraform.tfstate"
    } : {
    conn_str    = get_env("PG_CONN_STR", "")
    schema_name = local.stack
  }
}

terraform {
  extra_arguments "house_variables" {
    commands           = get_terraform_commands_that_need_vars()
    required_var_files = ["${get_repo_root()}/config.tfvars"]
  }
}

generate "k8s_providers" {
  path      = "providers.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
terraform {
  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = "~> 4.0"
    }
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 4.0"
    }
  }
}

variable "kube_config_path" {
  type    = string
  default = "~/.kube/config"
}

provider "kubernetes" {
  config_path = var.kube_config_path
}

provider "vault" {
  address          = "https://vault.example.test"
  skip_child_token = true
}
EOF
}

generate "cloudflare_provider" {
  path      = "cloudflare_provider.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
data "vault_kv_secret_v2" "cloudflare" {
  mount = "secret"
  name  = "platform"
}

provider "cloudflare" {
  api_token = data.vault_kv_secret_v2.cloudflare.data["cloudflare_api_token"]
}
EOF
}

generate "tiers" {
  path      = "tiers.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
locals {
  tiers = {
    core    = "0-core"
    cluster = "1-cluster"
    gpu     = "2-gpu"
    edge    = "3-edge"
    aux     = "4-aux"
  }
}
EOF
}
