"""Names in answers that the monorepo can check: Middlewares, registries, shared hosts, files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType

from scaffold.answers import validation
from scaffold.answers.sources import Answers, show, texts
from scaffold.errors import Finding, nearest
from scaffold.hcl.evaluate import Names
from scaffold.monorepo.facts import merged
from scaffold.monorepo.manifests import DENIED, EXEMPT, MIDDLEWARE, PRIVILEGED, TRUSTED_IMAGES
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.stack import read_stack
from scaffold.monorepo.uses import Use
from scaffold.templates import decisions
from scaffold.templates.questions import Value, stand_ins


def problems(
    monorepo: Monorepo,
    given: Answers,
    sensed: Mapping[str, Value],
    recorded: Mapping[str, Value] | None = None,
    own_files: Mapping[str, bytes] = MappingProxyType({}),
    stack: str = "",
) -> list[Finding]:
    """Every problem of answers: with each other, and with what the monorepo knows about the names in them.

    ``recorded`` is what exists of a Service that is not new, and ``stack`` is where its files are so far;
    ``own_files``, by path, are what a new one takes along.
    """
    uses = [use for stack in monorepo.fleet.values() for use in stack.uses]
    wrong = validation.problems(given, sensed, recorded or {})
    own = (
        _own(monorepo, given, own_files, {"sensed": sensed, "recorded": recorded or {}}) if not wrong else []
    )
    return [
        *wrong,
        *_unknown_middlewares(given, {use.name for use in (*uses, *own) if use.kind == MIDDLEWARE}),
        *_untrusted_images(given, [use for use in uses if use.kind == TRUSTED_IMAGES]),
        *_denied(given, uses),
        *_unknown_stacks(given, monorepo),
        *_written_out(given, monorepo, merged(decisions.house(), sensed)["hosts"]),
        *_absent_files(given, monorepo, stack or str(given.values.get("name"))),
    ]


def _own(
    monorepo: Monorepo, given: Answers, own_files: Mapping[str, bytes], facts: Mapping[str, Value]
) -> Sequence[Use]:
    """What your own files create in a stack that is not rendered yet: they refer to its namespace."""
    sources = {**monorepo.sources(str(given.values["name"])), **own_files}
    if not sources:
        return ()
    combined = decisions.defaults({**stand_ins(), **given.values, **facts})
    names = decisions.evaluate("templates/decisions/names.jinja", combined)
    namespace = {"metadata": [{"name": names["namespace"]["value"]}]}
    known: Names = {("kubernetes_namespace", names["label"]): namespace}
    return read_stack(sources, monorepo.shared, known).uses


def _unknown_middlewares(given: Answers, known: set[str]) -> Iterator[Finding]:
    """The Middlewares that no stack creates: Traefik drops the whole route of an ingress that names one.

    Nothing is told where no stack makes any that can be seen.
    """
    for path, text in texts(given.values):
        if path[-2:-1] == ("extra_middlewares",) and known and text not in known:
            told = f"{show(path)} is created by no stack."
            fix = nearest(text, known) or "Correct its name, or create it first in a file of a stack."
            yield given.finding(path, "answers.middleware", told, value=text, fix=fix)


def _untrusted_images(given: Answers, trusted: list[Use]) -> Iterator[Finding]:
    """The images that a policy of the cluster does not admit."""
    for path, image in texts(given.values):
        if (
            path[-1] == "image"
            and image
            and trusted
            and not any(fnmatchcase(image, use.name) for use in trusted)
        ):
            told = f"{show(path)} is from a registry that the cluster does not trust."
            allowed = f"what {trusted[0].path} lists"
            fix = "Use an image from a listed registry, or list this one first; otherwise, no pod starts."
            yield given.finding(path, "answers.image-trusted", told, value=image, allowed=allowed, fix=fix)


def _denied(given: Answers, uses: list[Use]) -> Iterator[Finding]:
    """The capabilities that a policy of the cluster denies in the Service's namespace."""
    names = given.values.get("object_names")
    namespace = (names.get("namespace") if isinstance(names, Mapping) else "") or given.values.get("name")
    exempt = {use.place for use in uses if use.kind == EXEMPT and use.name == namespace}
    policies = {use.name: use.place for use in uses if use.kind == DENIED and use.name not in exempt}
    asked = [(p, text) for p, text in texts(given.values) if p[-2:-1] == ("capabilities",)]
    asked += [(("devices",), PRIVILEGED)] if given.values.get("devices") else []
    for path, text in asked:
        if text in policies:
            told = f"{show(path)} is denied by a policy of the cluster in the namespace {namespace}."
            allowed = f"what {policies[text]} does not deny"
            fix = "Do without it, or exempt the namespace there first; otherwise, no pod starts."
            yield given.finding(path, "answers.denied", told, value=text, allowed=allowed, fix=fix)


def _unknown_stacks(given: Answers, monorepo: Monorepo) -> Iterator[Finding]:
    """The stacks that should be applied first and do not exist."""
    known = monorepo.fleet.keys()
    for path, text in texts(given.values):
        if path[0] == "depends_on" and path[-1] == "stack" and text not in {*known, given.values.get("name")}:
            told, allowed = (
                f"{show(path)} is not a stack.",
                f"a directory of {monorepo.stacks_home}",
            )
            fix = nearest(text, known) or "Name an existing one."
            yield given.finding(path, "answers.stack", told, value=text, allowed=allowed, fix=fix)


def _written_out(given: Answers, monorepo: Monorepo, hosts: Mapping[str, str]) -> Iterator[Finding]:
    """Variables with the address of a shared host, for which config.tfvars has a name."""
    known = {address: kind for kind, name in hosts.items() if (address := monorepo.variable(name))}
    for path, text in texts(given.values):
        for address, kind in known.items() if "env" in path else ():
            if re.search(rf"(?<![\w.-]){re.escape(address)}(?![\w-])", text):
                told = f"{show(path)} writes out a shared host."
                fix = f"Write {{host: {kind}}}, the variable {hosts[kind]}; the address may change."
                yield given.finding(path, "answers.shared-host", told, value=address, fix=fix)


def _absent_files(given: Answers, monorepo: Monorepo, stack: str) -> Iterator[Finding]:
    """Files beside the stack that are to be mounted and do not exist: nothing could be planned."""
    files = given.values.get("files")
    for number, file in enumerate(files if isinstance(files, list) else ()):
        source = file.get("source") if isinstance(file, Mapping) and "content" not in file else None
        place = f"{monorepo.place(stack)}/{source}"
        if isinstance(source, str) and not (monorepo.root / place).is_file():
            told = f"files[{number}].source is not there: it is taken from {place}."
            fix = f"Put the file at {place} first, or give its text as content."
            at = ("files", number, "source")
            yield given.finding(at, "answers.no-file", told, value=source, fix=fix)
