"""Loading a workflow as Woodpecker does: its text is substituted, then read as YAML, for several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scaffold.errors import Finding
from scaffold.pipelines import substitution
from scaffold.pipelines.documents import Document, parse_workflow
from scaffold.pipelines.workflow import Workflow, axes
from scaffold.reading import YamlError

COMMON = {
    "CI": "woodpecker",
    "CI_COMMIT_BRANCH": "master",
    "CI_COMMIT_REF": "refs/heads/master",
    "CI_COMMIT_SHA": "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
    "CI_PIPELINE_EVENT": "push",
    "CI_PIPELINE_NUMBER": "7",
    "CI_PIPELINE_URL": "https://ci.example.test/repos/1/pipeline/7",
    "CI_REPO": "someone/app",
    "CI_REPO_NAME": "app",
    "CI_REPO_OWNER": "someone",
    "CI_REPO_DEFAULT_BRANCH": "master",
}
"""What every run knows. Only the shape of the values matters."""


_URL = "https://forge.example"
"""What the URLs begin with that CI gives: a registry beside a forge is often told from them."""


def runs(
    variables: Sequence[str], matrix: Sequence[Mapping[str, str]]
) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """The runs under which a text that reads some variables has to mean the same: what each is called, its variables.

    Started through the API (every variable is given), by a plain push (only CI's own are), with
    two commits whose first eight characters YAML would take for a number, and once for each run of the matrix.
    """
    first = dict(matrix[0]) if matrix else {}
    given = {name: "a1b2c3d4" for name in variables if not name.startswith("CI_") and name not in first}
    octal = COMMON["CI_COMMIT_SHA"].replace("a1b2c3d4", "01234567")
    exponent = COMMON["CI_COMMIT_SHA"].replace("a1b2c3d4", "12345e12")
    own = {name: _URL if name.endswith("_URL") else "x" for name in variables if name.startswith("CI_")}
    own |= COMMON | first
    return (
        ("a run through the API", {**own, **given, "CI_PIPELINE_EVENT": "manual"}),
        ("a plain push", own),
        ("a commit 01234567", {**own, **dict.fromkeys(given, "01234567"), "CI_COMMIT_SHA": octal}),
        ("a commit 12345e12", {**own, **dict.fromkeys(given, "12345e12"), "CI_COMMIT_SHA": exponent}),
        *((f"the matrix's {', '.join(axis.values())}", {**own, **given, **axis}) for axis in matrix[1:]),
    )


def load(path: str, raw: str) -> tuple[Workflow | None, list[Finding]]:
    """A workflow as Woodpecker reads it (substitution, then YAML), and what is in the way of that."""
    try:
        names = sorted({use.name for use in substitution.uses(raw)})
    except substitution.SubstitutionError as error:
        line, value = raw.count("\n", 0, error.offset) + 1, raw[error.offset :].split("\n", 1)[0][:60]
        message = f"Woodpecker cannot substitute this, even in a comment: {error.message}."
        fix = "Write $NAME or $${NAME} for the shell; take ${…} out of comments."
        return None, [Finding(path, line, None, "PIP026", message, value, fix=fix)]
    documents: list[tuple[str, Document]] = []
    for title, environment in runs(names, axes(raw)):
        try:
            documents.append((title, parse_workflow(substitution.substitute(raw, environment))))
        except YamlError as error:
            message = f"After substitution for {title} it {error.message}."
            quotes = "Put text with ${…} in quotes." if names else None
            return None, [Finding(path, error.line, None, "PIP027", message, fix=quotes)]
    first = documents[0][1]
    return Workflow(path, raw, first), _unquoted(path, raw, documents)


def _unquoted(path: str, raw: str, documents: list[tuple[str, Document]]) -> list[Finding]:
    """Values that are text in one run and something else in another."""
    (_, first), *others = documents
    lines = raw.split("\n")
    found: dict[int, Finding] = {}
    for title, other in others:
        if other.kinds == first.kinds:
            continue
        differing = [
            key for key in {**first.kinds, **other.kinds} if first.kinds.get(key) != other.kinds.get(key)
        ]
        line = min(other.lines.get(key) or first.lines[key] for key in differing)
        message = f"For {title} this is no longer text, but a number, a mapping or nothing."
        value, fix = lines[line - 1].strip(), "Put it in double quotes."
        found.setdefault(line, Finding(path, line, None, "PIP028", message, value, fix=fix))
    return list(found.values())
