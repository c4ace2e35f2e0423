"""What one container runs, from its service: image, command, resources, user, ports and health."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from scaffold.answers.compose import facts, memory
from scaffold.answers.compose.forms import mebibytes, ports, quantity, seconds, text, words
from scaffold.answers.compose.hosts import Hosts
from scaffold.answers.compose.interpolation import UNKNOWN, lacking
from scaffold.answers.compose.names import options
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.web import may_have_tls, open_ports, tells_tls, tls_of_labels, web_port
from scaffold.answers.sources import Path
from scaffold.reading import listed, mapping
from scaffold.templates.decisions import suspected
from scaffold.templates.questions import Value

_REPLICAS = 5
_ENDS = (
    "it ends by itself, and Kubernetes waits longer each time before it starts it again: leave that out, or "
    "repeat it in a loop"
)
_SHUTDOWN = 30  # the seconds that Kubernetes gives a pod to stop
_LONGEST_SHUTDOWN = 3600
_NO_TLS = ", without the TLS that labels of the file add: let the app offer TLS itself, at a port of its own"
_RANGE = (
    "Give those that the app cannot do without under ports; many apps need fewer, by their documentation."
)


@dataclass(frozen=True, slots=True)
class Containers:
    """Reads what containers run, and takes down what becomes of each key."""

    hosts: Hosts
    ledger: Ledger
    of: str = ""
    """The answer that a container beside the app's is an item of, with its name: ``sidecars.worker.``."""

    def _taken(self, path: Path, answer: str, why: str = "") -> None:
        self.ledger.taken(path, f"{self.of}{answer}", why)

    def image(self, part: Part) -> str:
        """The image with its registry written out; empty if it is built, or a variable stands for it.

        An image that is built under the name of a published one may be pulled by that name; this is reported.
        """
        at = (*part.at, "image")
        if not part.body.get("image"):
            return ""
        image = str(part.image)
        if not part.image.repository:
            self.ledger.left(at)
            return ""
        if part.is_built:
            self.ledger.left(
                at,
                "it is only the name of the image that is built here",
                "If the project publishes images, give that as image, and build upstream.",
            )
            return ""
        why = "" if UNKNOWN not in str(part.body["image"]) else "without its tag, which a variable stands for"
        if not why and part.body.get("build"):
            why = "the file builds it as well: give the tag of a release that its registry has"
        self._taken(at, "image", why)
        return image

    def command(self, part: Part) -> dict[str, Value]:
        """``command`` and ``args``, which compose calls entrypoint and command."""
        found: dict[str, Value] = {}
        for key, answer in (("entrypoint", "command"), ("command", "args")):
            said = words(part.body.get(key))
            if not said:
                continue
            if any(suspected([("", word) for word in [*said, " ".join(said)]])):
                self.ledger.left(
                    (*part.at, key), "it holds a secret", f"Give {answer} with a variable in its place."
                )
                continue
            rewritten = [self.hosts.rewritten(word) for word in options(said)]
            gone = next((r for r in rewritten if r.gone or not isinstance(r.value, str)), None)
            if any(UNKNOWN in word for word in said):
                self.ledger.left((*part.at, key), *lacking(part.body[key], answer))
            elif not all(said):
                self.ledger.left((*part.at, key))
            elif gone is not None:
                fix = f"Give {answer} with the host that stands for it."
                self.ledger.left((*part.at, key), f"it names the service {gone.of}, which is elsewhere", fix)
            else:
                found[answer] = [str(r.value) for r in rewritten]
                moved = dict.fromkeys(f"the service {r.of} is at {r.where}" for r in rewritten if r.of)
                told = [" and ".join(moved)] if moved else []
                ends = re.search(facts()["ends"], " ".join(said))
                if ends and self.of.startswith(("sidecars.", "workloads.")):
                    told.append(f"with {ends[0].strip()} {_ENDS}")
                self._taken((*part.at, key), answer, "; ".join(told))
        return found

    def resources(self, part: Part) -> dict[str, Value]:
        """Memory; there is no CPU limit in the house."""
        deploy: Path = (*part.at, "deploy", "resources")
        its = mapping(mapping(part.body.get("deploy")).get("resources"))
        limits, reserved = mapping(its.get("limits")), mapping(its.get("reservations"))
        needs = memory.needed(part)
        found: dict[str, Value] = {}
        for answer, at, value in (
            ("memory", (*deploy, "limits", "memory"), limits.get("memory")),
            ("memory", (*part.at, "mem_limit"), part.body.get("mem_limit")),
            ("memory_request", (*deploy, "reservations", "memory"), reserved.get("memory")),
            ("memory_request", (*part.at, "mem_reservation"), part.body.get("mem_reservation")),
        ):
            size = quantity(value)
            if value is None:
                continue
            if answer in found:
                self.ledger.decided(at, "deploy says it too, and takes precedence")
            elif not size:
                self.ledger.left(at, "it cannot be read", f"Give {answer}.")
            elif answer == "memory_request" and (mebibytes(size) or 0) >= (
                mebibytes(found.get("memory")) or needs
            ):
                found.setdefault("memory", size)
                self._taken(at, "memory", "what is requested is the limit")
            else:
                found[answer] = size
                self._taken(at, answer)
        for side, said in (("limits", limits), ("reservations", reserved)):
            if "cpus" in said:
                self.ledger.decided((*deploy, side, "cpus"), "there is no CPU limit in this house")
        return found

    def needed(self, part: Part) -> dict[str, Value]:
        """The least memory that a companion needs, if the file gives none and its program takes no more."""
        sizes = facts()["companion_memory"]
        size = next((size for size, images in sizes.items() if part.image.base in images), "")
        why = f"with {size} of memory, which it needs at least by its documentation"
        if part.known and part.known.memory:
            size = part.known.memory
            why = f"with {size} of memory, since a database server seldom runs with what is usual here"
        if (mebibytes(size) or 0) < (memory.needed(part) or 1):
            return {}
        self._taken((*part.at, "image"), "image", why)
        return {"memory": size}

    def steady(self, part: Part) -> dict[str, str]:
        """The variables without which a companion would not find its data again in the next pod."""
        env: Mapping[str, str] = facts()["companion_env"].get(part.image.base, {})
        if not env or not part.mounts or not env.keys().isdisjoint(part.variables):
            return {}
        why = (
            f"with {' and '.join(env)}, since its data bears the name of its host, which changes with the pod"
        )
        self.ledger.noted((*part.at, "image"), why)
        return dict(env)

    def gpu(self, part: Part) -> dict[str, Value]:
        """Whether it asks for a GPU."""
        deploy = mapping(mapping(part.body.get("deploy")).get("resources"))
        devices = listed(mapping(deploy.get("reservations")).get("devices"))
        at: Path = (*part.at, "deploy", "resources", "reservations", "devices")
        if any("gpu" in listed(mapping(device).get("capabilities")) for device in devices):
            self._taken(at, "gpu")
        elif part.body.get("gpus"):
            self._taken((*part.at, "gpus"), "gpu")
        elif text(part.body.get("runtime")) == "nvidia":
            self._taken((*part.at, "runtime"), "gpu")
        else:
            if devices:
                self.ledger.left(at, "there is no such device in the cluster", "Ask for gpu.")
            return {}
        return {"gpu": 1, "tier": "gpu"}

    def network(self, part: Part) -> None:
        """Whether it asks for the node's network, which no pod gets."""
        if text(part.body.get("network_mode")) == "host":
            fix = "Name what it listens on under ports, and open it with load_balancer."
            self.ledger.left((*part.at, "network_mode"), "a pod has a network of its own", fix)

    def user(self, part: Part) -> dict[str, Value]:
        """The numeric IDs of its user and group."""
        at = (*part.at, "user")
        said = text(part.body.get("user"))
        user, _, group = said.partition(":")
        if not said:
            return {}
        if user in ("0", "root"):
            if self.of:
                self._taken(at, "uid")
                return {"uid": 0}
            fix = "If that is another one, give its number as the owner of each volume."
            self.ledger.left(at, "no answer makes an app root: it starts as the user of its image", fix)
            return {}
        if not re.fullmatch(r"[1-9]\d{0,8}", user):
            return {}
        self._taken(at, "uid")
        groups = {"fs_group": int(group)} if re.fullmatch(r"[1-9]\d{0,8}", group) and group != user else {}
        return {"uid": int(user), **groups}

    def capabilities(self, part: Part) -> dict[str, Value]:
        """The capabilities that it adds, without those that admission denies."""
        found: list[str] = []
        for at, item in part.items("cap_add"):
            name = text(item).upper().removeprefix("CAP_")
            if re.fullmatch(r"(?!ALL$|SYS_ADMIN$)[A-Z][A-Z_]{1,30}", name):
                self._taken(at, "capabilities")
                found += [name] if name not in found else []
            else:
                self.ledger.left(at)
        return {"capabilities": found} if found else {}

    def replicas(self, part: Part, *, shares: bool) -> dict[str, Value]:
        """How many pods run: several only if ``shares`` says that no volume belongs to one pod alone."""
        deploy = mapping(part.body.get("deploy"))
        for at, value in (
            ((*part.at, "deploy", "replicas"), deploy.get("replicas")),
            ((*part.at, "scale"), part.body.get("scale")),
        ):
            said = text(value)
            if not said.isdecimal():
                continue
            if int(said) > 1 and not shares:
                self.ledger.left(
                    at, "only one pod can have its volumes", "Give rwx for them first, then replicas."
                )
            elif int(said) <= _REPLICAS:
                self._taken(at, "replicas")
                return {"replicas": int(said)} if int(said) > 1 else {}
            else:
                self.ledger.left(at, f"a Service has at most {_REPLICAS}", "Give replicas.")
        return {}

    def shutdown(self, part: Part) -> dict[str, Value]:
        """How long it has to stop, if that is more than Kubernetes gives anyway."""
        given = math.ceil(seconds(part.body.get("stop_grace_period")))
        if not _SHUTDOWN < given <= _LONGEST_SHUTDOWN:
            return {}
        self._taken((*part.at, "stop_grace_period"), "shutdown_seconds")
        return {"shutdown_seconds": given}

    def ports(self, part: Part, sharing: list[Part]) -> dict[str, Value]:
        """The HTTP port and the others. ``sharing`` are services on the same network."""
        told: list[tuple[Path, str, int]] = []
        for of in (part, *sharing):
            for key, published in (("ports", True), ("expose", False)):
                for at, item in of.items(key):
                    its = list(ports(item, published=published))
                    told += [(at, port.protocol, port.target) for port in its]
                    if not its and re.search(r"\d-\d+(/\w+)?$", str(item)):
                        self.ledger.left(at, "so many ports are not taken one by one", _RANGE)
        of_host = [row for row in told if "ports" in row[0]]
        opened, numbers = dict(open_ports(part)), {number for _, _, number in told}
        told += [((*part.at, "labels"), opened[number], number) for number in opened.keys() - numbers]
        ahead = next((other for other in sharing if other.is_front and part.name in other.needs), None)
        if ahead and ahead.listens and not of_host:
            if not ahead.ports:
                told += [((*ahead.at, "ports"), "TCP", number) for number in sorted(ahead.listens)]
            of_host = [row for row in told if row[0][1] == ahead.name]
        usable = of_host or told
        web, why = web_port(part, [number for _, protocol, number in usable if protocol == "TCP"])
        found: dict[str, Value] = {"port": web} if web else {}
        if web and (said := next(tells_tls(part, web), "")):
            found["ingress_options"] = {"backend_protocol": "HTTPS"}
            why = f"with TLS (ingress_options.backend_protocol), since {said}"
            if web not in {number for _, _, number in told} and (*part.at, "image") in self.ledger.entries:
                self.ledger.noted((*part.at, "image"), f"its port is {web}, {why}")
        elif web:
            tcp = {number for _, protocol, number in usable if protocol == "TCP"}
            why = "; ".join(filter(None, (why, may_have_tls(part, tcp))))
        further: dict[tuple[str, int], Value] = {}
        on_network = "load_balancer opens it to the network"
        by_label = f"{on_network}{_NO_TLS if tls_of_labels(part) else ' as a label of the file does'}"
        for at, protocol, number in told:
            if (protocol, number) == ("TCP", web):
                through = (
                    f"visitors reach the app through {ahead.name}" if ahead and at[1] == ahead.name else ""
                )
                self._taken(at, "port", "; ".join(filter(None, (through, why))))
            elif "expose" in at and of_host and number not in opened:
                self.ledger.decided(at)
            elif (protocol, number) == ("TCP", 443):
                self.ledger.decided(at, "TLS ends at the ingress")
            elif protocol in ("TCP", "UDP"):
                name = f"{protocol.lower()}-{number}"
                more = {"protocol": "UDP"} if protocol == "UDP" else {}
                further[(protocol, number)] = {"name": name, "port": number, **more}
                opens = f"for the cluster; {by_label if number in opened else on_network}"
                self._taken(at, f"ports.{name}", opens)
            else:
                self.ledger.left(at, f"there are no ports of {protocol}", "Do without.")
        return {**found, **({"ports": list(further.values())} if further else {})}
