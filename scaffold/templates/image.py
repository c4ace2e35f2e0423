"""References to container images."""

from __future__ import annotations

from dataclasses import dataclass

_HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image reference in its parts, as it is written: what is not written is empty.

    The text of a template that is not filled in yet (``${var.image_tag}``) may stand for any part.
    """

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """The parts of ``[registry/]repository[:tag][@digest]``; never fails."""
        rest, _, digest = text.partition("@")
        above, slash, last = rest.rpartition("/")
        base, _, tag = last.partition(":")
        name = f"{above}{slash}{base}"
        head, slash, repository = name.partition("/")
        if slash and ("." in head or ":" in head or head == "localhost"):
            return cls(head, repository, tag, digest)
        return cls("", name, tag, digest)

    def __str__(self) -> str:
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    @property
    def name(self) -> str:
        """The reference without tag and digest."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    @property
    def base(self) -> str:
        """The last part of the name: the image's short name."""
        return self.repository.rpartition("/")[2]

    @property
    def home(self) -> str:
        """What precedes the last part of the name: the registry, and the owner in it."""
        return self.name.rpartition("/")[0]

    @property
    def host(self) -> str:
        """The registry; Docker Hub's if none is written."""
        return self.registry or _HUB

    def is_same(self, other: ImageReference) -> bool:
        """Whether both name the same image, whatever their tags; Docker Hub may be written out or not."""
        return (self.host, self.repository) == (other.host, other.repository)
