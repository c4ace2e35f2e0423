"""What a compose file cannot show of an image: told once, where the conditions of its row hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from scaffold.answers.compose import documented, facts
from scaffold.answers.compose.forms import mount
from scaffold.answers.compose.hosts import beside
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.logins import leads
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger, Unseen
from scaffold.answers.compose.sharing import Emptied, copied
from scaffold.answers.compose.storage import ON_NFS
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
        behind = list(_behind(part, pod))
        conditions |= {"leads"} if behind else set()
        string = _unread(part, answers) if part is pod[0] else ""
        conditions |= {"unread"} if string else set()
        conditions |= {"unnamed"} if not behind and part is not pod[0] and _is_unnamed(part, pod) else set()
        words = {
            "kept": ", ".join(kept),
            "targets": ", ".join(one.its.target for one in empty),
            "copy": copied(empty, pod[0]) if empty else "",
            "key": _lacking_key(part),
            "others": ", ".join(behind),
            "string": string,
            "address": beside(part),
        }
        for row in facts()["unseen"]:
            if conditions.issuperset(row["when"]) and conditions.isdisjoint(row.get("unless", ())):
                yield Unseen(part.name, row["why"].format(**words), row["fix"].format(**words))


def _volumes(part: Part, ledger: Ledger) -> tuple[list[str], list[str]]:
    """The paths of a container's volumes: those that it may write to, and those of them that are new."""
    kept: list[str] = []
    new: list[str] = []
    for at, item in part.items("volumes"):
        entry, its = ledger.entries.get(at), mount(item)
        if entry and its and entry.is_taken_to(("volumes",)) and not its.read_only:
            kept.append(its.target.rstrip("/"))
            new += [] if ON_NFS in entry.why else kept[-1:]
    return kept, new


def _conditions(part: Part, kept: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """What holds of any container."""
    if documented.is_unknown(part):
        yield "unknown"
    yield "keeps" if kept else "keeps_nothing"
    if new:
        yield "new"
    if new and documented.lacks_owner(part):
        yield "owner"
    if _lacking_key(part):
        yield "keyless"
    accepted = facts()["server_passwords"]
    if part.known and part.known.dump and not any(re.search(accepted, name) for name in part.variables):
        yield "locked"


def _unread(app: Part, answers: Mapping[str, Value]) -> str:
    """The variable of the app's connection string, if the file does not say what is in it."""
    name = answers.get("database_env", {}).get("dsn", "")
    value = app.variables.get(name)
    return name if value is None or (UNKNOWN in value and "://" not in value) else ""


def _behind(part: Part, pod: Sequence[Part]) -> Iterator[str]:
    """The containers that a proxy in the pod can only name in a configuration of its own."""
    if re.search(facts()["front_images"], part.image.base):
        others = [other for other in pod if other is not part and other.name in part.needs]
        yield from (other.name for other in others if not part.names_as_host(other))


def _lacking_key(part: Part) -> str:
    """The key that the framework of a container needs, if its variables tell that framework and no key."""
    keys = facts()["framework_keys"].items()
    given = part.variables.keys()
    return next((key for key, beside in keys if given >= {*beside} and not {key, f"{key}_FILE"} & given), "")


def _is_unnamed(part: Part, pod: Sequence[Part]) -> bool:
    """Whether a container serves others of its pod, and none of their variables and commands leads to it."""
    others = [other for other in pod if other is not part and not other.is_like(part)]
    is_led_to = any(leads(other, part) or leads(part, other) for other in others)
    is_led_to = is_led_to or bool(part.network) or any(other.network == part.name for other in others)
    is_led_to = is_led_to or any(part.name in _behind(other, pod) for other in others)  # it is told there
    return bool(part.listens or part.is_companion) and not is_led_to


def _of_app(answers: Mapping[str, Value], kept: Sequence[str]) -> set[str]:
    """What holds of the app, by its answers."""
    found: set[str] = set()
    if "database" in answers:
        found |= {"database", "rotated"} if kept else {"database"}
        found |= set() if answers.get("database_env") else {"asked"}
    found |= {"slow"} if answers.get("slow_start") else set()
    if answers.get("replicas", 1) > 1:
        found.add("several")
    return found
