"""Which variables of a service are parts of one connection to a database."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from scaffold.answers.compose import facts
from scaffold.answers.compose.interpolation import UNKNOWN, Text
from scaffold.templates import decisions

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^:/@]*)(?P<password>:[^@/]*)?@)[^:/?@]+(?::[^/?]*)?"
    r"(?:/(?P<name>[^?]*))?(?P<rest>\?.*)?"
)
_GO = re.compile(r"[^:/@]*:[^@]*@(?P<net>tcp|unix)\([^)]*\)/[^?]*(?P<rest>\?.*)?")
_PAIR = re.compile(r"\s*([A-Za-z ]+?)\s*=\s*('[^']*'|[^;\s]*)(\s+|\s*;\s*|$)")
_KEYWORDS = {
    "host": "host", "server": "host", "data source": "host", "datasource": "host", "address": "host",
    "port": "port", "user": "user", "username": "user", "user id": "user", "uid": "user",
    "password": "password", "pwd": "password",
    "dbname": "name", "database": "name", "initial catalog": "name",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Connection:
    """The variables of a connection, by the part that each holds, and the format of its connection string."""

    parts: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    spare: Mapping[str, str] = field(default_factory=dict)
    """Variables of further connections, each with its part: the house fills one."""

    @property
    def answer(self) -> dict[str, str]:
        """The answer ``database_env``."""
        return {**self.parts, **self.written}


def connection(
    variables: Mapping[str, Text | None], anchors: Sequence[str], kind: str, own: Mapping[str, Text]
) -> Connection:
    """The connection to the database of a ``kind`` that these variables describe.

    ``anchors`` are those whose value has the database as its host. Around them, and around names that suggest
    a database, the others are found by what their names have in common, whatever separates the words.
    ``own``, the variables of the database's container, finds a password with an unrelated name: by its value.
    """
    families = _families(variables, anchors)
    parts: dict[str, str] = {}
    written: dict[str, str] = {}
    spare: dict[str, str] = {}
    taken: set[str] = set()
    for family in families:
        for part, name in family.items():
            if name in taken:
                continue
            value = variables[name]
            string = _string(value, kind) if part == "dsn" and value else {}
            if part == "dsn" and value and string is None:
                continue  # it must not contain a password: its host is rewritten in place
            taken.add(name)
            if part in parts:
                spare[name] = part
            elif part != "driver":
                parts[part] = re.sub(r"_FILE$", "", name) if part == "password" else name
                written |= string or {}
    if "host" in parts and "password" not in parts and "dsn" not in parts:
        parts |= _by_value(variables, taken, own)
    return Connection(parts, written, spare)


def _by_value(
    variables: Mapping[str, Text | None], taken: Collection[str], own: Mapping[str, Text]
) -> dict[str, str]:
    """The variables with the password of the database's own container, and the user and name beside them."""
    password = _plain_value(own, "password")
    for name, value in variables.items():
        prefixes = {p for p, part in endings(name).items() if part == "password"}
        if value and value == password and prefixes and name not in taken:
            found = {"password": name}
            for other in variables.keys() - taken:
                for prefix, part in endings(other).items():
                    if (
                        prefix in prefixes
                        and part in ("user", "name")
                        and variables[other] == _plain_value(own, part)
                    ):
                        found.setdefault(part, other)
            return found
    return {}


def _plain_value(own: Mapping[str, Text], part: str) -> Text | None:
    """What the database's container is given for a part: that of its user, not of root."""
    return next(
        (v for n, v in own.items() if part in endings(n).values() and "ROOT" not in n and v.known), None
    )


def _families(variables: Mapping[str, Text | None], anchors: Sequence[str]) -> list[dict[str, str]]:
    """The variables of each connection by their part; the fullest first, those with a host before others."""
    words, drivers = (facts()[key] for key in ("database_words", "drivers"))
    by_prefix: dict[str, dict[str, str]] = {}
    likely: set[str] = set()
    for name, value in variables.items():
        parts = {p: part for p, part in endings(name).items() if p or _tells(name)}
        its = {p for p, part in parts.items() if p.rpartition("_")[2] in words or not p}
        if name in anchors:  # the longest, of KC_DB and KC the first
            its.add(max((p for p, part in parts.items() if part in ("host", "dsn")), key=len, default=name))
        for prefix, part in parts.items():
            if part != "name" or value not in drivers or prefix in its:  # KC_DB=postgres is no name
                by_prefix.setdefault(prefix, {}).setdefault(part, name)
        if name in its:
            is_string = value and re.search(r"://|\(|=", value)
            by_prefix[name] = {"dsn" if is_string else "host": name}
        likely |= its
    found = [by_prefix[prefix] for prefix in by_prefix if prefix in likely]
    anchored = set(anchors)
    return sorted(found, key=lambda f: (not (anchored & set(f.values())), -len(f.keys() - {"driver"})))


def endings(name: str) -> dict[str, str]:
    """The parts of a connection that a variable may hold, each with the beginning of its name."""
    called = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    called = called.removesuffix("_file")
    found: dict[str, tuple[int, str]] = {}
    for part, suffixes in facts()["endings"].items():
        for suffix in suffixes:
            before = called.removesuffix(suffix)
            prefix = before.rstrip("_")
            whole = (
                not before or before.endswith("_") or before.rpartition("_")[2] in facts()["database_words"]
            )
            if before != called and whole and found.get(prefix, (0, ""))[0] < len(suffix):
                found[prefix] = (len(suffix), part)
    return {prefix: part for prefix, (_, part) in found.items()}


def _tells(name: str) -> bool:
    words = re.split(r"[^a-z0-9]+", name.lower())
    return len(words) > 1 and words[0] in facts()["database_words"]


def _string(value: Text, kind: str) -> dict[str, str] | None:
    """The format of a connection string, in the form of an answer; nothing for one without a login."""
    engine = decisions.house()["databases"][kind]
    if url := _URL.fullmatch(value):
        rest = "" if UNKNOWN in (url["rest"] or "") else url["rest"] or ""
        scheme = url["scheme"]
        if rest and not re.search(r"[{}$%\x00-\x1f]", rest):
            return {"template": f"{scheme}://{{user}}:{{password}}@{{host}}:{{port}}/{{name}}{rest}"}
        return {} if scheme == engine["scheme"] else {"scheme": scheme}
    if go := _GO.fullmatch(value):
        rest = "" if re.search(r"[{}$%\x00-\x1f" + UNKNOWN + "]", go["rest"] or "") else go["rest"] or ""
        return {"template": f"{{user}}:{{password}}@tcp({{host}}:{{port}})/{{name}}{rest}"}
    pairs = list(_PAIR.finditer(value))
    if pairs and "".join(pair[0] for pair in pairs) == value:
        keys = [_KEYWORDS.get(pair[1].lower().strip(), "") for pair in pairs]
        if "password" in keys and UNKNOWN not in "".join(
            p[2] for p, k in zip(pairs, keys, strict=True) if not k
        ):
            parts = zip(pairs, keys, strict=True)
            return {
                "template": "".join(f"{p[1]}={f'{{{k}}}' if k else p[2]}{p[3]}" for p, k in parts).strip()
            }
    return {} if UNKNOWN in value and "://" not in value else None
