"""The services of a file: what each of them is, its names, and how they depend on each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from scaffold.answers.compose import facts
from scaffold.answers.compose.forms import Mount, Port, mount, ports, text, words
from scaffold.answers.compose.interpolation import UNKNOWN, Text, as_text
from scaffold.answers.compose.names import Names, Said, options
from scaffold.answers.known import Known, known
from scaffold.answers.sources import Path
from scaffold.reading import listed, mapping
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Instead:
    """What the house has instead of a service: a database, a shared host, or something else, and why."""

    database: str = ""
    host: str = ""
    port: int = 0
    variables: str = ""
    """What the variables begin with that its own container reads."""
    data: str = ""
    """Where a database server keeps its data; then how that is dumped, and what memory it needs."""
    dump: str = ""
    memory: str = ""
    why: str = ""
    serves: bool = False
    """Whether it may hand out files of an app's volumes itself."""


OFFICIAL = "library/"
"""The owner of Docker Hub's images that name none."""


@cache
def _known_parts() -> Mapping[str, Instead]:
    rows = facts()["parts"]
    return {
        image: Instead(**{k: v for k, v in row.items() if k != "images"})
        for row in rows
        for image in row["images"]
    }


class Part:
    """One service, or one job, of a file."""

    def __init__(
        self,
        name: str,
        body: Mapping[str, Value],
        top: str = "services",
        built: Collection[str] = (),
        files: Sequence[Mapping[str, Text] | None] = (),
    ) -> None:
        """``built`` are the images that the file only builds, by the names that it gives them.

        ``files`` are the variables of each item of ``env_file``; None for one that is not there.
        """
        self.name = name
        self.files = files
        self.body = body
        self.at = (top, name)
        self._built = built
        self.containers: Collection[str] = ()

    def items(self, key: str) -> Iterator[tuple[Path, Value]]:
        """What is listed under a key, each item with its place in the file."""
        given = self.body.get(key)
        for index, item in enumerate(listed(given)):
            yield (*self.at, key, *((index,) if isinstance(given, list) else ())), item

    @cached_property
    def image(self) -> ImageReference:
        """Its image with the registry written out, without what depends on variables that have no value."""
        return reference(str(self.body.get("image") or ""))

    @property
    def is_built(self) -> bool:
        """Whether its image is built from the file, so that no registry has it."""
        named = self.body.get("image")
        return str(named) in self._built if named else bool(self.body.get("build"))

    @property
    def is_pulled(self) -> bool:
        """Whether it is known which image it pulls."""
        return bool(self.image.repository) and not self.is_built

    @cached_property
    def mounts(self) -> list[Mount]:
        """Its mounts, as far as they can be read."""
        return [its for _, item in self.items("volumes") if (its := mount(item))]

    def shares(self, other: Part) -> list[tuple[Mount, Mount]]:
        """The volumes and host directories that both of them mount: here and there."""
        kinds = ("volume", "bind")
        its = {m.source: m for m in other.mounts if m.kind in kinds and m.source.strip(UNKNOWN)}
        return [(m, its[m.source]) for m in self.mounts if m.kind in kinds and m.source in its]

    @property
    def runs(self) -> bool:
        """Whether there is anything to run: an image, or something to build one from."""
        return bool(self.body.get("image") or self.body.get("build"))

    @property
    def profiles(self) -> list[Value]:
        """The profiles that start it; without any, it always starts."""
        return listed(self.body.get("profiles"))

    @cached_property
    def known(self) -> Instead | None:
        """What the house has instead of it."""
        found = _known_parts().get(self.image.base)
        like = facts()["parts_like"]
        return found or next(
            (Instead(why=row["why"]) for row in like if re.search(row["like"], self.image.base)), None
        )

    @cached_property
    def of_image(self) -> Known:
        """What is known of its image."""
        return known({"image": str(self.image)})

    @property
    def is_front(self) -> bool:
        """Whether it usually stands in front of an app or beside one, and is seldom the app."""
        return self.image.base in facts()["fronts"]

    @property
    def is_companion(self) -> bool:
        """Whether it usually serves an app and is seldom the app: a queue, a store, a search engine."""
        return self.image.base in facts()["companions"]

    @property
    def is_helper(self) -> bool:
        """Whether its name says that it works for the app: a worker, a scheduler."""
        return bool(re.search(facts()["helper_names"], self.name))

    @cached_property
    def ports(self) -> list[Port]:
        """The ports that it publishes, then those that it only exposes."""
        keys = (("ports", True), ("expose", False))
        items = ((item, published) for key, published in keys for _, item in self.items(key))
        return [port for item, published in items for port in ports(item, published=published)]

    @cached_property
    def listens(self) -> set[int]:
        """The TCP ports that it is known to listen on."""
        usual = self.of_image.answers.get("port") if self.image.repository else None
        named = {port.target for port in self.ports if port.protocol == "TCP"}
        return named or (
            {usual}
            if isinstance(usual, int)
            else {self.known.port}
            if self.known and self.known.port
            else set()
        )

    @cached_property
    def names(self) -> set[str]:
        """The names under which other services reach it."""
        more = [text(self.body.get(key)) for key in ("container_name", "hostname")]
        for network in mapping(self.body.get("networks")).values():
            more += [text(alias) for alias in listed(mapping(network).get("aliases"))]
        return {name for name in (self.name, *more, *self.containers) if name}

    @cached_property
    def in_texts(self) -> Names:
        """Finds those names in texts."""
        return Names(self.names)

    @property
    def needs(self) -> set[str]:
        """The names of the services that it declares it needs."""
        found = set(mapping(self.body.get("depends_on")))
        found |= {str(link).partition(":")[0] for link in listed(self.body.get("links"))}
        found |= {str(of).partition(":")[0] for of in listed(self.body.get("volumes_from"))}
        return found | ({self.network} if self.network else set())

    @property
    def network(self) -> str:
        """The service whose network it shares; usually empty."""
        mode = text(self.body.get("network_mode"))
        return mode.removeprefix("service:") if mode.startswith("service:") else ""

    @cached_property
    def labels(self) -> dict[str, str]:
        """Its labels, including those of ``deploy``, as far as they have values."""
        its = [self.body.get("labels"), mapping(self.body.get("deploy")).get("labels")]
        pairs: list[tuple[str, Value]] = []
        for labels in its:
            pairs += (
                labels.items()
                if isinstance(labels, dict)
                else [str(i).partition("=")[::2] for i in listed(labels)]
            )
        return {name: text(value) for name, value in pairs}

    @property
    def has_web_labels(self) -> bool:
        """Whether its labels lead visitors to it."""
        pattern = facts()["web_labels"]
        return (
            any(re.search(pattern, name) for name in self.labels)
            and self.labels.get("traefik.enable") != "false"
        )

    @property
    def schedule(self) -> tuple[str, str]:
        """When it runs, from its labels or trigger, and in which time zone; empty if it always runs."""
        pattern = facts()["schedule_labels"]
        found = next((value for name, value in self.labels.items() if re.search(pattern, name)), "")
        trigger = mapping(mapping(self.body.get("triggers")).get("schedule"))
        first = trigger or next(
            (mapping(t) for t in listed(mapping(self.body.get("triggers")).get("schedule"))), {}
        )
        return found or text(first.get("cron")), text(first.get("timezone"))

    @property
    def scheduled_by(self) -> str:
        """The key that says when it runs."""
        return "triggers" if self.body.get("triggers") else "labels" if self.body.get("labels") else "deploy"

    def is_like(self, other: Part) -> bool:
        """Whether it runs the same image as another one, or one from the same build."""
        if self.image.repository and other.image.repository:
            return self.image == other.image
        return bool(self.body.get("build")) and self.body.get("build") == other.body.get("build")

    @cached_property
    def variables(self) -> dict[str, Text | None]:
        """Its variables as texts, those of files first."""
        of_files = {name: value for file in self.files for name, value in (file or {}).items()}
        return {**of_files, **{n: as_text(v) for n, v in mapping(self.body.get("environment")).items()}}

    def given(self, name: str) -> Path:
        """Where a variable stands: in ``environment``, else in the last of the files that has it."""
        files = zip(self.items("env_file"), self.files, strict=True)
        its = [(*at, name) for (at, _), file in files if name in (file or {})]
        here = (*self.at, "environment", name)
        return here if name in mapping(self.body.get("environment")) or not its else its[-1]

    @cached_property
    def said(self) -> list[Said]:
        """Its variables, and the words of its commands."""
        env = self.variables
        found = [Said(value, name, env) for name, value in env.items() if value is not None]
        for key in ("command", "entrypoint"):
            found += options(words(self.body.get(key)))
        return found

    def names_as_host(self, other: Part) -> bool:
        """Whether one of its variables or commands has the other service as its host."""
        return any(any(other.in_texts.found(said)) for said in self.said)

    def ports_by(self, others: Collection[Part]) -> set[int]:
        """The TCP ports that it is known to listen on, and those that other services use."""
        asked = (f["number"] for other in others for said in other.said for f in self.in_texts.found(said))
        return self.listens | {int(number) for number in asked if number}

    @property
    def runs_once(self) -> bool:
        """Whether its name says that it ends by itself, and nothing restarts it."""
        kept = text(self.body.get("restart")) in ("always", "unless-stopped") or self.ports
        return not kept and bool(re.search(facts()["once_names"], self.name))

    def ended_before(self, other: Part) -> bool:
        """Whether another waits until it has ended."""
        condition = mapping(mapping(other.body.get("depends_on")).get(self.name)).get("condition")
        return str(condition) == "service_completed_successfully"


def reference(written: str) -> ImageReference:
    """An image with the registry written out, without what depends on variables that have no value."""
    found = ImageReference.parse(
        written.split(UNKNOWN, maxsplit=1)[0].rstrip(":@/") if UNKNOWN in written else written
    )
    if UNKNOWN in written and (written.startswith(UNKNOWN) or UNKNOWN in written.partition(":")[0]):
        return ImageReference("", "", "", "")
    if found.registry or not found.repository:
        return found
    home = "" if found.home else OFFICIAL
    return ImageReference(found.host, f"{home}{found.repository}", found.tag, found.digest)
