"""The lists outside the stacks, such as the catalog of Services: each has to agree with the stacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scaffold.checks.rule import Rule, Severity
from scaffold.errors import Finding


class IndexRule(Rule):
    """A way in which a list and the stacks disagree; the comparison assigns its code."""

    severity = Severity.WARNING

    def check_index(self, disagreements: Iterable[Finding]) -> Iterator[Finding]:
        """The disagreements that carry this rule's code."""
        return (finding for finding in disagreements if finding.code == self.code)


class IndexMissing(IndexRule):
    """A Service is in every list where it belongs."""

    code = "IDX001"
    why = "Monitoring, rotation, upgrades and the catalog rely on these lists: what they lack is overlooked."


class IndexStale(IndexRule):
    """A list names nothing that no longer exists."""

    code = "IDX002"
    why = "Readers look for something that does not exist, or believe that its name is taken."


class IndexPlace(IndexRule):
    """A list can be found and read."""

    code = "IDX003"
    why = "If the list has lost its heading or its form, nothing can be added to it or compared with it."
