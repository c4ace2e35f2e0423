"""What it reads: files at their paths, and ConfigMaps and Secrets that are mounted whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.adoption.inferred import RECORDED, STOOD, Inferred, found, renamed
from scaffold.adoption.reading import first, known, text
from scaffold.adoption.standing import Standing
from scaffold.adoption.storage import POD_VOLUME, WRITABLE, mounts_of, reader
from scaffold.adoption.volume_book import source_of
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Tree, get

_USUAL_MODE = "0644"


def directories(stack: Standing) -> Iterator[Inferred]:
    """ConfigMaps and Secrets that are mounted whole."""
    written, own = _written_here(stack), own_directories(stack)
    resource, copies = reader(stack), set[tuple[str, str]]()
    for name, volume in stack.volumes.directories.items():
        if resource is None or name == written:
            continue
        config_map, secret = source_of(volume) if name not in own else ("", "")
        mode = text(volume, "secret" if secret else "config_map", 0, "default_mode")
        mounts = mounts_of(stack, stack.app, stack.container)
        path = next((m["path"] for m in mounts if m["volume"] == name), "")
        item = {"name": name, "path": path or f"/{name}", "config_map": config_map, "secret": secret}
        item |= {"mode": "" if mode == _USUAL_MODE else mode}
        if (config_map, secret) not in copies:  # the first one says where it is copied from
            copies.add((config_map, secret))
            item |= _copied(stack, secret, config_map)
        hidden = {"in_app": False} if stack.app and not path else {}
        yield found("directories", [known(item) | hidden], resource, f'{POD_VOLUME}["{name}"]')


def _copied(stack: Standing, secret: str, config_map: str) -> dict[str, Value]:
    """What the stack copies it from, if it does."""
    kind = "secret" if secret else "config_map"
    made = (one for one in k8s.of_kind(stack.own, kind) if k8s.name(one) == (secret or config_map))
    source = next((stack.written.copied(one.site, kind) for one in made), "")
    return {"copied_from": source, "reason": STOOD if source and secret else ""}


def own_directories(stack: Standing) -> frozenset[str]:
    """The directories with the files of the answers: whoever has those files has the directories."""
    written = _written_here(stack)
    volumes = k8s.items(stack.runs.spec, "volume") if stack.runs else ()
    own = [source_of(volume) for volume in volumes if get(volume, "name") == written]
    return frozenset(name for name, one in stack.volumes.directories.items() if source_of(one) in own)


def files(stack: Standing) -> Iterator[Inferred]:
    """Files from a ConfigMap or a Secret, each at its path."""
    if stack.runs is None:
        return
    owner = stack.runs.owner
    mounts = k8s.items(stack.container, "volume_mount")
    written = _written_here(stack)
    for volume in k8s.items(stack.runs.spec, "volume"):
        config_map, secret = first(volume, "config_map"), first(volume, "secret")
        name = text(volume, "name")
        at = f'{POD_VOLUME}["{name}"]'
        # Only what answers write themselves is copied to where the app may write to it.
        own = (name, WRITABLE) if name == written else (name,)
        its = [mount for mount in mounts if get(mount, "name") in own]
        if name == written:
            yield from _only_in_a_directory(stack, volume, {text(mount, "sub_path") for mount in its})
        for mount in its:
            path, key = text(mount, "mount_path"), text(mount, "sub_path")
            writable = {"writable": True} if get(mount, "name") == WRITABLE else {}
            if secret is not None and key:
                yield found("files", [_of_secret(stack, text(secret, "secret_name"), path, key)], owner, at)
            elif config_map is not None and name == written:
                yield from _with_content(stack, volume, path, key, writable)
            elif config_map is not None and key:
                there = text(config_map, "name")
                yield found("files", [known({"path": path, "config_map": there, "key": key})], owner, at)
                usual = f"{there.replace('.', '-')[:56]}-config"
                yield from renamed(owner, name, usual, "file_volumes", there, attribute=at)


def config_maps(stack: Standing) -> Iterator[Inferred]:
    """ConfigMaps whose contents Terraform leaves to whatever writes them."""
    for name, resource in stack.config_maps.items():
        if ("data",) in resource.site.ignored:
            data = {key: text(value) for key, value in k8s.mapping(resource.get("data")).items()}
            yield found("config_maps", [known({"name": name, "data": data})], resource, "lifecycle")


def _written_here(stack: Standing) -> str:
    """The volume of the ConfigMap that answers write: the largest of those defined here with known contents.

    One of which single keys are mounted goes before one that is mounted whole.
    """
    sizes = {}
    mounts = k8s.items(stack.container, "volume_mount")
    mounted = {text(mount, "name") for mount in mounts}
    single = {text(mount, "name") for mount in mounts if get(mount, "sub_path")}
    volumes = k8s.items(stack.runs.spec, "volume") if stack.runs else ()
    called = {text(volume, "name") for volume in volumes}
    for volume in volumes:
        name, label = text(volume, "config_map", 0, "name"), text(volume, "name")
        data = k8s.mapping(stack.config_maps[name].get("data")) if name in stack.config_maps else {}
        by_reference = f"{name}-config" in called
        in_app = label in mounted or WRITABLE in mounted
        known_ = all(isinstance(content, str) for content in data.values())
        if data and in_app and known_ and not by_reference:
            sizes[label] = len(data), label in single
    return max(sizes, key=lambda name: sizes[name], default="")


def _only_in_a_directory(stack: Standing, volume: Tree, mounted: set[str]) -> Iterator[Inferred]:
    """The files of that ConfigMap that exist only because directories contain them."""
    apps = {mount["volume"]: text(mount["path"]) for mount in mounts_of(stack, stack.app, stack.container)}
    places = {
        name: apps.get(name, f"/{name}")
        for name in sorted(own_directories(stack), key=lambda n: n not in apps)
    }
    if not places or "" in mounted:
        return
    taken: dict[str, str] = {}
    for pods in k8s.pod_templates(stack.own):
        for container in pods.containers():
            its = (mount for mount in mounts_of(stack, pods, container) if mount["volume"] in places)
            taken |= {text(mount.get("sub_path", "")): places[text(mount["volume"])] for mount in its}
    data = k8s.mapping(stack.config_maps[text(volume, "config_map", 0, "name")].get("data"))
    for key in sorted(data.keys() - mounted):
        place = taken.get(key, next(iter(places.values())))
        yield from _with_content(stack, volume, f"{place.rstrip('/')}/{key}", key, {})


def _with_content(
    stack: Standing, volume: Tree, path: str, key: str, more: Mapping[str, Value]
) -> Iterator[Inferred]:
    """The files of the ConfigMap that answers write, each with its content and its key."""
    name = text(volume, "config_map", 0, "name")
    made = stack.config_maps[name]
    data = k8s.mapping(made.get("data"))
    names: dict[str, Value] = {"files": name, "files_volume": text(volume, "name")}
    if not key:
        yield found("directories", [{"name": names["files_volume"], "path": path}], made, "metadata[0].name")
    for one in [key] if key else data:
        place = path if key else f"{path.rstrip('/')}/{one}"
        yield found("files", [{"path": place, "content": data.get(one), **more}], made, f'data["{one}"]')
        yield found(RECORDED, {"names": {**names, "file_keys": {place: one}}}, made, "metadata[0].name")


def _of_secret(stack: Standing, name: str, path: str, key: str) -> dict[str, Value]:
    place = stack.secrets.own[name].place(key) if name in stack.secrets.own else None
    if place and place[0] == stack.called:
        return {"path": path, "vault": place[1]}
    return known({"path": path, "secret": name, "key": key if key != path.rpartition("/")[2] else ""})
