"""What the Service stores: volumes and their backups, and directories that need not survive."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from scaffold.adoption.inferred import RECORDED, Certainty, Inferred, found
from scaffold.adoption.reading import known, number, text, texts
from scaffold.adoption.standing import Standing
from scaffold.adoption.volume_book import DUMPS, Volume, saves
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

POD_VOLUME = "spec[0].template[0].spec[0].volume"
_SAVED = {"No backup:": "none", "No dump:": "files"}
"""How a volume is backed up if a comment above it says why in no other way."""
_KEPT = re.compile(r"-mtime \+(\d+)")
_COPY = "copy_"
_CHECKED = "suggests a wrong database"
"""What the script of a dump prints if the dump is empty."""
OWNS = "own-"
"""The name of the init container that gives a volume to the app's user."""
WRITABLE = "writable-files"
"""What a pod calls the copies of files that the app may write to."""


def volumes(stack: Standing) -> Iterator[Inferred]:
    """The claims that its pods mount; existing ones keep their name and class."""
    saved = dict(_saved(stack))
    for volume in stack.volumes.claims.values():
        resource = volume.made or reader(stack)
        if resource is None:
            continue
        item = {"purpose": volume.purpose, **_mounted(stack, volume), **_kind(stack, volume)}
        item |= {"owner": _owner(stack, volume)}
        how, said = saved.get(volume.purpose, saved.get(volume.claim, {})), _unsaved(stack, volume)
        if "dump" in how and stack.app and "in_app" not in item:
            item["in_app"] = True  # usually, only the server has it
        item |= how | (said if not how or how.get("backup") == said.get("backup") else {})
        yield found("volumes", [known(item)], resource, "spec[0]")
        yield found(
            RECORDED, {"volumes": {volume.purpose: _recorded(stack, volume)}}, resource, "metadata[0].name"
        )


def reader(stack: Standing) -> PlannedResource | None:
    """The resource that stands for whatever uses the stack: its Deployment, else its first resource."""
    return stack.app.owner if stack.app else next(iter(stack.own), None)


def _mounted(stack: Standing, volume: Volume) -> dict[str, Value]:
    """Where the app mounts a volume; one that it does not mount is for others."""
    mounts = [m for m in mounts_of(stack, stack.app, stack.container) if m["volume"] == volume.purpose]
    if not mounts:
        others = (
            mount
            for p in k8s.pod_templates(stack.own)
            for c in p.containers()
            for mount in mounts_of(stack, p, c)
        )
        there = next((m["path"] for m in others if m["volume"] == volume.purpose), f"/{volume.purpose}")
        return {"path": there, **({"in_app": False} if stack.app else {})}
    first_, *more = [{k: v for k, v in mount.items() if k != "volume"} for mount in mounts]
    return {**first_, "mounts": more}


def mounts_of(stack: Standing, pods: k8s.PodTemplate | None, container: Tree) -> list[dict[str, Value]]:
    """What a container mounts of the volumes and directories that answers name."""
    spec = pods.spec if pods else None
    called = {text(v, "name"): stack.volumes.called(v) for v in k8s.items(spec, "volume")}
    return [
        known({
            "volume": called[text(mount, "name")],
            "path": text(mount, "mount_path"),
            "sub_path": text(mount, "sub_path"),
            "read_only": get(mount, "read_only") is True or None,
        })
        for mount in k8s.items(container, "volume_mount")
        if called.get(text(mount, "name"))
    ]  # fmt: skip


def _owner(stack: Standing, volume: Volume) -> int | None:
    """The user that an init container gives a volume to before the app starts."""
    for container in k8s.items(stack.app.spec, "init_container") if stack.app else ():
        words = texts(container, "command")
        if get(container, "name") == f"{OWNS}{volume.purpose}" and words[:2] == ["chown", "-R"]:
            return number(words[2].partition(":")[0])
    return None


def _kind(stack: Standing, volume: Volume) -> dict[str, Value]:
    """A volume's class and size."""
    if volume.made is None:
        saved = any(volume.claim in pods.claimed() for pods in backups(stack))
        return {"claim": volume.claim, "rwx": not saved}
    spec = volume.made.get("spec", 0)
    size = text(spec, "resources", 0, "requests", "storage")
    if volume.on_nfs is not None:
        attributes = k8s.mapping(
            volume.on_nfs.get("spec", 0, "persistent_volume_source", 0, "csi", 0, "volume_attributes")
        )
        server = text(attributes.get("server"))
        if re.search(stack.facts["nfs_not_written"], server):
            server = ""  # the house's own, which a variable has
        return {"rwx": True, "size": size, "nfs_path": text(attributes.get("share")), "nfs_server": server}
    limit = k8s.ending(k8s.mapping(volume.made.get("metadata", 0, "annotations")), "/storage_limit")
    plain = get(spec, "storage_class_name") == stack.facts["storage_plain"]
    return {"size": size, "limit": text(limit), **({"sensitive": False} if plain else {})}


def _recorded(stack: Standing, volume: Volume) -> dict[str, Value]:
    if volume.made is None:
        return {"storage_class": "existing", "claim": volume.claim}
    kind = _kind(stack, volume)
    if volume.on_nfs is not None:
        return {"storage_class": "nfs", "claim": volume.claim, "nfs_path": kind["nfs_path"]}
    storage_class = text(volume.made.get("spec", 0, "storage_class_name"))
    return known({"storage_class": storage_class, "claim": volume.claim, "limit": kind["limit"]})


def _unsaved(stack: Standing, volume: Volume) -> dict[str, Value]:
    """The answer that a volume needs no backup, or no dump, if its comment says so."""
    for line in stack.written.above(volume.made.site) if volume.made is not None else ():
        for begin, backup in _SAVED.items():
            if line.startswith(begin) and (reason := line.removeprefix(begin).strip()):
                return {"backup": backup, "backup_reason": reason}
    return {}


# backups


def backups(stack: Standing) -> Iterator[k8s.PodTemplate]:
    """The jobs that back up its volumes."""
    return (pods for pods in k8s.pod_templates(k8s.of_kind(stack.own, "cron_job")) if saves(pods))


def _saved(stack: Standing) -> Iterator[tuple[str, dict[str, Value]]]:
    """How each volume is backed up: by purpose if the script is the template's, else by claim."""
    for pods in backups(stack):
        script = _script(pods)
        calls = [line for line in script.splitlines() if f"save {_COPY}" in line]
        for line in calls:
            words = shlex.split(line.replace(";", " ; "))
            form, purpose, *files = words[words.index("save") + 1 :]
            files = files[: files.index(";")] if ";" in files else files
            how = {"may_be_empty": words[0] == "if" or _unchecked(pods, purpose) or None}
            said = _form(stack, form.removeprefix(_COPY), files)
            dump = _dump(stack, _dumps(pods, purpose), said.get("backup"))
            yield purpose, known(said | dump | how)
        for claim in pods.claimed() if not calls else ():
            yield text(claim), {"embedded_database": "sqlite"} if "sqlite" in script else {}


def _unchecked(pods: k8s.PodTemplate, purpose: str) -> bool:
    """Whether a dump is kept even if it is empty, according to the init container that makes it."""
    return any(_CHECKED not in word for word in texts(_dumps(pods, purpose), "command")[2:])


def _dumps(pods: k8s.PodTemplate, purpose: str) -> Tree:
    """The init container that dumps the database of a volume."""
    inits = k8s.items(pods.spec, "init_container")
    return next((container for container in inits if get(container, "name") == f"{DUMPS}{purpose}"), None)


def _dump(stack: Standing, container: Tree, form: Value) -> dict[str, Value]:
    """How a database is reached for its dump, if its server is kept beside the stack."""
    if form not in stack.facts["dumps"]:
        return {}
    rows = {text(row, "name"): row for row in k8s.items(container, "env")}
    said = {part: rows.get(name) for part, name in stack.facts["dumps"][form]["variables"].items()}
    host = text(said["host"], "value")
    secret = get(said["password"], "value_from", 0, "secret_key_ref", 0)
    if not host or any(k8s.name(service) == host for service in k8s.of_kind(stack.own, "service")):
        return {}
    password = {"secret": text(secret, "name"), "key": text(secret, "key")}
    asked = {
        "host": host,
        "port": number(said["port"], "value"),
        **{part: text(said[part], "value") for part in ("user", "database")},
        "password": password if all(password.values()) else None,
        "image": text(container, "image"),
    }
    return {"dump": known(asked)}


def _form(stack: Standing, form: str, files: list[str]) -> dict[str, Value]:
    """How a volume is backed up, from the script's step for it and the files that the step names."""
    dumps = [name for name, row in stack.facts["dumps"].items() if files and files[0].endswith(row["suffix"])]
    if form == "dump":
        return {"backup": dumps[0]} if dumps else {}
    return {"backup": "files"} if form == "files" else {"embedded_database": "sqlite", "sqlite_files": files}


def _script(pods: k8s.PodTemplate) -> str:
    words = (texts(c, part) for c in pods.containers() for part in ("command", "args"))
    return "\n".join(word for part in words for word in part)


def backup_job(stack: Standing) -> Iterator[Inferred]:
    """When its volumes are backed up, with which limits, and how long the backups are kept."""
    for pods in backups(stack):
        spec = pods.owner.get("spec", 0)
        job = get(spec, "job_template", 0, "spec", 0)
        kept = _KEPT.findall(_script(pods))
        limits = [text(c, "resources", 0, "limits", "memory") for c in pods.containers()]
        value = {
            "schedule": text(spec, "schedule"),
            "timezone": text(spec, "timezone"),
            "active_deadline_seconds": number(job, "active_deadline_seconds"),
            "retention_days": int(kept[-1]) if kept else None,
            "memory": limits[0] if len(set(limits)) == 1 else "",
        }
        yield found("backup_job", known(value), pods.owner, "spec[0]", Certainty.LIKELY)
        return


# what need not last, and files


def scratch(stack: Standing) -> Iterator[Inferred]:
    """Directories that need not survive a restart."""
    for name, directory in stack.volumes.scratch.items():
        if name != WRITABLE:
            mounts = mounts_of(stack, stack.app, stack.container)
            own = next(m for m in mounts if m["volume"] == name)
            item = {
                "name": name, "path": own["path"], "read_only": own.get("read_only") is True or None,
                "in_memory": get(directory, "medium") == "Memory" or None,
                "size_limit": text(directory, "size_limit"),
            }  # fmt: skip
            assert stack.app is not None
            yield found("scratch", [known(item)], stack.app.owner, f'{POD_VOLUME}["{name}"]')
