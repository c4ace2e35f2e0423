"""How much of hand-written stacks the generator reproduces: what both *plan*, resource by resource.

    .venv/bin/python benchmarks/compare.py MONOREPO ANSWERS.yml… [--missing]

MONOREPO is a checkout of the real monorepo; it is only read. Each answer file names a stack that is there.
Both stacks are planned offline with that monorepo's modules. Resources match by kind, name and namespace,
whatever Terraform calls them; the remaining ones of a kind are paired by similarity. The shares are those of
the attributes in the hand-written plan that the generated one has with the same value: among all, and among
those that no house rule forbids (`RULES`). ``--missing`` lists the others.

Answer files use their own words, so a text of several lines (a script, a file's content) counts as present
if the generated plan has one in its place. The ExternalSecrets of one store and namespace are compared as the
single one that the house renders.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from scaffold.adoption.likeness import Compared, Missing, compare
from scaffold.answers import validation
from scaffold.answers.sources import from_yaml
from scaffold.commands.adoption import overlay
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates.render import render
from scaffold.templates.template import Origin
from scaffold.terraform.runner import plan_stacks
from scaffold.terraform.tree import Overlay

ORIGIN = Origin("https://git.example.test/scaffold.changes.git", "v0.1.0", updatable=True)
RULES = (
    ("a policy copies the certificate", "kubernetes_secret", "", ""),
    (
        "an image has its registry and a release",
        "",
        r"container\[\d+\]\.image$",
        r"^[^.]*/|^[a-z]+:|:latest$|:[a-z]+$|^[a-z-]+/[a-z-]+$",
    ),
    ("Kyverno decides the pull policy", "", r"image_pull_policy$", ""),
    ("the NFS server is a variable", "persistent_volume", r"volume_attributes\.server$", ""),
    ("shared hosts are variables", "ExternalSecret", r"template\.data\.", r"(postgresql|mysql)\.dbaas"),
    ("a policy sets dns_config, and changes of it are ignored", "", r"\bdns_config\[", ""),
    ("a CronJob forbids a second run beside the first", "cron_job", r"concurrency_policy$", "Replace|Allow"),
    ("a one-shot Job that is removed would run again", "kubernetes_job", r"ttl_seconds_after_finished$", ""),
    ("CI owns the tag of an own image", "", r"container\[\d+\]\.image$", r":[0-9a-f]{8}$"),
    ("the rotated password is called password", "ExternalSecret", r"data\[static-creds.*\]\.secretKey$", ""),
    ("the rotated password is called password", "", r"secret_key_ref\[0\]\.key$", r"^db_password$"),
    (
        "ExternalSecrets are <service>-secrets and -db-creds",
        "",
        r"(secret_key_ref\[\w*\]\.name|secret_key_ref.*\.name|manifest\.metadata\.name|target\.name)$",
        r"-(secrets|token)$",
    ),
    ("Secrets are not in Terraform's state", "", r"env\[(SMTP_PASSWORD|APP_KEY)\]", ""),
    ("GPU nodes are found by nvidia.com/gpu.present", "", r"node_selector\.gpu$", ""),
    ("memory is requested as it is limited", "", r"requests\.memory$", ""),
)
"""Why a hand-written attribute is not wanted: the reason, the kind, and what its path and value look like."""


def alike(one: str, other: str) -> bool:
    """Whether two values are the same, or texts of several lines, which answer files word themselves."""
    return one == other or all("\n" in text.strip() for text in (one, other))


def forbidden(compared: Compared, missing: Missing) -> str:
    """The rule of the house by which an attribute that stands there is not wanted; empty for none."""
    fitting = (
        why
        for why, kinds, pattern, there in RULES
        if (kinds in compared.kind or kinds in compared.resource.type)
        and re.search(pattern, missing.path)
        and re.search(there, missing.value)
    )
    called = (
        "PersistentVolumes are <service>-<purpose>-host" if missing.instead == f"{missing.value}-host" else ""
    )
    return next(fitting, called)


def stack_of(monorepo: Monorepo, path: Path) -> tuple[str, Overlay]:
    """The generated stack in place of the hand-written one. Raises where the answers are not valid."""
    given = from_yaml(path.read_bytes(), path.name)
    sensed = sense(monorepo)
    validation.check(given, sensed, {})
    name = str(given.values["name"])
    files = render(given.values, sensed, {}, ORIGIN).files
    return name, overlay(monorepo, name, files)


def main(arguments: Sequence[str]) -> int:
    """Print a line for each stack, and the average."""
    listed = [a for a in arguments if a != "--missing"]
    monorepo, shares = Monorepo(Path(listed[0])), []
    for path in map(Path, listed[1:]):
        name, laid = stack_of(monorepo, path)
        (human,) = plan_stacks(monorepo.root, [name])
        (ours,) = plan_stacks(monorepo.root, [name], laid)
        if human.findings or ours.findings:
            print(f"{name}: cannot be planned: {[f.message for f in (*human.findings, *ours.findings)]}")
            continue
        found = compare(human.resources, ours.resources, alike)
        lacking = [(one, attribute) for one in found for attribute in one.missing]
        total = sum(one.total for one in found)
        ruled = sum(bool(forbidden(*one)) for one in lacking)
        missing = len(lacking) - ruled
        raw, fair = 1 - (missing + ruled) / total, 1 - missing / (total - ruled)
        shares.append((raw, fair))
        print(
            f"{name:16} {raw:6.1%} {fair:6.1%}  {total:4} attributes of {len(human.resources):2} resources,"
            f" {ruled:3} against a rule, {missing:3} missing"
        )
        for one, lost in lacking if "--missing" in arguments else ():
            why = f" [{forbidden(one, lost)}]" if forbidden(one, lost) else ""
            text = f"{lost.path}: {lost.value} ({lost.instead}){why}"
            print(f"    {one.label}: {' '.join(text.split())[:200]}")
    if shares:
        raw, fair = (sum(column) / len(column) for column in zip(*shares, strict=True))
        print(f"{'average':16} {raw:6.1%} {fair:6.1%}  over {len(shares)} stacks: all, and what rules allow")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
