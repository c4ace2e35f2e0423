"""The load balancer's shared address: no two Services can have the same port on it."""

from __future__ import annotations

import pytest

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.errors import RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS

ANSWERS = """\
name: bird-call
description: Calls birds
shape: internal
image: docker.io/library/nginx:1.29.0
port: 5060
service_port: 5060
ports: [{{name: sip, port: 5060, protocol: {protocol}, service_port: {port}}}]
load_balancer: {{ports: [sip], reason: the birds have no browser}}
"""
OTHER = """\
resource "kubernetes_service" "tunnel" {
  metadata {
    name      = "tunnel"
    namespace = "tunnel"
    annotations = {
      "metallb.io/loadBalancerIPs" = "10.0.20.200"
      "metallb.io/allow-shared-ip" = "shared"
    }
  }
  spec {
    type = "LoadBalancer"
    port {
      port     = "5060"
      protocol = "UDP"
    }
    port {
      port = 8443
    }
  }
}
"""


@pytest.mark.parametrize(
    ("protocol", "port", "taken"), [("UDP", 5060, True), ("UDP", 8443, False), ("TCP", 8443, True)]
)
def test_a_port_of_the_shared_address_belongs_to_one_stack(
    monorepo: Monorepo, protocol: str, port: int, taken: bool
) -> None:
    directory = monorepo.root / STACKS / "tunnel"
    directory.mkdir()
    (directory / "main.tf").write_text(OTHER)
    answers = from_yaml(ANSWERS.format(protocol=protocol, port=port).encode(), "a.yml")
    if not taken:
        assert (
            prepare(monorepo, answers, level=Level.STATIC, template_source="https://x.test/t.git")
            .changes[0]
            .changes
        )
        return
    with pytest.raises(RefusedError) as refused:
        prepare(monorepo, answers, level=Level.STATIC, template_source="https://x.test/t.git")
    (finding,) = refused.value.findings
    assert finding.code == "taken.load-balancer-port"
    assert finding.value == f"10.0.20.200 {protocol} {port}"


def test_each_port_of_a_range_belongs_to_one_stack(monorepo: Monorepo) -> None:
    directory = monorepo.root / STACKS / "tunnel"
    directory.mkdir()
    (directory / "main.tf").write_text(OTHER)
    text = ANSWERS.format(protocol="UDP", port=5050).replace(
        "port: 5060, protocol", "port: 5050, to: 5070, protocol"
    )
    answers = from_yaml(text.replace(", service_port: 5050", "").encode(), "a.yml")
    with pytest.raises(RefusedError) as refused:
        prepare(monorepo, answers, level=Level.STATIC, template_source="https://x.test/t.git")
    assert [finding.value for finding in refused.value.findings] == ["10.0.20.200 UDP 5060"]
