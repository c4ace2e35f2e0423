# Some paths have to work without single sign-on: webhooks, feeds, machine clients. The probe asks for
# each of them once a minute and fails where the answer redirects to the sign-on.

locals {
  authentik_walloff_targets = {
    # Feed readers cannot solve the proof of work, let alone sign on.
    "journal-feed" = "https://journal.example.test/feed.xml"
    # Phones subscribe to the sowing calendar; its address has a token.
    "seed-log-calendar" = "https://seed-log.example.test/calendar/health"
  }
}

resource "kubernetes_config_map" "walloff_probe" {
  metadata {
    name      = "walloff-probe"
    namespace = kubernetes_namespace.monitoring.metadata[0].name
  }

  data = {
    "targets.json" = jsonencode([
      for service, url in local.authentik_walloff_targets : { targets = [url], labels = { service = service } }
    ])
  }
}
