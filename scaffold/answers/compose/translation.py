"""From a compose file to answers, with a report of what became of every key."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scaffold.answers.compose import document, documented, roles, sharing
from scaffold.answers.compose.container import Containers
from scaffold.answers.compose.document import Project
from scaffold.answers.compose.forms import text
from scaffold.answers.compose.fronts import tell_of_proxy
from scaffold.answers.compose.hosts import Hosts
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.memory import enough
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Became, Ledger, Report, Unseen
from scaffold.answers.compose.roles import Placed, Role, service_name
from scaffold.answers.compose.services import parts
from scaffold.answers.compose.shared import fixed_name, tell_of_database, tell_of_number, tell_of_redis
from scaffold.answers.compose.storage import Storage, dumped, server_port
from scaffold.answers.compose.unseen import unseen
from scaffold.answers.compose.variables import Environment, Variables
from scaffold.answers.compose.web import health, tile
from scaffold.answers.known import known
from scaffold.reading import mapping
from scaffold.templates import template
from scaffold.templates.questions import Value, applies, asked, types


@dataclass(frozen=True, slots=True)
class Draft:
    """What a compose file says about one Service, and what became of each of its keys."""

    answers: Mapping[str, Value]
    report: Report
    from_source: bool = False
    """Whether the app is built, not pulled."""
    likely: tuple[str, ...] = ()
    """The services that are as likely the app as the one that was taken, that one first."""

    def beside(self, given: Mapping[str, Value]) -> Draft:
        """The same draft, without answers that conflict with the given ones, which take precedence."""
        together, known_ones = {**self.answers, **given}, asked()
        lost = [n for n in self.answers if n in known_ones and not applies(known_ones[n], together)]
        lost = [n for n in lost if n not in given and applies(known_ones[n], self.answers)]
        report = self.report.without(lost, "the answers that were given leave no place for it")
        kept = {name: value for name, value in self.answers.items() if name not in lost}
        return replace(self, answers=kept, report=report)


def translate(path: Path, service: str | None = None) -> Draft:
    """The answers that a compose file, or the one in a directory, gives for one Service.

    ``service`` is the one that is the app; otherwise it is the likeliest. Raises :class:`UsageError` for
    a file that is not a compose file, without a word of its content, and for a service that it does not have.
    """
    project = document.read(path)
    found = parts(project)
    choice = roles.choose(project, found, service)
    app = found[choice.candidates[0]]
    made = _Translation(project, app, roles.place(app, found))
    answers = made.answers()
    became = [Became(app.name, Role.APP.value, choice.why)]
    became += [Became(name, p.role.value, p.why) for name, p in made.placed.items() if p.role is not Role.APP]
    report = Report(project.source, tuple(became), made.ledger.whole(project.tree), made.unseen(answers))
    return Draft(answers, report, app.is_built, choice.candidates[: choice.likely])


_OF_JOBS = ("command", "args", "memory", "memory_request", "capabilities")
_OF_APPS = ("port", "ports", "health_path", "slow_start", "replicas", "ingress_options", "gpu", "tier",
            "shutdown_seconds", "scratch", "sidecars", "init_containers")  # fmt: skip
"""The answers of a scheduled app that belong to its job, and those that only an app that always runs has."""
_ANSWERS = {Role.SIDECAR: "sidecars", Role.INIT: "init_containers", Role.CRON: "cron_jobs",
            Role.WORKLOAD: "workloads"}  # fmt: skip


class _Translation:
    def __init__(self, project: Project, app: Part, placed: Mapping[str, Placed]) -> None:
        self.project = project
        self.app = app
        self.placed = placed
        self.ledger = Ledger()
        hosts = Hosts(placed)
        database = next((p.part.known for p in placed.values() if p.role is Role.DATABASE), None)
        self._database = database.database if database else ""
        self._variables = Variables(project, hosts, self.ledger, self._database)
        self._containers = Containers(hosts, self.ledger)
        moved = [p for p in placed.values() if p.role in (Role.DATABASE, Role.HOST)]
        # Named volumes alone: an example often gives one directory of the machine for several things.
        mounted = [(its, by) for by in moved for its in by.part.mounts if its.kind == "volume"]
        others = {its.source: by for its, by in mounted if its.source and UNKNOWN not in its.source}
        self._storage = Storage(project, self.ledger, others)
        self._may_be_filled: list[sharing.Emptied] = []
        self._sharing = self._with_the_ports()
        # The usual memory of a container beside the app is too little for another run of the app itself.
        self._usual = app.of_image.answers.get("memory") or asked()["memory"].default
        self._of_app = {"memory": self._containers.resources(app).get("memory") or self._usual}

    def answers(self) -> dict[str, Value]:
        """The answers; what becomes of each key is taken down in the ledger."""
        self._elsewhere()
        for placed in self.placed.values():
            self._containers.network(placed.part)
        app, containers, storage = self.app, self._containers, self._storage
        env = self._variables.read(app)
        image = containers.image(app)
        named: dict[str, Value] = {"image": image} if image else {}
        ports = containers.ports(app, self._sharing)
        documented.tell_directories(app, storage.of_app(app), self.ledger)
        storage.configs(app, env.files)
        storage.scratch(app)
        beside = [self._beside(placed, env) for placed in self._in_pod(Role.SIDECAR)]
        first = [self._beside(placed, env) for placed in self._in_pod(Role.INIT)]
        jobs = [self._beside(placed, env) for placed in self._in_pod(Role.CRON)]
        apart = [self._beside(placed, env) for placed in self._in_pod(Role.WORKLOAD)]
        for placed in self._in_pod(Role.DATABASE):
            tell_of_database(placed, env.database, env.plain, self.ledger)
        others = [item.get("env", {}) for item in (*beside, *first, *jobs, *apart)]
        given = {name: value for its in (*others, env.plain) for name, value in its.items()}
        tell_of_redis(self.placed.values(), self.ledger)
        tell_of_number(self.placed.values(), given, self.ledger)
        self._tops()
        shares = all(volume.get("rwx") or volume.get("read_only") for volume in storage.volumes)
        found: dict[str, Value] = {
            **self._name(image), **tile(app, named, self.ledger), **named, **ports, **containers.command(app),
            "volumes": storage.volumes, "env": env.plain, "secrets": env.secrets, **self._of_database(env),
            **health(app, ports.get("port"), self.ledger), **containers.user(app),
            **enough(app, containers.resources(app), self._usual, self.ledger),
            **containers.gpu(app), **containers.capabilities(app),
            **containers.replicas(app, shares=shares), **containers.shutdown(app),
            "files": env.files, "directories": storage.directories, "scratch": storage.empty,
            "sidecars": beside, "init_containers": first, "cron_jobs": jobs,
            "workloads": apart,
        }  # fmt: skip
        found = self._as_jobs(found) if app.schedule[0] else found
        return {
            name: value for name, value in found.items() if value not in ([], {}) or name == "database_env"
        }

    def unseen(self, answers: Mapping[str, Value]) -> tuple[Unseen, ...]:
        """What the file does not show of the images in the pod."""
        return tuple(unseen(self._pod(), self._may_be_filled, answers, self.ledger))

    def _as_jobs(self, found: Mapping[str, Value]) -> dict[str, Value]:
        """The answers if the app runs on a schedule: a Service with only jobs, the app as the first."""
        schedule, timezone = self.app.schedule
        own = {key: found[key] for key in _OF_JOBS if found.get(key)}
        zone = {"timezone": timezone} if timezone else {}
        inherits = {"inherits": True} if found["volumes"] else {}
        job = {"name": found.get("name", "job"), "schedule": schedule, **zone, **inherits, **own}
        self.ledger.taken((*self.app.at, self.app.scheduled_by), "cron_jobs")
        self.ledger.withdraw(
            _OF_APPS, "what only runs at set times has none", "Say shape, if it runs always."
        )
        kept = {key: value for key, value in found.items() if key not in (*_OF_JOBS, *_OF_APPS)}
        return {**kept, "shape": "jobs", "cron_jobs": [job, *found["cron_jobs"]]}

    def _with_the_ports(self) -> list[Part]:
        """The services whose ports are the app's: those on the same network, else the one in front of it."""
        app = self.app
        beside = [placed.part for placed in self.placed.values() if placed.part is not app]
        same = [part for part in beside if part.network == app.name or app.network == part.name]
        if any(port.protocol == "TCP" and port.published for part in (app, *same) for port in part.ports):
            return same
        in_pod = [placed.part for placed in self._in_pod(Role.SIDECAR)]
        fronts = [p for p in in_pod if p.is_front and (p.ports or (p.listens and app.name in p.needs))]
        return [*same, *[part for part in fronts if part not in same][:1]]

    def _in_pod(self, role: Role) -> list[Placed]:
        return [placed for placed in self.placed.values() if placed.role is role]

    def _pod(self) -> list[Part]:
        """The services that run in one pod all the time."""
        return [self.app, *[placed.part for placed in self._in_pod(Role.SIDECAR)]]

    def _name(self, image: str) -> dict[str, Value]:
        """The Service's name: that of the container or the service, unless that says nothing about it."""
        nothing = template.facts("images")["says_nothing"]
        for key, said in (("container_name", text(self.app.body.get("container_name"))), ("", self.app.name)):
            words = service_name(said).split("-")
            while len(words) > 1 and words[-1] in nothing:
                words.pop()
            if words[0] and not set(words) <= set(nothing):
                if key:
                    self.ledger.taken((*self.app.at, key), "name")
                return {"name": "-".join(words)}
        called = (
            known({"image": image}).proposed.get("name")
            if image
            else service_name(self.project.called(nothing))
        )
        called = called or service_name(self.app.name)
        return {"name": called} if called else {}

    def _of_database(self, env: Environment) -> dict[str, Value]:
        if not self._database:
            return {}
        name = env.database_name
        if env.database and not {"name", "dsn"} & env.database.keys():
            name = name or next((fixed_name(found.part) for found in self._in_pod(Role.DATABASE)), "")
        called = {"database_name": name} if name else {}
        return {"database": self._database, **called, "database_env": env.database}

    def _beside(self, placed: Placed, env: Environment) -> dict[str, Value]:
        """A sidecar, an init container or a CronJob. Its secrets are added to the app's."""
        part = placed.part
        name = service_name(part.name) or "beside"
        of = f"{_ANSWERS[placed.role]}.{name}."
        containers = replace(self._containers, of=of)
        own = not part.is_like(self.app)
        usual = types()[_ANSWERS[placed.role]]["items"]["properties"]["memory"]["default"]
        memory = containers.resources(part)
        if "memory" not in memory:
            memory |= (containers.needed(part) if part.is_pulled else {}) if own else self._of_app
        image = containers.image(part) if own else ""
        if not own and part.body.get("image"):
            self.ledger.taken((*part.at, "image"), f"{of}image", "left out there, since it is the app's")
        mounts = [*self._storage.of_container(part), *self._storage.scratch(part, in_app=False)]
        mounts = mounts if own or not self._inherited(mounts) else []
        # A container of the pod that names its volumes gets those, and not the files.
        gets_files = not mounts or placed.role is Role.CRON
        its = self._variables.read(part, f"{of}env", None if own else env)
        configs = gets_files and self._storage.configs(part, env.files)
        if not gets_files:
            sharing.tell_own_files(part, self._storage, self.ledger)
            mounts += self._storage.own_configs(part, env.files)
            mounts += self._storage.own_secrets(part, its.files, env.files)
        env.secrets += [secret for secret in its.secrets if secret not in env.secrets]
        env.files += [file for file in its.files if file not in env.files]
        env.database = {**its.database, **env.database}
        inherits = own and bool(its.secrets or its.database or its.files or configs)
        found: dict[str, Value] = {
            "name": name, **({"image": image} if image else {}), **containers.command(part),
            **({"inherits": True} if inherits else {}),
            "env": {**(containers.steady(part) if image else {}), **its.plain},
            **containers.capabilities(part),
            **{key: value for key, value in containers.user(part).items() if key == "uid"},
            "mounts": dumped(part, mounts, self._storage),
            **enough(part, memory, usual, self.ledger),
            "ports": (self._ports(placed) or server_port(part)) if placed.role is Role.SIDECAR else [],
        }  # fmt: skip
        if placed.role is Role.WORKLOAD:
            found |= {**containers.replicas(part, shares=True), **containers.shutdown(part)}
        if placed.role is Role.CRON:
            found["schedule"], found["timezone"] = part.schedule
            self.ledger.taken((*part.at, part.scheduled_by), f"{of}schedule")
        return {key: value for key, value in found.items() if value not in ([], {}, "")}

    def _inherited(self, mounts: list[Value]) -> bool:
        """Whether the app mounts all of these volumes at the same paths."""
        of_app = {(v.get("purpose", "data"), v["path"]) for v in self._storage.volumes if "in_app" not in v}
        return all((mount["volume"], mount["path"]) in of_app for mount in mounts)

    def _ports(self, placed: Placed) -> list[Value]:
        """The ports of a sidecar, unless its ports are the app's."""
        part = placed.part
        if part in self._sharing:
            return []
        for key in ("ports", "expose"):
            if part.body.get(key):
                self.ledger.taken((*part.at, key), f"sidecars.{part.name}.ports")
        return [
            {"name": f"{protocol.lower()}-{number}", "port": number, "protocol": protocol}
            for protocol, number in dict.fromkeys((port.protocol, port.target) for port in part.ports)
            if protocol in ("TCP", "UDP")
        ]

    def _elsewhere(self) -> None:
        """What becomes of services that are not containers of this Service, and of files that are named."""
        for at, why in self.project.unread.items():
            self.ledger.left(at, why, "Give one file with all of it.")
        for at in self.project.followed:
            self.ledger.decided(at, "what it names is read with the file")
        for placed in self.placed.values():
            part, at = placed.part, placed.part.at
            if placed.role in (Role.HOST, Role.HOUSE):
                tell_of_proxy(placed, self._pod(), self._storage, self.ledger)
            elif placed.role is Role.OWN:
                called = service_name(part.name) or "NAME"
                again = ["scaffold", "new-service", "--from-compose", self.project.source]
                again += ["--compose-service", part.name]
                port = next((p.target for p in part.ports if p.protocol == "TCP"), 0)
                again += [f"--set=name={called}", *([f"--set=service_port={port}"] if port else [])]
                self.ledger.left(
                    at, f"it is a Service of its own, since {placed.why}", f"Make it: {shlex.join(again)}"
                )
            elif placed.role is Role.OUT:
                self.ledger.left(at, placed.why, placed.fix)

    def _tops(self) -> None:
        """What becomes of top-level volumes, secrets, configs and networks."""
        volumes = mapping(self.project.top.get("volumes"))
        likely, self._may_be_filled = sharing.emptied(volumes, self._pod(), self._storage)
        sharing.tell_if_empty(likely, self.app, self.ledger)
        for key in ("volumes", "secrets", "configs", "networks"):
            for name in mapping(self.project.top.get(key)):
                self.ledger.decided((key, name), "the services that name it say what becomes of it")
