"""What a resource has to ignore, and where the marker beside it is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scaffold.errors import Finding

POLICY = """\
        dns_config {
          option {
            name  = "ndots"
            value = "2"
          }
        }
"""
JOB = """\
resource "kubernetes_job" "tidy" {
  metadata {
    name = "tidy"
  }
  spec {
    template {
      metadata {}
      spec {
%s        container {
          name = "tidy"
        }
      }
    }
  }
%s}
"""
DNS = "does not ignore spec[0].template[0].spec[0].dns_config"
UNMARKED = "has no KYVERNO_LIFECYCLE_V1 beside what it ignores"
IGNORED = "  lifecycle {\n    ignore_changes = [spec[0].template[0].spec[0].dns_config]\n  }\n"


@pytest.mark.parametrize(
    ("own", "lifecycle", "message"),
    [
        ("", "", DNS),
        (POLICY, "", ""),  # the policy leaves pods alone that have the option
        (POLICY.replace("ndots", "timeout"), "", DNS),
        ("", IGNORED, UNMARKED),
        ("", IGNORED.replace("dns_config]", "dns_config] # KYVERNO_LIFECYCLE_V1: a policy"), ""),
        ("", IGNORED.replace("  }", "  } # KYVERNO_LIFECYCLE_V1"), ""),
        ("", f"  # KYVERNO_LIFECYCLE_V1\n{IGNORED}", ""),
        ("", f"  # KYVERNO_LIFECYCLE_V1\n\n{IGNORED}", UNMARKED),
    ],
)
def test_the_dns_settings_that_a_policy_writes(
    own: str, lifecycle: str, message: str, check: Callable[..., list[Finding]]
) -> None:
    found = [f.message for f in check(JOB % (own, lifecycle)) if f.code == "LIF003"]
    assert found == ([f"kubernetes_job.tidy {message}"] if message else [])
