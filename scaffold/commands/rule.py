"""``scaffold rule``: what a rule is about, and the page that describes all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from scaffold.checks.rule import Kind, Rule, rules
from scaffold.errors import UsageError, nearest

_PACKAGES = dict.fromkeys(Kind, "scaffold.checks") | {Kind.PIPELINE: "scaffold.pipelines"}
_READS = {
    Kind.STACK: "the syntax of a stack",
    Kind.PLAN: "the planned resources of a stack",
    Kind.PIPELINE: "the pipelines and Dockerfiles of an app's repository",
    Kind.EXCEPTION: "the comments that make exceptions",
    Kind.INDEX: "the lists outside the stacks, compared with all stacks",
}
_FAMILIES = {
    "ACT": "GitHub Actions workflows",
    "BAK": "Backups",
    "HCL": "Names and references",
    "IDX": "Lists outside the stacks",
    "IGN": "Exceptions",
    "IMG": "Dockerfiles",
    "ING": "Ingresses",
    "JOB": "Scheduled jobs",
    "LIF": "What Terraform ignores",
    "MOD": "Module calls",
    "NAM": "Names that only one stack can have",
    "NSP": "Namespaces",
    "PIP": "Woodpecker pipelines",
    "POD": "Pods",
    "RES": "Provider resources",
    "SEC": "Secrets",
    "STO": "Storage",
    "SVC": "Services",
}


def rules_of(kind: Kind) -> tuple[Rule, ...]:
    """The rules of one kind."""
    return rules(_PACKAGES[kind], kind)


@cache
def by_code() -> Mapping[str, Rule]:
    """Every rule there is, by its code, in the order of the codes."""
    found = [rule for kind in Kind for rule in rules_of(kind)]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)}


def all_rules() -> tuple[Rule, ...]:
    """Every rule there is, in the order of the codes."""
    return tuple(by_code().values())


def find(code: str) -> Rule:
    """The rule with a code. Raises :class:`UsageError` if there is none."""
    if code.upper() in by_code():
        return by_code()[code.upper()]
    raise UsageError(
        f"{code} is not a rule.", nearest(code, by_code()) or "`scaffold rule --list` lists all of them."
    )


def family(rule: Rule) -> str:
    """What the rules of a family are about."""
    return _FAMILIES[rule.code[:3]]


def described(rule: Rule) -> Iterator[str]:
    """A rule as Markdown: what it says, why, what it reads, and its examples."""
    yield f"### {rule.code}: {rule.title}"
    yield ""
    yield rule.why
    yield ""
    follows = f" Follows “{rule.rule}” of the specification." if rule.rule else ""
    severity = rule.severity.value
    article = "an" if severity[0] in "aeiou" else "a"
    fixes = " `scaffold check --fix` fixes it." if rule.fixes else ""
    yield f"Reads {_READS[rule.kind]}; breaking it is {article} {severity}.{fixes}{follows}"
    if rule.excuse:
        yield ""
        yield f"The comment `# {rule.excuse} why` above it makes an exception."
    for title, example in (("Breaks it", rule.bad), ("Keeps it", rule.good)):
        for name, text in ({"main.tf": example} if isinstance(example, str) else example).items():
            if text:
                yield ""
                yield f"{title}, in `{name}`:"
                yield ""
                yield f"```{_LANGUAGES.get(name.rpartition('.')[2], '')}"
                yield text.rstrip("\n")
                yield "```"


_LANGUAGES = {"tf": "hcl", "hcl": "hcl", "yml": "yaml", "yaml": "yaml", "toml": "toml", "json": "json"}


def markdown() -> str:
    """All rules as a page of documentation, from the classes themselves."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield (
        "Generated from the rules' own classes. `scaffold check` checks stacks against them, and so does "
        "`scaffold new-service` before it writes anything; `scaffold check --pipelines DIR` checks an app's "
        "repository against those about pipelines, and `scaffold index --check` compares the lists. "
        "`scaffold rule CODE` prints one."
    )
    yield ""
    yield f"To make an exception in a stack, put a comment on the line, or above the block: `# {_EXCEPTION}`."
    letters = ""
    for rule in all_rules():
        if rule.code[:3] != letters:
            letters = rule.code[:3]
            yield ""
            yield f"## {letters}: {family(rule)}"
        yield ""
        yield from described(rule)


_EXCEPTION = "scaffold: ignore CODE: the reason"
