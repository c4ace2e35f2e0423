"""``scaffold new-service``: from answers to a stack in the monorepo, all or nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path, PurePosixPath

from scaffold.answers import validation
from scaffold.answers.known import filled
from scaffold.answers.sources import Answers, show, within
from scaffold.changes.change import ChangeSet, Content
from scaffold.changes.git import git
from scaffold.checks.verify import Level, Verified, verify, verify_edits
from scaffold.commands import beside
from scaffold.commands.lists import demand_places
from scaffold.commands.named import problems
from scaffold.commands.own_store import has_rendered_stack, with_own_store
from scaffold.commands.prepared import Part, Prepared
from scaffold.commands.service_entry import service_entry
from scaffold.commands.stored import record_of, stored_answers, stored_facts
from scaffold.commands.taken import refuse_taken, with_taken
from scaffold.errors import Finding, RefusedError, VerificationError
from scaffold.indexes.edits import insertions, lists_of
from scaffold.monorepo.addresses import unserved
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import OVERRIDES
from scaffold.monorepo.sensing import sense, unseen_classes
from scaffold.monorepo.stack import read_stack
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value, asked
from scaffold.templates.render import Rendered, render


def prepare(
    monorepo: Monorepo,
    given: Answers,
    app_repository: Path | None = None,
    *,
    overwrite: bool = False,
    proposes: bool = True,
    level: Level | None = None,
    template_source: str | None = None,
    without_indexes: Collection[str] = (),
    own_files: Sequence[beside.OwnFile] = (),
) -> Prepared:
    """Check answers, decide, render and verify, up to ``level``; nothing is written.

    With ``app_repository`` the pipeline of the app is made along, verified against the stack that is about to
    be written (``overwrite``: over files that are there; ``proposes``: with what the clone tells where no
    answer does). ``without_indexes`` are indexes that are left to a person; ``own_files`` are copied into the
    stack. Raises :class:`AnswersError` with every problem of the answers, :class:`RefusedError` for a stack
    or a name that is taken, :class:`~scaffold.errors.VerificationError` for a stack that would not work in
    this monorepo, and what :func:`~scaffold.commands.pipeline.pipeline_of` raises.
    """
    sensed = sense(monorepo)
    origin = template.origin(template_source or sensed.get("template"))
    given = with_own_store(monorepo, filled(given), sensed)
    if app_repository is None:
        return _prepare_stack(monorepo, given, sensed, origin, level, without_indexes, own_files)
    from scaffold.commands.pipeline import cloned, pipeline_of

    read = cloned(monorepo, given, app_repository, proposes=proposes)
    prepared = _prepare_stack(monorepo, read.answers, sensed, origin, level, without_indexes, own_files)
    if prepared.stack is None:
        return prepared
    own = f"{monorepo.place(prepared.service)}/"
    files = {str(file.path): file.after for file in prepared.stack.change.changes}
    written = {p: c for p, c in files.items() if p.startswith(own) and isinstance(c, bytes)} or None
    made = pipeline_of(monorepo, read, overwrite=overwrite, template_source=template_source, stack=written)
    finish = ["scaffold", "pipeline", "--service", prepared.service, "--app-repo", str(read.root)]
    finish += ["--monorepo", str(monorepo.root), *(["--overwrite"] if overwrite else [])]
    finish += ["--template-source", template_source] if template_source else []
    return replace(prepared, pipeline=made.pipeline, taken=made.taken, told=made.told, finish=tuple(finish))


def _prepare_stack(
    monorepo: Monorepo,
    given: Answers,
    sensed: Mapping[str, Value],
    origin: template.Origin,
    level: Level | None,
    without_indexes: Collection[str],
    own_files: Sequence[beside.OwnFile],
) -> Prepared:
    own = beside.below(monorepo, own_files, given)
    found = [*problems(monorepo, given, sensed, own_files=own), *beside.problems(monorepo, own_files)]
    named = not any(finding.answer == "name" for finding in found)
    exists = named and has_rendered_stack(monorepo, given.values.get("name"))
    if found:
        raise validation.refused(found if exists else with_taken(monorepo, given, sensed, found))
    if exists:
        beside.demand_in_place(monorepo, str(given.values["name"]), own_files, exists=True)
        return _existing(monorepo, given, sensed, origin, without_indexes)
    name = str(given.values["name"])
    beside.demand_in_place(monorepo, name, own_files)
    rendered = render(given.values, sensed, {}, origin)
    refuse_taken(monorepo, given, rendered.values)
    unformatted = beside.unformatted(own_files, level)
    edits = cache(partial(insertions, monorepo.files, service_entry(rendered.values), without_indexes))
    try:
        verified = verify(
            monorepo, name, rendered.files, rendered.values, level, own_files=own, meanwhile=edits
        )
    except VerificationError as error:
        from scaffold.commands.origins import traced

        raise traced(error, given, partial(_static_findings, monorepo, sensed, origin, own)) from None
    outside = edits()
    demand_places(monorepo, outside)
    wanted: dict[PurePosixPath, Content | None] = {
        PurePosixPath(monorepo.place(name), path): content for path, content in rendered.files.items()
    }
    wanted.update((PurePosixPath(path), content) for path, content in own.items())
    wanted.update((edit.path, edit.after) for edit in outside.edits)
    change = ChangeSet.plan(monorepo.files, wanted)
    verified = replace(
        verified,
        unverified=(*verified.unverified, *unformatted, *verify_edits(change)),
        warnings=(
            *verified.warnings,
            *_unpinned(given, rendered.values),
            *_unserved(monorepo, given, rendered, own),
            *_foreign(monorepo, given, rendered.values),
        ),
    )
    part = _part(monorepo, name, change, rendered.values, verified)
    return Prepared(name, origin, part, manual=outside.steps, own_files=tuple(own))


def _static_findings(
    monorepo: Monorepo,
    sensed: Mapping[str, Value],
    origin: template.Origin,
    own: Mapping[str, bytes],
    values: Mapping[str, Value],
) -> Sequence[Finding] | None:
    """What is found without a plan in the stack of these answers; None if they are not valid."""
    if validation.problems(Answers(values), sensed, {}):
        return None
    rendered = render(values, sensed, {}, origin)
    try:
        verify(monorepo, str(values["name"]), rendered.files, rendered.values, Level.STATIC, own_files=own)
    except VerificationError as error:
        return error.findings
    return ()


def _unpinned(given: Answers, values: Mapping[str, Value]) -> Iterator[Finding]:
    """The images whose tag is not a release: they run, but what they contain tomorrow is left to chance."""
    for image in values["workload"]["unpinned"]:
        path = within(image["name"], given.values)
        text = f"{image['name']} names no release: {image['tag']['reason']}."
        fix = "Pin a release of three numbers, or add the digest that you tried."
        yield given.finding(path, "answers.image-release", text, fix=fix)


def _foreign(monorepo: Monorepo, given: Answers, values: Mapping[str, Value]) -> Iterator[Finding]:
    """The StorageClasses of new volumes that only the templates' own house is known to have."""
    used = {volume["storage_class"]["value"] for volume in values["storage"]["volumes"]}
    for fact, name in unseen_classes(monorepo) if used else ():
        if name in used:
            text = f"No stack here has the StorageClass {name}, which its volumes would get."
            fix = f"Say {fact} in {OVERRIDES}, unless the cluster has one of that name."
            yield given.finding(("volumes",), "answers.storage-class", text, fix=fix)


def _unserved(
    monorepo: Monorepo, given: Answers, rendered: Rendered, own: Mapping[str, bytes]
) -> Iterator[Finding]:
    """What variables point at inside the cluster and no stack creates: the app could not reach it."""
    name, namespace = str(rendered.values["name"]), str(rendered.values["names"]["namespace"]["value"])
    contents = {str(PurePosixPath(monorepo.place(name), p)): c for p, c in rendered.files.items()}
    files = {**monorepo.sources(name), **own, **contents}
    stack = read_stack(
        {path: content for path, content in files.items() if isinstance(content, bytes)}, monorepo.shared
    )
    beside_app = {item["name"] for item in given.values.get("sidecars", [])}
    for found in unserved(monorepo, given.values, stack, namespace):
        text = (
            f"{show(found.answer)} points at {found.address.host}, and no stack creates a Service "
            f"{found.address.service} in the namespace {found.namespace}."
        )
        fix = (
            "Containers of one pod reach each other at localhost."
            if found.address.host in beside_app
            else "Write SERVICE.NAMESPACE of what is meant, or create that Service first."
        )
        yield given.finding(found.answer, "answers.no-service", text, fix=fix)


def _part(
    monorepo: Monorepo, name: str, change: ChangeSet, values: Mapping[str, Value], verified: Verified
) -> Part[Verified]:
    return Part(change, values, verified, f"{name}: new Service", PurePosixPath(monorepo.place(name)))


def _existing(
    monorepo: Monorepo,
    given: Answers,
    sensed: Mapping[str, Value],
    origin: template.Origin,
    without_indexes: Collection[str],
) -> Prepared:
    """The stack exists: nothing is to be done if it is the same and complete; otherwise this is refused."""
    values = decisions.combine({**given.values, "sensed": sensed})
    name = str(values["name"])
    record_of(monorepo, name).demand_unedited()
    recorded = stored_answers(monorepo, name)
    # If a file does not answer a question, its default holds: the question did not apply, or is newer.
    said = decisions.defaults(
        {**{q: recorded[q] for q in asked() if q in recorded}, **stored_facts(recorded)}
    )
    asking = [n for n, question in asked().items() if n in values and decisions.holds(question.when, values)]
    differing = [n for n in asking if said.get(n) != values[n]]
    if differing:
        settings = [part for q in differing for part in ("--set", f"{q}={_text(values[q])}")]
        raise RefusedError(
            f"{monorepo.place(name)} exists with other answers: {', '.join(differing)}.",
            f"Change it in place: `{shlex.join(['scaffold', 'change', name, *settings])}`",
        )
    update = f"scaffold update {name} --template-source {shlex.quote(origin.source)}"
    if recorded.get("_src_path") != origin.source:
        raise RefusedError(
            f"{monorepo.place(name)} exists, rendered from the templates at {recorded.get('_src_path')}, "
            f"not from {origin.source}.",
            f"Move it: `{update}`",
        )
    if recorded.get("_commit") != origin.version:
        raise RefusedError(
            f"{monorepo.place(name)} exists, rendered by version {recorded.get('_commit')} of the templates.",
            f"Update it: `{update}`",
        )
    if gone := (
        *_gone_files(monorepo, given, sensed, origin),
        *_gone_rows(monorepo, values, without_indexes),
    ):
        raise RefusedError(
            f"{monorepo.place(name)} has these answers, but some of its files or entries are missing.",
            "",
            gone,
        )
    unchanged = _part(monorepo, name, ChangeSet(monorepo.root, ()), values, Verified(Level.STATIC))
    lists = lists_of(monorepo.files, service_entry(values), without_indexes)
    return Prepared(name, origin, replace(unchanged, beside=lists))


def _gone_files(
    monorepo: Monorepo, given: Answers, sensed: Mapping[str, Value], origin: template.Origin
) -> Iterator[Finding]:
    """The files of the stack that do not exist; the content of the others is left to people."""
    rendered = render(given.values, sensed, {}, origin)
    directory = PurePosixPath(monorepo.place(str(rendered.values["name"])))
    for path in sorted(directory / name for name in rendered.files):
        if monorepo.files.read(path)[0] is None:
            known = git(monorepo.root, "ls-files", "-z", "--", str(path))
            again = (
                f"`git checkout HEAD -- {path}`" if known else f"move {directory} aside and run this again"
            )
            yield Finding(str(path), None, None, "stack.incomplete", "is missing", fix=again)


def _gone_rows(
    monorepo: Monorepo, values: Mapping[str, Value], without_indexes: Collection[str]
) -> Iterator[Finding]:
    """The lists that should contain the Service and do not, or that cannot be read."""
    found = insertions(monorepo.files, service_entry(values), without_indexes)
    yield from found.refused
    for edit in found.edits:
        left = " ".join(f"--no-index {name}" for name in edit.indexes)
        text = f"has no entry for it ({', '.join(edit.indexes)})"
        fix = (
            f"`scaffold index --fix`; what that leaves: `$EDITOR {edit.path}`, or leave it out with `{left}`"
        )
        yield Finding(str(edit.path), None, None, "index.incomplete", text, fix=fix)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
