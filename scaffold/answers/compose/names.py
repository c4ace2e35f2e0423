"""Where a text names a service as a host, and where the same word means something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache

from scaffold.answers.compose import facts
from scaffold.answers.compose.interpolation import UNKNOWN


@dataclass(frozen=True, slots=True)
class Said:
    """A text, with the variable or option that it is given to, and what is given along with it."""

    text: str
    under: str = ""
    beside: Collection[str] = ()

    @property
    def takes_host(self) -> bool:
        """Whether a lone word is a host here, because of the name's ending, or a port that is given too."""
        called = plain(self.under)
        if not called:
            return False
        ports = {f"{called}_{ending}" for ending in facts()["endings"]["port"]}
        return bool(re.search(_hosts(), called)) or not ports.isdisjoint(map(plain, self.beside))


def of_containers(services: Collection[str], said: str) -> dict[str, set[str]]:
    """The names that compose gives to containers, as far as a text has them: ``shop_db_1``, ``shop-db-1``."""
    found: dict[str, set[str]] = {}
    either = "|".join(map(re.escape, sorted(services, key=len, reverse=True))) or r"(?!)"
    for container in re.finditer(
        rf"(?<![\w.-])[a-z0-9][a-z0-9_-]{{0,60}}?([_-])({either})\1\d(?![\w-])", said
    ):
        found.setdefault(container[2], set()).add(container[0])
    return found


class Names:
    """The names under which a service, or every service of a file, can be reached."""

    def __init__(self, names: Collection[str]) -> None:
        """``names`` may be none."""
        either = "|".join(map(re.escape, sorted(names, key=len, reverse=True))) or r"(?!)"
        # A login has a colon or a scheme before it; what has neither is a mail address or a node's number.
        login, option = r"(?://|(?<!mailto):)[^\s,;]{0,300}@", rf"\s-[hH]\s*|--[\w-]*(?i:{_keys()})\s+"
        marked = rf"//|/dev/(?:tcp|udp)/|@\w+\(|(?i:{_keys()})=[\"']?|{login}|{option}"
        before = rf"(?P<marked>{marked})|(?P<at>@)|(?:^|[\s,;(])[\"']?"
        after = (
            rf"(?=(?P<port>:(?!//)(?:(?P<number>\d+)|[/{{$%<{UNKNOWN}]))|(?P<path>/)|[:,;)\"'\s]|$)(?!://)"
        )
        self._pattern = re.compile(rf"(?P<before>{before})(?P<host>{either}){after}")

    def found(self, said: Said) -> Iterator[re.Match[str]]:
        """Where a text has one of the names as its host.

        A word is a host behind a scheme, a login or ``host=``, and before a port. Alone or in a list, it is
        one only where what it is given under says so: DB_ENGINE=postgres names a driver, ROLES=broker a role;
        or where it is several words, such as java-gateway, and what it is given under takes no other name.
        """
        for found in self._pattern.finditer(said.text):
            same = found["host"] == said.text and plain(said.under) == plain(said.text)
            named = said.takes_host or (same and found["host"] not in facts()["drivers"])
            named = named or (found["host"] == said.text and _is_telling(said))
            if found["marked"] or found["port"] or (found["path"] if found["at"] else named):
                yield found

    def replaced(self, said: Said, by: Callable[[str], str]) -> str:
        """The text with each name replaced by ``by``."""
        text, end = "", 0
        for found in self.found(said):
            text += said.text[end : found.start("host")] + by(found["host"])
            end = found.end("host")
        return text + said.text[end:]


def options(words: Collection[str]) -> Iterator[Said]:
    """The words of a command, each with the option before it; a service's name after ``-h`` is a host."""
    before = ""
    for word in words:
        yield Said(word, {"-h": "host", "-H": "host"}.get(before, before if before.startswith("-") else ""))
        before = word


def _is_telling(said: Said) -> bool:
    """Whether a text that equals a service's name can hardly mean anything else."""
    several = re.search(r"\w[-_.]\w", said.text)
    return bool(several and said.under and not re.search(facts()["no_hosts"], plain(said.under)))


def plain(name: str) -> str:
    """A name in lower case, with one underscore between its words."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _endings() -> list[str]:
    endings = facts()["endings"]
    return sorted({*endings["host"], *endings["dsn"]})


@cache
def _hosts() -> str:
    """The endings of names that take a host; short ones such as ``ip`` have to be words of their own."""
    return "|".join(f"(?:{'^|_' if len(e) < 3 else ''}){e}$" for e in _endings())


@cache
def _keys() -> str:
    return "|".join(e.replace("_", "[_ ]?") for e in _endings())
