"""What a compose file cannot show of an image: told once, where the conditions of its row hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scaffold.answers.compose import documented
from scaffold.answers.compose.forms import listed, mount
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger, Unseen
from scaffold.answers.compose.sharing import Emptied, copied
from scaffold.answers.compose.storage import ON_NFS
from scaffold.templates import template
from scaffold.templates.questions import Value


def unseen(
    pod: Sequence[Part], may_be_filled: Sequence[Emptied], answers: Mapping[str, Value], ledger: Ledger
) -> Iterator[Unseen]:
    """What is to be looked up of each image in the pod; ``pod`` begins with the app.

    The rows are ``unseen`` of the facts about compose files. A row is told of a container where all of its
    conditions hold; no value of the file is in it, only paths.
    """
    images = {str(part.image): part for part in reversed(pod)}
    for part in reversed(images.values()):
        empty = [one for one in may_be_filled if one.part.is_like(part)]
        kept, new = _volumes(part, ledger)
        conditions = set(_conditions(part, kept, new)) | (_of_app(answers, kept) if part is pod[0] else set())
        conditions |= {"copies"} if empty else set()
        words = {
            "kept": ", ".join(kept),
            "targets": ", ".join(one.its.target for one in empty),
            "copy": copied(empty, pod[0]) if empty else "",
        }
        for row in template.facts("compose")["unseen"]:
            if conditions.issuperset(row["when"]) and conditions.isdisjoint(row.get("unless", ())):
                yield Unseen(part.name, row["why"].format(**words), row["fix"].format(**words))


def _volumes(part: Part, ledger: Ledger) -> tuple[list[str], list[str]]:
    """The paths of a container's volumes: those that it may write to, and those of them that are new."""
    kept: list[str] = []
    new: list[str] = []
    for index, item in enumerate(listed(part.body.get("volumes"))):
        entry, its = ledger.entries.get((*part.at, "volumes", index)), mount(item)
        if entry and its and entry.is_taken_to(("volumes",)) and not its.read_only:
            kept.append(its.target.rstrip("/"))
            new += [] if ON_NFS in entry.why else kept[-1:]
    return kept, new


def _conditions(part: Part, kept: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """What holds of any container."""
    if documented.is_unknown(part):
        yield "unknown"
    yield "keeps" if kept else "keeps_nothing"
    if new and documented.lacks_owner(part):
        yield "owner"


def _of_app(answers: Mapping[str, Value], kept: Sequence[str]) -> set[str]:
    """What holds of the app, by its answers."""
    found: set[str] = set()
    if "database" in answers:
        found |= {"rotated"} if kept else set()
        found |= set() if answers.get("database_env") else {"asked"}
    if answers.get("replicas", 1) > 1:
        found.add("several")
    return found
