resource "cloudflare_record" "wildcard" {
  zone_id = "zone"
  name    = "*"
  type    = "CNAME"
  content = "tunnel.example.test"
  proxied = true
}
