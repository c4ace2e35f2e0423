module "monitoring" {
  source = "./modules/monitoring"

  tier = local.tiers.cluster
}
