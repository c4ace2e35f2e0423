"""Why an attribute is deliberately not reproduced: the house rule that changes it."""

from __future__ import annotations

import re
from collections.abc import Callable

from scaffold.adoption.computed import read_from_secret
from scaffold.adoption.likeness import GONE, Compared, Missing
from scaffold.adoption.reading import as_read
from scaffold.adoption.secret_book import ROLE
from scaffold.monorepo.annotations import SCRAPED, TILE, WATCHED
from scaffold.templates.image import ImageReference
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import STAND_IN, path_text

_TAKEN = re.compile(r"(?<=\{\{) *\.\w+ *(?=\}\})")
"""What a template of a Secret takes from Vault, by the name that the ExternalSecret gives it."""


def by_rule(compared: Compared, missing: Missing) -> str:
    """The name of the house rule that changes an attribute; empty if there is none."""
    return next((why for why, fits in _RULES if fits(compared, missing)), "")


def unexplained(compared: Compared) -> tuple[Missing, ...]:
    """The attributes of a resource that are neither reproduced nor changed by a house rule."""
    return tuple(missing for missing in compared.missing if not by_rule(compared, missing))


def _saves(compared: Compared, _: Missing) -> bool:
    other = compared.counterpart
    return other is not None and (k8s.kind(other), other.name) == ("cron_job", "backup")


def _same_image(compared: Compared, missing: Missing) -> bool:
    one, other = ImageReference.parse(missing.value), ImageReference.parse(missing.instead)
    hub = {one.repository, f"library/{one.repository}"} if not one.registry else {one.repository}
    if not missing.path.endswith(".image") or one.host != other.host or other.repository not in hub:
        return False
    left_alone = compared.counterpart.site.ignored if compared.counterpart else ()
    return missing.path in map(path_text, left_alone) or (one.tag, one.digest) == (other.tag, other.digest)


def _ends(*suffixes: str) -> Callable[[Compared, Missing], bool]:
    return lambda compared, missing: missing.path.endswith(suffixes)


def _tile(compared: Compared, missing: Missing) -> bool:
    return TILE in missing.path and missing.instead in (GONE, "false")


def _job_pods(compared: Compared, missing: Missing) -> bool:
    of_job = k8s.kind(compared.resource) in ("cron_job", "job") and missing.instead == GONE
    return missing.path.endswith("labels.app") and (of_job or missing.instead == f"{missing.value}-jobs")


def _left_alone(compared: Compared, missing: Missing) -> bool:
    sides = [one.site.ignored for one in (compared.resource, compared.counterpart) if one is not None]
    return len(sides) == 2 and all(missing.path in map(path_text, ignored) for ignored in sides)


def _scraped(compared: Compared, missing: Missing) -> bool:
    return ".template[0]." in missing.path and f".annotations.{SCRAPED}" in missing.path


def _same_amount(compared: Compared, missing: Missing) -> bool:
    before, after = k8s.quantity(missing.value), k8s.quantity(missing.instead)
    return "resources[0]." in missing.path and before is not None and before == after


def _same_dollars(_: Compared, missing: Missing) -> bool:
    of_container = "container[" in missing.path and "$$" in missing.value
    return of_container and as_read(missing.value) == as_read(missing.instead)


def _rotated(compared: Compared, missing: Missing) -> bool:
    same = _TAKEN.sub("", missing.value) == _TAKEN.sub("", missing.instead)
    put_together = ".target.template.data." in missing.path and same
    return put_together or (missing.path.endswith("secretKey") and ROLE in missing.path)


_RULES: tuple[tuple[str, Callable[[Compared, Missing], bool]], ...] = (
    ("volumes are saved by the house's own job", _saves),
    ("an image has its registry written out, and what moves its tag goes on doing so", _same_image),
    ("a policy decides when an image is pulled", _ends("image_pull_policy")),
    ("a policy sets dns_config", lambda compared, missing: ".dns_config[" in missing.path),
    ("one host has one tile", _tile),
    ("what lifecycle leaves alone stays as it is", _left_alone),
    ("the Service says what is scraped", _scraped),
    ("what the house shares is a variable", lambda _, missing: STAND_IN in missing.instead),
    ("no second run starts beside the first", _ends("concurrency_policy")),
    ("a one-shot Job that is removed would run again", _ends("spec[0].ttl_seconds_after_finished")),
    ("a Service sends no requests to the pods of a job", _job_pods),
    ("an amount is written without a fraction", _same_amount),
    ("the rotated password is called password", _rotated),
    ("what Terraform computes is read from a Secret", read_from_secret),
    ("Kubernetes reads $$ as $", _same_dollars),
    ("Diun without tags would tell of every push", _ends(f"annotations.{WATCHED}")),
    ("a volume grows by its own size", _ends("resize.topolvm.io/increase")),
)
"""The house rules that change attributes, each with what tells the ones that it changes."""
