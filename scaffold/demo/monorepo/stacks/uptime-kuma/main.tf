module "uptime_kuma" {
  source = "./modules/uptime-kuma"

  tier = local.tiers.cluster
}
