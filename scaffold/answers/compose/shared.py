"""What a file says of servers that the house has for everybody: needless passwords, the database in Redis."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from scaffold.answers.compose import facts
from scaffold.answers.compose.connections import endings
from scaffold.answers.compose.forms import words
from scaffold.answers.compose.interpolation import Text
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.roles import Placed, Role
from scaffold.reading import listed
from scaffold.templates.questions import Value

NO_PASSWORD = "the shared host asks for no password"
NO_DOCKER_DNS = (
    "it names Docker's own name server, and a pod asks that of the cluster, which has another address"
)
_REDIS = "redis"
_ROOT = (
    "it is the root password of a database server, and that of the house gives none: the database and its "
    "user are there already",
    "If the app makes its tables only with it, run its installation once, as its documentation says.",
)


def needless(
    values: Mapping[str, Text | None],
    named: Mapping[str, Placed | None],
    files: Collection[str],
    database: str,
) -> dict[str, tuple[str, str]]:
    """The variables with passwords that open nothing here, each with why, and with a fix if there is one.

    ``named`` is the service that each variable names, ``files`` are the paths of secrets of shared hosts, and
    ``database`` is the kind of database on a shared host; empty for none.
    """
    found: dict[str, tuple[str, str]] = {}
    shared = {
        prefix
        for name, there in named.items()
        if there is not None and there.role is Role.HOST
        for prefix, part in endings(name).items()
        if part in ("host", "dsn") and prefix
    }
    for name, value in values.items():
        prefixes = [prefix for prefix, part in endings(name).items() if part == "password"]
        # REDIS_HOST_PASSWORD too
        of_shared = any(prefix.startswith(its) for prefix in prefixes for its in shared)
        if of_shared or value in files:
            found[name] = (NO_PASSWORD, "")
        elif database and re.search(facts()["root_passwords"], name.lower()):
            found[name] = _ROOT
    return found


def tell_of_database(
    placed: Placed, taken: Collection[str], env: Mapping[str, Value], ledger: Ledger
) -> None:
    """Tell what an app does not learn of its database on a shared host, and what that host may lack.

    ``taken`` are the parts of the connection that variables take, ``env`` the app's other variables.
    """
    part, kind = placed.part, placed.part.known.database if placed.part.known else ""
    lacking = {"host", "name", "user", "password"} - set(taken)
    if any(isinstance(value, dict) and value.get("host") == kind for value in env.values()):
        lacking -= {"host", "name"}  # a connection string without the login
    told = [placed.why]
    fixes: list[str] = []
    if extension := facts()["extensions"].get(part.image.base):
        told.append(f"where only an administrator can create the extension {extension}, which this image has")
        fixes.append(f"Have {extension} created in the new database, if the app needs it.")
    scripts = [its.target for its in part.mounts if its.target.startswith("/docker-entrypoint-initdb.d")]
    scripts += [str(c) for c in listed(part.body.get("configs")) if "initdb.d" in str(c)]
    if scripts:
        told.append("which does not run the scripts of this one (/docker-entrypoint-initdb.d)")
        fixes.append("Run what the app needs of them in the new database.")
    if part.body.get("command"):
        told.append("and its settings are not those of the command here")
        fixes.append("Ask its administrator for those that the app needs.")
    if lacking == {"name"} and (name := fixed_name(part)):
        told.append(f"and no variable takes the name of its database, which is then {name} as in the file")
    elif lacking and "dsn" not in taken:
        told.append(f"but no variable of the app takes the {', '.join(sorted(lacking))}")
        fixes.append("Name them under database_env, as the app's documentation does.")
    if fixes:
        ledger.left(part.at, ", ".join(told), " ".join(fixes))
    else:
        ledger.decided(part.at, ", ".join(told))


def fixed_name(part: Part) -> str:
    """The name that a file gives the database of its server, if it may be one on a shared host."""
    for name, value in part.variables.items():
        if (
            re.fullmatch(r"(POSTGRES_DB|(MYSQL|MARIADB)_DATABASE)", name)
            and value is not None
            and value.known
        ):
            return str(value) if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value) else ""
    return ""


def tell_of_redis(placed: Iterable[Placed], ledger: Ledger) -> None:
    """Tell what the file's own Redis has that a shared one may lack: modules, data that outlives it."""
    for part in [found.part for found in placed if found.role is Role.HOST]:
        if part.known is None or part.known.host != _REDIS:
            continue
        if part.image.base in facts()["redis_modules"]:
            ledger.instead(
                part.at,
                "the house has a shared host for redis, which has no modules",
                "If the app needs those of this image (search, JSON), run it as a sidecar.",
            )
        elif re.search(facts()["redis_keeps"], " ".join(words(part.body.get("command")))):
            ledger.noted(part.at, "its data outlives it here: ask whether that of the shared host does, too")


def tell_of_number(placed: Iterable[Placed], env: Mapping[str, Value], ledger: Ledger) -> None:
    """Tell of the database in a shared Redis, unless an address in ``env`` names it.

    Other Services keep their keys in the same server, and whoever names no number has the first one.
    """
    of_redis = {n: v for n, v in env.items() if isinstance(v, dict) and v.get("host") == _REDIS}
    texts = {name: str(value.get("text", "")) for name, value in of_redis.items()}
    hosts = [n for n, said in texts.items() if "://" not in said]
    first = [n for n, said in texts.items() if re.search(r"://[^/]*(/0?)?$", said)]
    prefixes = {prefix for name in hosts for prefix, part in endings(name).items() if part in ("host", "dsn")}
    numbers = (n for n in env if any(p in prefixes for p, part in endings(n).items() if part == "name"))
    number = next(numbers, "")
    for found in placed:
        known = found.part.known
        if (hosts or first) and found.role is Role.HOST and known and known.host == _REDIS:
            which = f"{number} is the number of its database there" if number else "it has the first database"
            fix = "give a free one" if number else "give another, in its address or by a variable of the app"
            ledger.noted(found.part.at, f"{which}, which other Services may use: {fix}")
            return
