"""What is checked in a rendered pipeline before a byte of it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scaffold.checks.verify import Unverified
from scaffold.errors import VerificationError
from scaffold.monorepo.stack import read_stack
from scaffold.pipelines.check import Linted, actionlint, check
from scaffold.pipelines.context import Context, Expected
from scaffold.pipelines.repository import WOODPECKER, read_repository
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class VerifiedPipeline:
    """The outcome of a verification without findings."""

    checked: tuple[str, ...]
    unverified: tuple[Unverified, ...]


def verify_pipeline(
    app_repository: Path, files: Mapping[str, bytes], values: Mapping[str, Value], stack: Mapping[str, bytes]
) -> VerifiedPipeline:
    """Verify rendered files in their repository, and against the Service's stack.

    ``files`` are laid over what the repository holds; ``stack`` are the stack's ``.tf`` files by their
    path. Only findings in rendered files, in the stack, and of files that would be dead count: what else
    stands in the repository is a person's own. Raises :class:`VerificationError` with all of them.
    """
    repository = read_repository(app_repository, files)
    context = Context(values["facts"], Expected.of(values), read_stack(stack) if stack else None)
    linted = actionlint(repository)
    found = [*check(repository, context), *linted.findings]
    # A file that is hidden by a rendered one, or hides it, counts; one deeper down was dead before.
    hidden = {path for path in repository.dead if PurePosixPath(path).parent.as_posix() in (".", WOODPECKER)}
    own = [f for f in found if f.path in files or f.path in stack or f.path in hidden]
    # A repository that is new has no Dockerfile yet: the next steps tell of it.
    own = [f for f in own if f.code not in ("PIP009", "ACT006")]
    if own:
        raise VerificationError(
            f"The pipeline of {values['name']} failed its verification; nothing was written.",
            "If no answer explains it, delete what the repository had before, or correct the stack.",
            own,
        )
    return VerifiedPipeline(
        (
            "substitution",
            "YAML",
            "schemas",
            "Woodpecker's linter",
            "house rules",
            *(["the stack's names"] if stack else []),
            *(["actionlint"] if not linted.failure and repository.actions else []),
        ),
        tuple(_gaps(stack, linted, bool(repository.actions))),
    )


def _gaps(stack: Mapping[str, bytes], linted: Linted, has_actions: bool) -> list[Unverified]:
    gaps = [Unverified("what only the servers know", "the registration, secrets, and images of the steps")]
    if not stack:
        gaps.append(Unverified("the stack's names", "there is no stack of this name yet"))
    if linted.failure and has_actions:
        gaps.append(Unverified("actionlint", linted.failure))
    return gaps
