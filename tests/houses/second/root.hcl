# What every service has: its state in a bucket of its own, the cluster, and what all share.
remote_state {
  backend = "s3"
  generate = {
    path      = "state.tf"
    if_exists = "overwrite"
  }
  config = {
    bucket = "lab-state"
    key    = "${path_relative_to_include()}.tfstate"
    region = "eu-central-1"
  }
}

terraform {
  extra_arguments "common" {
    commands           = get_terraform_commands_that_need_vars()
    required_var_files = ["${get_repo_root()}/common.tfvars"]
  }
}

generate "cluster" {
  path      = "cluster.tf"
  if_exists = "overwrite"
  contents  = <<EOF
provider "kubernetes" {
  config_path = "~/.kube/lab"
}
EOF
}
