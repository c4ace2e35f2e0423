"""What ``update`` does to stacks: which are clean, which are left, what changes in running workloads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from scaffold.commands.updated import Updated, Updates
from scaffold.errors import number_of
from scaffold.report.changes import committed_text, files_json, gaps_text, origin_json, origin_text
from scaffold.report.difference import difference_text
from scaffold.report.findings import finding_json, finding_text
from scaffold.report.plan import plans_json
from scaffold.report.steps import steps_json, steps_text
from scaffold.templates.questions import Value
from scaffold.updates.merge import State


def update_text(updates: Updates, commits: tuple[str, ...], *, written: bool) -> Iterator[str]:
    """Each stack with its files, the planned difference of all, and what is left to a person."""
    for one in updates.stacks:
        files = "; ".join(f"{what}: {', '.join(paths)}" for what, paths in _files(one).items())
        yield f"{one.stack}: {one.word}{files and f' ({files})'}"
    if updates.plans is not None and updates.plans.stacks:
        yield ""
        yield from difference_text(updates.plans)
    for one in updates.left:
        yield ""
        yield (f"{one.stack} is left as it is:" if not one.change.changes else f"{one.stack}: to settle")
        yield from (f"  {line}" for finding in one.why_left for line in finding_text(finding).split("\n"))
    yield ""
    yield from origin_text(updates.origin)
    yield from gaps_text(updates.unverified)
    yield _sum(updates, written=written)
    yield from committed_text(*commits)
    if steps := [step for one in updates.written for step in one.steps]:
        yield from steps_text(steps)


def _files(one: Updated) -> dict[str, list[str]]:
    """The files that change, by what happens to them, and the lists that follow."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, state in one.merged.states.items():
        if state is not State.KEPT:
            found[state.value].append(str(path))
    outside = (file.path for file in one.change.changes if not file.path.is_relative_to(one.side.directory))
    if lists := list(map(str, outside)):
        found["lists"] = lists
    return dict(found)


def _sum(updates: Updates, *, written: bool) -> str:
    number = len(updates.written)
    if not number and not updates.left:
        return "Nothing to do."
    stacks = f"{number_of(number, 'stack')} {'written' if written else 'would be written'}"
    return f"{stacks}, {len(updates.left)} left to a person." if updates.left else f"{stacks}."


def update_json(updates: Updates, commits: tuple[str, ...], *, written: bool) -> dict[str, Value]:
    """The same as JSON."""
    return {
        "version": updates.origin.version,
        "template": origin_json(updates.origin),
        "written": written,
        "commits": list(commits),
        "stacks": [
            {
                "stack": one.stack,
                "from": one.side.version,
                "state": one.word,
                "files": [
                    {"path": str(path), "state": state.value} for path, state in one.merged.states.items()
                ],
                "findings": [finding_json(finding) for finding in one.why_left],
                "to_accept": list(dict.fromkeys(effect.effect.value for effect in one.to_accept)),
            }
            for one in updates.stacks
        ],
        "changes": files_json(updates.change, with_diff=not written),
        "plans": plans_json(updates.plans) if updates.plans is not None else None,
        "not_verified": updates.unverified,
        "next_steps": steps_json(step for one in updates.written for step in one.steps),
    }
