"""A rule of your own, from a file outside the package: declared in YAML, or a class in Python."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.checks.contract import ANYTHING, NOTHING, Allowed, Contract, Wanted
from scaffold.checks.ignoring import Ignored
from scaffold.checks.rule import Question, Rule
from scaffold.errors import AnswersError, UsageError
from scaffold.hcl.place import Steps, path_of
from scaffold.hcl.strings import quote
from scaffold.hcl.syntax import HclSyntaxError, parse
from scaffold.sweeps.declared import DeclaredRule
from scaffold.sweeps.edits import Add, Edit, Ignore, Remove, Rename, Set
from scaffold.sweeps.selector import Condition, Selector
from scaffold.sweeps.yaml_file import YamlFile
from scaffold.templates.questions import Value
from scaffold.terraform.planned import path_text

if TYPE_CHECKING:
    from scaffold.sweeps.yaml_file import Path as Place

_VERBS = ("set", "add", "remove", "ignore", "rename")
_VALUES = ("value", "expression", "ask")


def rule_from(path: Path) -> Rule:
    """The rule that a file holds.

    Raises :class:`AnswersError` with everything that is wrong with it, and :class:`UsageError` if there is no
    such file.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Name a file with --from.") from error
    return _from_python(path) if path.suffix == ".py" else declared(path.name, source)


def declared(name: str, source: bytes) -> Rule:
    """The rule that a YAML text declares. Raises :class:`AnswersError` with everything that is wrong."""
    return _Reader(name, source).rule()


def _from_python(path: Path) -> Rule:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it is somebody else's program: anything wrong there is reported as such
        text = f"{path} cannot be run: {type(error).__name__}: {error}."
        raise AnswersError(text, "Correct the file.") from error
    own = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Rule))
    found = [value for value in own if value.__module__ == module.__name__ and hasattr(value, "code")]
    if len(found) != 1 or not found[0]().fixes:
        text = f"{path} has to hold one class that is a `Rule` with `code`, a check and `fix`."
        raise AnswersError(text, f"It holds {len(found)}. See docs/sweep.md.")
    return found[0]()


class _Reader(YamlFile):
    """Turns a file into a rule, as far as the file is valid; problems are noted."""

    def rule(self) -> Rule:
        """The rule. Raises :class:`AnswersError` with everything that is wrong."""
        if self.findings or not self.against("file"):
            self._parts()
            self.demand()
        said = self.value
        selector, edits, contract = self._selector(), self._edits(), self._contract()
        self.demand()
        return DeclaredRule(said["code"], said["title"], selector, edits, contract)

    def _parts(self) -> None:
        """Look for valid parts of an invalid file, so that all errors are reported at once."""
        said = self.value
        if isinstance(said, Mapping):
            if isinstance(said.get("edits"), list) and all(
                isinstance(edit, Mapping) for edit in said["edits"]
            ):
                self._edits()
            if isinstance(said.get("contract"), list):
                self._contract()

    def _selector(self) -> Selector:
        said = self.value["select"]
        where, around = (self._conditions(said.get(key, {}), ("select", key)) for key in ("where", "around"))
        return Selector(_texts(said["blocks"]), _texts(said.get("inside", [])), where, around)

    def _conditions(self, said: Mapping[str, Value], place: Place) -> dict[Steps, Condition]:
        found = {self._path(str(key), (*place, str(key))): _condition(value) for key, value in said.items()}
        return {path: condition for path, condition in found.items() if path}

    def _edits(self) -> tuple[Edit, ...]:
        found = []
        for number, said in enumerate(self.value["edits"]):
            place: Place = ("edits", number)
            verbs = [verb for verb in _VERBS if verb in said]
            if len(verbs) != 1:
                what = "is not an edit" if not verbs else f"is more than one edit: {', '.join(verbs)}"
                self.wrong(place, what, allowed=", ".join(_VERBS), fix="Write one of them in each edit.")
            elif self.against(f"edits.{verbs[0]}", place):
                found.append(self._edit(verbs[0], said, place))
        return tuple(found)

    def _edit(self, verb: str, said: Mapping[str, Value], place: Place) -> Edit:
        question = Question(said["ask"], tuple(said.get("proposals", ()))) if "ask" in said else None
        if "proposals" in said and question is None:
            self.wrong((*place, "proposals"), "go with ask", fix="Ask something, or remove them.")
        match verb:
            case "set":
                return Set(
                    self._path(said["set"], (*place, "set")),
                    self._value(said, place),
                    question,
                    said.get("comment", ""),
                    said.get("after", ""),
                )
            case "add":
                within = self._path(said["within"], (*place, "within")) if "within" in said else ()
                self._definition(said["add"], (*place, "add"))
                return Add(said["add"].strip("\n"), within, said.get("first", False))
            case "remove":
                return Remove(self._path(said["remove"], (*place, "remove")))
            case "ignore":
                path = self._path(said["ignore"], (*place, "ignore"))
                comment = said.get("comment", "")
                return Ignore(Ignored(path_text(path), comment, comment))
            case _:
                values = {_text(old): _hcl(new) for old, new in said.get("values", {}).items()}
                if question is not None and not values:
                    self.wrong((*place, "ask"), "goes with values", fix="Say which values need no question.")
                return Rename(said["rename"], said["to"], values, question)

    def _value(self, said: Mapping[str, Value], place: Place) -> str:
        """The value of ``set`` as HCL; empty if a person is asked."""
        given = [key for key in _VALUES if key in said]
        if len(given) != 1:
            what = "says no value" if not given else f"says more than one value: {', '.join(given)}"
            self.wrong(place, what, allowed=", ".join(_VALUES), fix="Write one of them.")
        if "expression" in said:
            try:
                parse(f"x = {said['expression']}\n".encode())
            except HclSyntaxError as error:
                what = f"is not an expression: {error.problems[0].message}"
                self.wrong((*place, "expression"), what, allowed="HCL such as var.host")
            return str(said["expression"])
        return _hcl(said["value"]) if "value" in said else ""

    def _definition(self, text: str, place: Place) -> None:
        try:
            number = len(parse(f"{text}\n".encode()).body.items)
        except HclSyntaxError as error:
            self.wrong(place, f"is not HCL: {error.problems[0].message}")
        else:
            if number != 1:
                self.wrong(place, f"holds {number} definitions", allowed="one argument or block")

    def _path(self, text: str, place: Place) -> Steps:
        path = path_of(text)
        if path is None or not isinstance(path[0], str):
            self.wrong(place, "is not a path", allowed='a path such as metadata[0].labels["tier"]')
        return path or ()

    def _contract(self) -> Contract:
        if self.value["contract"] == "nothing":
            return NOTHING
        rows = []
        for number, said in enumerate(self.value["contract"]):
            place: Place = ("contract", number)
            if not self.against("change", place):
                continue
            kinds = [key for key in ("attribute", "comes", "goes") if key in said]
            if len(kinds) != 1 or (kinds != ["attribute"] and {"from", "to"} & said.keys()):
                allowed = "an attribute, perhaps with from and to; or comes: true; or goes: true"
                self.wrong(place, "does not say what may change", allowed=allowed, fix="Write one of them.")
                continue
            before, after = (_wanted(said, key) for key in ("from", "to"))
            attribute, comes = said.get("attribute", ""), "goes" not in said
            rows.append(Allowed(said["resource"], attribute, before, after, comes))
        return Contract(tuple(rows))


def _texts(said: Value) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def _condition(said: Value) -> Condition:
    return tuple(None if one is None else _text(one) for one in (said if isinstance(said, list) else [said]))


def _wanted(said: Mapping[str, Value], key: str) -> Wanted:
    return ANYTHING if key not in said else None if said[key] is None else _text(said[key])


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hcl(value: Value) -> str:
    return quote(value) if isinstance(value, str) else _text(value)
