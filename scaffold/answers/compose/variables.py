"""The variables of a service: plain ones, secrets, those that the house sets, and those that name files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from scaffold.answers.compose import facts
from scaffold.answers.compose.connections import connection
from scaffold.answers.compose.document import Project
from scaffold.answers.compose.forms import source
from scaffold.answers.compose.hosts import ITSELF, Hosts
from scaffold.answers.compose.interpolation import UNKNOWN, Text, as_text
from scaffold.answers.compose.logins import SECRETS, mounted
from scaffold.answers.compose.merging import NAME
from scaffold.answers.compose.names import Said
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.roles import Role
from scaffold.answers.compose.shared import NO_DOCKER_DNS, NO_PASSWORD, needless
from scaffold.answers.sources import Path
from scaffold.reading import mapping
from scaffold.templates.decisions import suspected
from scaffold.templates.questions import Value

_DRAWN = "0a1b2c3d4e5f"
"""Stands for a value that the files do not have: whatever a secret may be."""
_ROTATES = ", and not with its password, which Vault rotates: name the variables for that under database_env"
_HERE = re.compile(r"(^|[,;\s]|https?://)(localhost|127\.0\.0\.1|\[?::1\]?)(?=$|[:/,;\s])")


@dataclass(slots=True)
class Environment:
    """The answers that a service's variables give; only the names of secrets."""

    plain: dict[str, Value] = field(default_factory=dict)
    secrets: list[Value] = field(default_factory=list)
    database: dict[str, str] = field(default_factory=dict)
    files: list[Value] = field(default_factory=list)
    database_name: str = ""
    """What the database is called, where a text that holds has its name."""


@dataclass(frozen=True, slots=True)
class _Variable:
    value: Text | None
    at: Path


class Variables:
    """Reads the variables of services, and takes down what becomes of each."""

    def __init__(self, project: Project, hosts: Hosts, ledger: Ledger, database: str) -> None:
        """``database`` is the kind that the Service gets on the shared hosts; empty for none."""
        self._project = project
        self._hosts = hosts
        self._ledger = ledger
        self._database = database
        self._base = base = next(iter(hosts.all(Role.DATABASE)), None)
        self._own = {
            n: v.value for n, v in (self._named(base) if base else {}).items() if v.value is not None
        }
        self._passwords = set(mounted(base).values()) if base else set()
        shared = [mounted(its) for its in hosts.all(Role.HOST)]
        self._given: dict[tuple[bool, str], Path] = {}
        self._needless = {source for its in shared for source in its.values()}

    def read(self, part: Part, answer: str = "env", app: Environment | None = None) -> Environment:
        """The variables of a service.

        ``answer`` is where the plain ones go, except for those that it has of the ``app``, whose image it
        runs.
        """
        found = Environment()
        variables = self._named(part)
        files = mounted(part)
        filled = self._filled_by_the_house(variables, files, found)
        rest = {name: variable for name, variable in variables.items() if name not in filled}
        secret = self._secret(rest)
        empty = [name for name, variable in rest.items() if variable.value == "" and name not in secret]
        for name, why in zip(empty, suspected((name, _DRAWN) for name in empty), strict=True):
            if why:
                del rest[name]
                fix = "Give it under secrets if the app needs it."
                self._ledger.left(variables[name].at, "it is empty, and what it holds would be a secret", fix)
        for name, variable in rest.items():
            said = Said(variable.value or "", name, variables)
            self._one(said, variable, answer, found, files, is_secret=name in secret)
        for name in [n for n in found.plain if app is not None and found.plain[n] == app.plain.get(n)]:
            del found.plain[name]
        self._files(part, files, found)
        return found

    def _named(self, part: Part) -> dict[str, _Variable]:
        """Every variable with a name, those from files first; the others are reported."""
        found: dict[str, _Variable] = {}
        for (at, entry), there in zip(part.items("env_file"), part.files, strict=True):
            for key, value in (there or {}).items():
                if NAME.fullmatch(key):
                    found[key] = _Variable(value, (*at, key))
            if there is not None and not there:
                self._ledger.decided(at, "it has no variables")
            elif there is not None:
                for key in mapping(entry):  # the path, and how it is read
                    self._ledger.decided((*at, key), "its variables are read with the file")
            elif mapping(entry).get("required") is False:
                self._ledger.decided(at, "it is not beside the file, and need not be")
        for key, value in mapping(part.body.get("environment")).items():
            at = (*part.at, "environment", key)
            if not NAME.fullmatch(key):
                self._ledger.left(at)
                continue
            if (before := found.get(key)) is not None:
                self._ledger.decided(before.at, "environment has the variable too, and takes precedence")
            its = as_text(self._project.variables.get(key) if value is None else value)
            # Without a value, the app's own default is what the file calls the service.
            its = Text(called) if (called := self._hosts.called_in(key, its, part)) else its
            found[key] = _Variable(its, at)
        return found

    def _filled_by_the_house(
        self, variables: Mapping[str, _Variable], files: Mapping[str, str], found: Environment
    ) -> set[str]:
        """The variables of the database, and passwords that open nothing in this house."""
        done: set[str] = set()
        values = {name: variable.value for name, variable in variables.items()}
        named = {n: self._hosts.named(Said(v, n, values)) for n, v in values.items() if v is not None}
        if self._database:
            anchors = [n for n, there in named.items() if there is not None and there.role is Role.DATABASE]
            parts = connection(values, anchors, self._database, self._own)
            found.database = parts.answer
            for part, name in parts.parts.items():
                original = next(n for n in (name, f"{name}_FILE") if n in variables)
                done.add(original)
                why = (
                    "the password that Vault rotates, under the name without _FILE"
                    if original != name
                    else ""
                )
                self._ledger.taken(variables[original].at, f"database_env.{part}", why)
            for name, part in parts.spare.items():
                done.add(name)
                self._ledger.left(
                    variables[name].at,
                    f"the app learns the {part} of its database from {parts.parts[part]}",
                    "If it reads this one instead, name it under database_env.",
                )
            base = self._base
            pattern = base.known.variables if base and base.known else ""
            for name in [n for n, v in variables.items() if "env_file" in v.at and n not in done]:
                if pattern and re.match(pattern, name):
                    done.add(name)
                    self._ledger.decided(variables[name].at, "it is for the container of the database")
        paths = {path for path, source in files.items() if source in self._needless}
        for name, (why, fix) in needless(values, named, paths, self._database).items():
            if name in done:
                continue
            done.add(name)
            if fix:
                self._ledger.left(variables[name].at, why, fix)
            else:
                self._ledger.decided(variables[name].at, why)
        return done

    def _secret(self, variables: Mapping[str, _Variable]) -> set[str]:
        """The variables that are secrets: by name, by value, or by what their value was made from."""
        asked: list[tuple[str, str]] = []
        of: list[str] = []
        for name, variable in variables.items():
            value = variable.value
            known = value is not None and value.known
            # A placeholder under the name of a secret is to be replaced by one.
            drawn = not known or re.fullmatch(facts()["placeholders"], value or "")
            for called in (name, *(value.names if value else ())):
                asked.append((called, _DRAWN if drawn else str(value or "")))
                of.append(name)
        return {name for name, why in zip(of, suspected(asked) if asked else [], strict=True) if why}

    def _one(
        self,
        said: Said,
        variable: _Variable,
        answer: str,
        found: Environment,
        mounted: dict[str, str],
        *,
        is_secret: bool,
    ) -> None:
        name, value, at, ledger = said.under, variable.value, variable.at, self._ledger
        there = self._hosts.named(said)
        written = self._hosts.rewritten(said)
        # A shared host asks for no password; without it, all of such a value may be known.
        is_shared = there is not None and there.role is Role.HOST and UNKNOWN not in str(written.value)
        if value is not None and value.startswith(SECRETS) and value.known:
            mounted.setdefault(str(value), value.removeprefix(SECRETS))
            found.plain[name] = str(value)
            ledger.taken(at, f"{answer}.{name}", "the file comes from Vault, see files")
        elif is_secret and not is_shared:
            found.secrets.append({"env": name})
            why = "its value belongs in Vault, under this name in lower case"
            now = f"is now at {written.where}" if written.where else f"is not there ({written.gone})"
            told = f"; write it with the host that stands for the service {written.of}, which {now}"
            told += _ROTATES * (there is not None and there.role is Role.DATABASE)
            ledger.taken(at, "secrets", why + told * bool(written.of) + self._same(value, at))
        elif value is None or not (value.known or is_shared):
            same = (
                self._same(value, at)
                if re.search(r"(user|username|login|id|key|database|db_?name)$", name.lower())
                else ""
            )
            why = f"its value is not in the file{same}"
            ledger.left(at, why, f"Give it under {answer}, or under secrets.")
        else:
            self._plain(said, at, answer, found)

    def _same(self, value: Text | None, at: Path) -> str:
        """The note that a value is also that of a variable with another name in another service."""
        if not value or re.fullmatch(facts()["placeholders"], value):
            return ""
        whole = value.names[0] if value == UNKNOWN and len(value.names) == 1 else value
        if UNKNOWN in whole:
            return ""
        before = self._given.setdefault((value.known, whole), at)
        differs = before[1] != at[1] and before[-1] != at[-1]
        return f"; it is the same as {before[-1]} of {before[1]}" if differs else ""

    def _plain(self, said: Said, at: Path, answer: str, found: Environment) -> None:
        name, value = said.under, said.text
        written = self._hosts.rewritten(said)
        if written.gone:
            self._ledger.left(
                at, f"it names the service {written.of}, which is not there ({written.gone})",
                f"Give it under {answer} with the host that stands for it.",
            )  # fmt: skip
            return
        found.plain[name] = written.value if not isinstance(written.value, Text) else str(written.value)
        if written.of and isinstance(written.value, dict) and self._database == written.where:
            database = re.search(r"\{host\}(?::\d+)?/([a-z][a-z0-9_]*)", str(written.value.get("text", "")))
            found.database_name = database[1] if database else found.database_name
        why = f"the service {written.of} is at {written.where}" if written.of else ""
        is_own = written.of == at[1] and written.where != ITSELF and answer == "env"
        if is_own or (not why and _HERE.search(value)):
            fix = "if people are to reach the app by it, give the app's own host"
            why = f"{why or 'it is the pod itself'}; {fix}"
        if re.search(facts()["docker_dns"], value):
            why = "; ".join(filter(None, (why, NO_DOCKER_DNS)))
        for row in facts()["doubtful_values"]:
            if re.search(row["names"], name) and re.search(row["values"], value):
                why = row["why"]
                break
        self._ledger.taken(at, f"{answer}.{name}", why)

    def _files(self, part: Part, mounted: Mapping[str, str], found: Environment) -> None:
        """The files of secrets, each from the key with its name at the Service's own Vault path."""
        database = found.database.get("password", "")
        for path, secret in mounted.items():
            key = re.sub(r"[^A-Za-z0-9_.-]+", "_", secret).strip(".") or "secret"
            if re.fullmatch(r"(/[^\x00-\x20/:]+)+", path) and not re.search(r"/\.\.?(/|$)", path):
                if path in [str(f["path"]) for f in found.files] or self._is_rotated(part, path, database):
                    continue
                if secret in self._passwords | self._needless:
                    continue
                found.files.append({"path": path, "vault": key})
        for at, item in part.items("secrets"):
            name = source(item)
            made = [f for f in found.files if mounted.get(f["path"]) == name]
            if made:
                self._ledger.taken(
                    at, "files", f"{made[0]['path']} comes from the key {made[0]['vault']} in Vault"
                )
            elif name in self._needless:
                self._ledger.decided(at, NO_PASSWORD)
            elif name and (name not in self._passwords or database):
                self._ledger.decided(at, "it is the password of the database, which Vault rotates")
            elif name:
                fix = "Name the variable that takes it under database_env, if the app has one."
                self._ledger.left(at, "it is the password of the database, which Vault rotates", fix)
            else:
                self._ledger.left(at)

    def _is_rotated(self, part: Part, path: str, database: str) -> bool:
        """Whether the file only holds the password of the database, which has a variable of its own."""
        plain = [k for k, v in mapping(part.body.get("environment")).items() if str(v) == path]
        return bool(plain) and all(name == f"{database}_FILE" for name in plain)
