module "dbaas" {
  source = "./modules/dbaas"

  kube_config_path = var.kube_config_path
  tier             = local.tiers.cluster
}
