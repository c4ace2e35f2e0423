"""The gate of an ingress: always written out, with a reason if it is not the full one."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from functools import partial

from scaffold.checks.contracts import module_calls
from scaffold.checks.rule import FamilyRule, Severity
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Attribute, Block, Document, Expression, ExprKind
from scaffold.monorepo.shared import SharedModules

_WITHOUT_LOGIN = frozenset(("app", "none"))
"""The modes that leave Authentik out: the module adds its own wall against scrapers."""


def _findings(stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
    calls = [call for call in stack.once(module_calls, context) if call.directory is not None]
    house = SharedModules.of(context.facts)
    shared = {call.block: posixpath.basename(call.directory or "") for call in calls}
    proofs = {block.labels[0] for block, module in shared.items() if module == house.anubis}
    for block in (block for block, module in shared.items() if module == house.ingress):
        yield from _gate(stack.documents[block.source.path], block, house.argument("ingress", "auth"))
        yield from _walls(block, proofs, partial(house.argument, "ingress"))


def _walls(call: Block, proofs: set[str], named: Callable[[str], str]) -> Iterator[Finding]:
    """An ingress to Anubis that keeps the module's wall too."""
    value = call.body.value
    service, wall, auth = (value(named(name)) for name in ("service_name", "anti_ai_scraping", "auth"))
    proven = {r.names[1] for r in (service.references() if service else ()) if r.names[:1] == ("module",)}
    walled = wall.literal() is True if wall else auth is not None and bool(_modes(auth) & _WITHOUT_LOGIN)
    if proven & proofs and walled:
        what = f"the ingress {call.labels[0]} leads to Anubis and also has the wall against scrapers"
        yield at(call, "ING011", what, fix=f"set {named('anti_ai_scraping')} = false")


def _gate(document: Document, call: Block, argument: str) -> Iterator[Finding]:
    auth = call.body.attributes.get(argument)
    if auth is None:
        fix = f'set {argument} = "required" (the default), or the mode that the app needs'
        yield at(call, "ING001", f"the ingress {call.labels[0]} does not say what gates it", fix=fix)
        return
    said = _reasons(document, auth.line, argument)
    for mode in sorted(_modes(auth.value) & _WITHOUT_LOGIN - said.keys()):
        yield _unreasoned(document, call, auth, mode)


def _unreasoned(document: Document, call: Block, auth: Attribute, mode: str) -> Finding:
    said = f'{auth.name} = "{mode}"'
    what, reason = f"{said} gives no reason", "what gates it, or why it is open"
    if elsewhere := _reasons(document, call.line, auth.name).get(mode):
        what, reason = f"the reason for {said} is above the module", elsewhere
    elif behind := document.comment_behind(auth.end_line):
        what, reason = f"the reason for {said} is at the end of the line", behind.text
    return at(auth, "ING002", what, value=mode, fix=f"put this right above the line: # {said}: {reason}")


def _modes(value: Expression) -> set[str]:
    """The modes that an expression may have, as far as can be seen: both branches of a conditional."""
    value = value.bare
    if value.kind is ExprKind.CONDITIONAL:
        return {mode for operand in value.operands[1:] for mode in _modes(operand)}
    text = value.string()
    return set() if text is None else {text.strip()}


def _reasons(document: Document, line: int, argument: str) -> dict[str, str]:
    """The reasons that the comments directly above a line give, by mode: ``# auth = "app": why``.

    The reason may go on, or begin, in the next line of the comment.
    """
    lines = [line for comment in document.comments_above(line) for line in comment.lines]
    modes = {f'{argument}="{mode}"': mode for mode in _WITHOUT_LOGIN}
    found: dict[str, str] = {}
    for position, text in enumerate(lines):
        head, colon, reason = text.partition(":")
        mode = modes.get("".join(head.split()))
        said = " ".join(filter(None, (reason.strip(), *lines[position + 1 :])))
        if mode and colon and said:
            found.setdefault(mode, said)
    return found


_INGRESS = """\
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "journal"
  namespace       = "journal"
  tls_secret_name = "tls"
  # auth = "app": accounts with passkeys, sign-up is closed
  auth = "app"
}
"""


class IngressAuth(FamilyRule, family=_findings):
    """An ingress says what gates it."""

    code = "ING001"
    needs = "ingress"
    why = "An implicit gate is one that nobody thought about; four of five Services were exposed that way."
    bad = _INGRESS.replace('  auth = "app"\n', "")
    good = _INGRESS


class IngressAuthReason(FamilyRule, family=_findings):
    """An ingress without the full gate says why."""

    code = "ING002"
    needs = "ingress"
    why = "The modes app and none bypass Authentik: the line above is the only place to read why."
    rule = "Instructions"
    bad = _INGRESS.replace(": accounts with passkeys, sign-up is closed", "")
    good = _INGRESS


_PROOF = """\
module "anubis" {
  source     = "../../modules/kubernetes/anubis_instance"
  name       = "journal"
  namespace  = "journal"
  target_url = "http://journal.journal.svc.cluster.local"
}

module "ingress" {
  source           = "../../modules/kubernetes/ingress_factory"
  name             = "journal"
  namespace        = "journal"
  tls_secret_name  = "tls"
  service_name     = module.anubis.service_name
  port             = module.anubis.service_port
  anti_ai_scraping = false
  # auth = "none": public pages, behind a proof of work
  auth = "none"
}
"""


class TwoWalls(FamilyRule, family=_findings):
    """Anubis is the only wall against scrapers."""

    code = "ING011"
    needs = "anubis"
    why = "The module's wall turns away clients by name that Anubis would let prove themselves."
    rule = "Networking & Resilience"
    severity = Severity.WARNING
    bad = _PROOF.replace("  anti_ai_scraping = false\n", "")
    good = _PROOF
