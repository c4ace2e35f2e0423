"""Whether rendered Dockerfiles build and start: their own commands, run without a container.

    .venv/bin/python benchmarks/dockerfiles.py [CASE…]

For each golden repository with a sample app in ``benchmarks/apps``, the stages are executed in order: COPY
with its ``.dockerignore``, ENV, WORKDIR, and every RUN in a shell. Then CMD is started as the image's user
(if we may), and the image's own HEALTHCHECK has to succeed. Absolute paths are below a scratch directory;
what the base image provides (Python, Node, Go, nginx) is this machine's. The tools create lock files
themselves, for which they ask package registries. A case whose tool is missing fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scaffold.pipelines.ignored import ignored_by_docker
from scaffold.templates import decisions

HERE = Path(__file__).parent
APPS = HERE / "apps"
GOLDEN = HERE.parent / "tests" / "golden_service"
TOPS = "app|build|frontend|server|venv|usr/share/nginx|etc/nginx"
"""What the Dockerfiles write below the root: the paths that are taken below the scratch directory."""
NGINX = """\
pid /tmp/nginx-scaffold.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
{temporary}
    include {conf}/conf.d/*.conf;
}}
"""

INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
"""The package index that pip asks where nothing else is configured."""


@dataclass
class Image:
    """A build under way: the files of the stage that is being built, its environment and its commands."""

    context: Path
    scratch: Path
    environment: dict[str, str]
    stage: str = ""
    directory: str = "/"
    user: int | None = None
    healthcheck: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    base: str = ""

    @property
    def root(self) -> Path:
        """The file system of the stage that is being built: one place, which each stage has in its turn."""
        return self.scratch / "root"

    def below(self, text: str) -> str:
        """A text with the image's absolute paths as paths of this machine."""
        return re.sub(rf"(?<![\w.:/-])/({TOPS})\b", rf"{self.root}/\1", text)

    def at(self, path: str) -> Path:
        """A path of the image as one of this machine."""
        absolute = path if path.startswith("/") else f"{self.directory.rstrip('/')}/{path}"
        return self.root / absolute.lstrip("/")


def build(image: Image, dockerfile: str, system: Path) -> None:
    """Go through the instructions of a Dockerfile. Raises ``CalledProcessError`` where a command fails."""
    for name, rest in instructions(dockerfile):
        if name == "FROM":
            _begin(image, rest.split(), system)
        elif name == "ENV":
            for pair in shlex.split(rest):
                key, _, value = pair.partition("=")
                image.environment[key] = image.below(_expanded(value, image.environment))
        elif name == "WORKDIR":
            image.directory = rest
            image.at(".").mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            _copy(image, rest)
        elif name == "RUN":
            command = ["sh", "-ec", image.below(rest)]
            subprocess.run(command, cwd=image.at("."), env=image.environment, check=True, stdout=sys.stderr)
        elif name == "USER":
            image.user = int(rest.split(":")[0])
        elif name == "HEALTHCHECK":
            image.healthcheck = json.loads(rest[rest.index("CMD") + 3 :])
        elif name == "CMD":
            image.command = [image.below(word) for word in json.loads(rest)]


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile, each in one line; a heredoc keeps its lines."""
    lines = iter(text.splitlines())
    for first in lines:
        if not first.strip() or first.startswith("#"):
            continue
        whole = first
        while whole.endswith("\\"):
            whole = whole.removesuffix("\\") + next(lines).strip()
        if heredoc := re.search(r"<<'(\w+)'", whole):
            whole = "\n".join([whole, *iter(lines.__next__, heredoc[1])])
        name, _, rest = whole.partition(" ")
        yield name, rest.strip()


def _begin(image: Image, words: list[str], system: Path) -> None:
    """Put the finished stage aside, and begin with an empty file system."""
    if image.root.exists():
        image.root.rename(image.scratch / image.stage)
    image.root.mkdir()
    image.root.chmod(0o755)
    image.stage = words[2] if len(words) > 2 else "last"
    image.base, image.directory, image.user = words[0], "/", None
    # Registries, proxies and certificates are this machine's; what an image sets itself is not.
    own = ("VIRTUAL_ENV", "NODE_ENV", "HOST", "PORT", "ORIGIN")
    image.environment = {key: value for key, value in os.environ.items() if key not in own}
    image.environment["PATH"] = f"{system}/bin:{os.environ['PATH']}"


def _copy(image: Image, rest: str) -> None:
    first, _, body = rest.partition("\n")
    words = first.split()
    if words[0].startswith("<<"):
        target = image.at(words[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(image.below(body) + "\n")
        return
    source = image.context
    if words[0].startswith("--from="):
        source = image.scratch / words.pop(0).partition("=")[2]
    *sources, last = words
    target = image.at(last)
    for pattern in sources:
        found = sorted(source.glob(pattern.lstrip("/"))) if pattern not in (".", "./") else [source]
        assert found, f"nothing to copy: {pattern}"
        for path in found:
            if path.is_dir():
                shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
            else:
                into = target / path.name if last.endswith("/") or target.is_dir() else target
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, into)


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda match: environment.get(match[1], ""), text)


def context_of(case: str, scratch: Path, tools: Path) -> Path:
    """What a build is sent: the sample app, its lock files and the rendered files, less what is ignored."""
    context = scratch / "context"
    shutil.copytree(APPS / case, context)
    shutil.copytree(GOLDEN / case / "repository", context, dirs_exist_ok=True)
    # What a working copy has, and no image may.
    (context / ".env").write_text("TOKEN=literal\n")
    for path in sorted([*context.rglob("package.json"), *context.rglob("pyproject.toml")]):
        _lock(path, tools)
    ignore = (context / ".dockerignore").read_text()
    for path in sorted(context.rglob("*")):
        if path.is_file() and ignored_by_docker(ignore, path.relative_to(context).as_posix()):
            path.unlink()
    return context


def _lock(project: Path, tools: Path) -> None:
    """Let a project's own tool make its lock file."""
    if project.name == "package.json":
        command = ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"]
    elif "[tool.poetry]" in project.read_text():
        command = ["poetry", "lock"]
        # Poetry's own way to ask for one release is not served by every mirror; what pip asks is.
        ask = [str(tools / "bin" / "python"), "-c", INDEX]
        index = subprocess.run(ask, text=True, check=True, stdout=subprocess.PIPE).stdout.strip()
        with project.open("a") as file:
            file.write(f'\n[[tool.poetry.source]]\nname = "index"\nurl = "{index}"\n')
    else:
        command = ["uv", "lock"]
    environment = {**os.environ, "PATH": f"{tools}/bin:{os.environ['PATH']}"}
    subprocess.run(command, cwd=project.parent, env=environment, check=True, stdout=sys.stderr)


@contextlib.contextmanager
def running(image: Image) -> Iterator[subprocess.Popen[bytes]]:
    """The image's command, as its user where we may become it."""
    command = image.command
    if not command:  # nginx brings its own
        configuration = image.scratch / "nginx.conf"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "\n".join(f"    {kind}_temp_path /tmp/nginx-scaffold-{kind};" for kind in kinds)
        configuration.write_text(NGINX.format(conf=image.at("/etc/nginx"), temporary=temporary))
        command = ["nginx", "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"]
    user = image.user if os.geteuid() == 0 and _open_to_all(Path(sys.base_prefix)) else None
    process = subprocess.Popen(
        command, cwd=image.at("."), env=image.environment, user=user, group=user, stdout=sys.stderr
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _open_to_all(directory: Path) -> bool:
    """Whether other users reach a directory: this machine's Python is the base image's here."""
    return all(part.stat().st_mode & 0o001 for part in (directory, *directory.parents))


def is_healthy(image: Image, process: subprocess.Popen[bytes]) -> bool:
    """Whether the image's own check succeeds within half a minute."""
    for _ in range(60):
        check = subprocess.run(image.healthcheck, env=image.environment, capture_output=True, check=False)
        if check.returncode == 0 or process.poll() is not None:
            return check.returncode == 0
        time.sleep(0.5)
    return False


def main(arguments: list[str]) -> int:
    """Build and start every case, or those that are named. Returns how many failed."""
    cases = arguments or sorted(path.name for path in APPS.iterdir())
    versions = decisions.house()["base_images"]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="scaffold-dockerfiles-") as directory:
        top = Path(directory)
        top.chmod(0o755)
        tools = top / "tools"
        venv.create(tools, with_pip=True)
        wanted = [f"poetry=={versions['poetry']}", f"uv=={versions['uv']}"]
        subprocess.run([tools / "bin" / "pip", "install", "--quiet", *wanted], check=True)
        for case in cases:
            started = time.monotonic()
            scratch = top / case
            scratch.mkdir()
            try:
                context = context_of(case, scratch, tools)
                image = Image(context, scratch, {})
                (dockerfile,) = (GOLDEN / case / "repository").rglob("Dockerfile")
                build(image, dockerfile.read_text(), tools)
                assert not list(image.root.rglob(".env")), "a local secret is in the image"
                with running(image) as process:
                    healthy = is_healthy(image, process)
                outcome = "healthy" if healthy else "not healthy"
            except (subprocess.CalledProcessError, OSError, AssertionError) as error:
                healthy, outcome = False, f"failed: {error}"
            failed += not healthy
            base = image.base.rpartition("/")[2]
            print(f"{case:<14} {base:<28} {outcome}, {time.monotonic() - started:.0f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
