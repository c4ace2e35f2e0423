"""How well answers describe stacks, one in full or all on a line each, and the adoption of one."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from scaffold.adoption.inferred import Inferred
from scaffold.adoption.likeness import Compared, Missing, cut, shortened
from scaffold.adoption.rules import by_rule, unexplained
from scaffold.commands.adopt import StackAdoption
from scaffold.commands.adoption import Adoption
from scaffold.commands.exposed import place
from scaffold.errors import number_of
from scaffold.report.changes import (
    committed_text,
    files_json,
    files_text,
    gaps_text,
    origin_json,
    origin_text,
)
from scaffold.report.difference import consequence_text
from scaffold.report.findings import finding_json, finding_text, seen
from scaffold.report.prepared import verified_json
from scaffold.report.steps import steps_json, steps_text
from scaffold.templates.questions import Value

_MOST = 20


def adoption_json(found: Sequence[Adoption]) -> dict[str, Value]:
    """Everything that was found out, as one object."""
    return {
        "stacks": [_stack_json(one) for one in found],
        "in_the_way": [{"what": what, "stacks": stacks} for what, stacks in in_the_way(found)],
    }


def _stack_json(one: Adoption) -> dict[str, Value]:
    return {
        "stack": one.stack,
        "not_ours": one.why_not or None,
        "share": one.share,
        "share_of_wanted": one.share_of_wanted,
        "share_with_kept": one.share_with_kept,
        "answers": one.answers.values if one.answers is not None else None,
        "recorded": one.recorded if one.answers is not None else None,
        "inferred": [_inferred_json(answer) for answer in one.inferred],
        "obstacles": list(one.obstacles),
        "refused": [finding_json(finding) for finding in one.refused],
        "assumed": [finding_json(answer.to_settle) for answer in one.assumed],
        "unexplained": [_missing_json(c, m) for c in one.compared for m in unexplained(c)],
        "by_rule": [
            {**_missing_json(c, m), "rule": rule}
            for c in one.compared
            for m in c.missing
            if (rule := by_rule(c, m))
        ],
    }


def _inferred_json(answer: Inferred) -> dict[str, Value]:
    said = {"answer": answer.question, "value": answer.value, "certainty": answer.certainty}
    return {**said, **asdict(answer.origin)}


def _missing_json(compared: Compared, missing: Missing) -> dict[str, Value]:
    site = compared.resource.site
    where = {"file": site.path, "line": site.line}
    return {"address": compared.resource.address, **asdict(missing), **where}


def adoption_text(found: Sequence[Adoption]) -> Iterator[str]:
    """The stacks for people: those that answers describe best first, and then what stands in the way."""
    if len(found) == 1:
        yield from _in_full(found[0])
        return
    width = max((len(one.stack) for one in found), default=0)
    for one in sorted(found, key=lambda one: (one.share is None, -(one.share or 0), one.stack)):
        yield seen(f"{one.stack:{width}}  {_told(one)}")
    shares = sorted(one.share for one in found if one.share is not None)
    if shares:
        middle = (shares[(len(shares) - 1) // 2] + shares[len(shares) // 2]) / 2
        told = f"Answers describe {len(shares)} of {number_of(len(found), 'stack')}"
        yield f"{told}, and half of those to at least {middle:.1%}."
    ways = in_the_way(found)
    if ways:
        yield "What stands in the way, and in how many stacks:"
    for what, stacks in ways[:_MOST]:
        yield seen(f"  {len(stacks):3}  {what}")


def _told(one: Adoption) -> str:
    if one.share is None:
        refused = (f"{finding.answer}: {finding.message}" for finding in one.refused)
        return f"    -  {'; '.join(filter(None, (one.why_not, *one.obstacles, *refused)))}"
    parts = [f"{one.share:6.1%} of {sum(c.total for c in one.compared)} attributes"]
    if one.share_of_wanted is not None:
        parts.append(f"{one.share_of_wanted:.1%} without what house rules change")
    if one.share_with_kept is not None and one.share_with_kept != one.share:
        parts.append(f"{one.share_with_kept:.1%} with the blocks that stay as written")
    if count := len(one.refused) + len(one.assumed):
        parts.append(f"{number_of(count, 'answer')} for a person to settle")
    return ", ".join((*parts, *one.obstacles))


def _in_full(one: Adoption) -> Iterator[str]:
    yield seen(f"{one.stack}: {_told(one).strip()}")
    if one.inferred:
        yield "Answers, with where each came from:"
    for answer in one.inferred:
        value = json.dumps(answer.value, ensure_ascii=False)
        yield seen(f"  {answer.question}: {cut(value)}  ({answer.certainty.value}; {answer.origin})")
    settling = (*one.refused, *(answer.to_settle for answer in one.assumed))
    if settling:
        yield "For a person to settle:"
    for finding in settling:
        yield seen(f"  {finding.answer}: {finding.message} {finding.fix or ''}".rstrip())
    ruled = Counter(rule for c in one.compared for m in c.missing if (rule := by_rule(c, m)))
    if ruled:
        yield "Different because of house rules:"
    for rule, count in ruled.most_common():
        yield f"  {count:3}  {rule}"
    left = [(c, m) for c in one.compared for m in unexplained(c)]
    if left:
        yield "Not reproduced:"
    for compared, missing in left:
        told = f"{shortened(missing.value)} ({shortened(missing.instead)})"
        yield seen(f"  {place(compared.resource)}  {compared.label} {missing.path}: {told}")
    if one.share is not None and not one.obstacles:
        first = "Once that is settled" if settling else "Next"
        yield f"{first}: scaffold adopt {one.stack} --write"


def in_the_way(found: Iterable[Adoption]) -> list[tuple[str, list[str]]]:
    """What keeps answers from describing stacks, each with those stacks, the most frequent first."""
    stacks: dict[str, set[str]] = defaultdict(set)
    for one in found:
        for what in _ways(one):
            stacks[what].add(one.stack)
    by_number = sorted(stacks.items(), key=lambda item: (-len(item[1]), item[0]))
    return [(what, sorted(names)) for what, names in by_number]


def _ways(one: Adoption) -> Iterator[str]:
    if one.why_not:
        yield "not ours: " + re.sub(r"\d+", "several", one.why_not.partition(":")[0])
    yield from one.obstacles
    yield from (f"an answer is refused: {finding.code}" for finding in one.refused)
    for compared in one.compared:
        left = unexplained(compared)
        if compared.counterpart is None and left:
            yield f"no answer makes a {compared.kind}"
            continue
        yield from (f"{compared.kind} {_place(missing.path)}" for missing in left)


def _place(path: str) -> str:
    """The end of a path, without the names and positions in it."""
    return ".".join(re.sub(r"\[[^\]]*\]", "", path).split(".")[-3:])


def adopted_json(found: StackAdoption, commit: str | None) -> dict[str, Value]:
    """The adoption as one object."""
    difference = found.plans.stacks[0].difference
    return {
        "stack": found.stack,
        "template": origin_json(found.origin),
        "files": files_json(found.part.change, with_diff=False),
        "verified": verified_json(found.part.verified),
        "difference": difference.to_json() if difference is not None else None,
        "consequences": found.plans.stacks[0].consequences,
        "accepted": list(found.left),
        "manual": steps_json(found.manual),
        "comments_left_out": list(found.comments),
        "commit": commit,
    }


def adopted_text(found: StackAdoption, commit: str | None) -> Iterator[str]:
    """The same for people."""
    yield f"{found.stack} is adopted: its answers render it from now on."
    yield from (f"  {line}" for line in files_text(found.part.change))
    difference = found.plans.stacks[0].difference
    if difference is not None:
        moved = sum(one.moved for one in difference.changed)
        moves = f"{number_of(moved, 'object')} {'moves' if moved == 1 else 'move'} to another address"
        yield f"{moves}, {len(difference.added)} added by rules."
    for one in found.plans.stacks[0].consequences:
        yield f"  {one.effect.value:11}  {consequence_text(one)}"
    yield from (f"warning: {finding_text(finding)}" for finding in found.part.verified.warnings)
    yield from gaps_text(found.part.verified.unverified)
    yield from origin_text(found.origin)
    if found.manual:
        yield from steps_text(found.manual, "Lists outside the stack that need a person:")
    if found.comments:
        yield "These comments are not taken over. Updates keep what you put back from the diff:"
        yield from (f"  {place}" for place in found.comments)
    yield from committed_text(commit)
    yield f"Next: look at the diff, and apply {found.part.place}; scaffold change {found.stack} changes it."
