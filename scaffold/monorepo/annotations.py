"""The annotations and labels by which other programs know what to do with an object.

One that ends with a slash is the beginning of several; one that begins with a slash has the house's own
domain in front of it.
"""

TILE = "gethomepage.dev/"
"""Homepage: the tile on the dashboard."""
MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
RELOADER = "reloader.stakater.com/"
SCRAPED = "prometheus.io/"
WATCHED = "diun.enable"
WATCHED_TAGS = "diun.include_tags"
RECORD = "/dns-type"
MONITORED = "/external-monitor"
GROUPS = "/allowed-groups"
