"""``scaffold rule``: what a rule is about."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.rule import Kind, Rule
from scaffold.commands.check import by_code
from scaffold.errors import UsageError, nearest

_READS = {
    Kind.STACK: "the syntax of a stack",
    Kind.PLAN: "the planned resources of a stack",
    Kind.PIPELINE: "the pipelines and Dockerfiles of an app's repository",
    Kind.EXCEPTION: "the comments that make exceptions",
    Kind.INDEX: "the lists outside the stacks, compared with all stacks",
}


def find(code: str) -> Rule:
    """The rule with a code. Raises :class:`UsageError` if there is none."""
    if code.upper() in by_code():
        return by_code()[code.upper()]
    raise UsageError(
        f"{code} is not a rule.", nearest(code, by_code()) or "`scaffold rule --list` lists all of them."
    )


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
