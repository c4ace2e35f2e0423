"""Planning stacks offline: Terraform's own evaluation, without the world around it."""

from __future__ import annotations

import json
import os
import posixpath
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from scaffold.errors import MissingError
from scaffold.terraform import refresh
from scaffold.terraform.attempt import CHOICE, Attempt
from scaffold.terraform.confine import Layer
from scaffold.terraform.kept import AskedTree, KeptPlans, same_answers
from scaffold.terraform.lifetime import Finished, Run, private_run, sweep
from scaffold.terraform.mends import Lessons, from_the_start
from scaffold.terraform.result import PlanResult, Tool
from scaffold.terraform.schemas import RawSchema, Schemas
from scaffold.terraform.tree import DiskTree, Kind, Overlay, OverlayTree, Tree, stacks_in
from scaffold.terraform.workspace import Workspace

if TYPE_CHECKING:
    from scaffold.terraform.server import SchemaServer

TOOLS = ("terraform", "tofu")
_PATIENCE = 10.0
_CLI = """\
disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path = "{mirror}"
  }}
}}
"""


def at_once() -> int:
    """How many stacks to plan at once: one more than processors, as each waits for its Terraform."""
    return (os.cpu_count() or 1) + 1


def find_tool() -> Tool:
    """The program that plans: the one in ``SCAFFOLD_TERRAFORM``, else ``terraform``, else ``tofu`` on PATH.

    Raises ``MissingError`` if there is none.
    """
    chosen = os.environ.get(CHOICE)
    for name in (chosen,) if chosen else TOOLS:
        if path := shutil.which(name):
            kind = "tofu" if "tofu" in Path(name).name else "terraform"
            return Tool(kind, str(Path(path).absolute()))
    raise MissingError(
        f"{chosen or ' or '.join(TOOLS)} is not installed: nothing can be planned",
        f"install one of them, or name it with {CHOICE}",
    )


@dataclass(frozen=True, slots=True)
class Job:
    """A stack to plan, and the tree that it is in."""

    tree: Tree
    stack: str

    @property
    def directory(self) -> str:
        """Where the stack is in the tree."""
        return posixpath.join(stacks_in(self.tree), self.stack).removeprefix("./")


def with_version(tool: Tool) -> Tool:
    """The tool with the version that it reports. Raises ``MissingError`` if it cannot be asked."""
    try:
        done = _run([tool.path, "version", "-json"])
        return replace(tool, version=str(json.loads(done.stdout)["terraform_version"]))
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        raise MissingError(
            f"{tool.path} does not say its version: {error}", f"name the program itself with {CHOICE}"
        ) from error


def is_formatted(tool: Tool, content: bytes) -> bool:
    """Whether ``terraform fmt`` would leave a file as it is; a file that is not HCL counts as formatted.

    Raises ``MissingError`` if the tool cannot be asked.
    """
    try:
        return _run([tool.path, "fmt", "-"], content).stdout == content
    except subprocess.CalledProcessError:
        return True
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"{tool.path} does not run: {error}", f"name another one with {CHOICE}") from error


def _run(command: Sequence[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What the tool prints, without the user's settings; an error if it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment = {**kept, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        command, env=environment, input=given, capture_output=True, check=True, timeout=_PATIENCE
    )


def plan_stacks(
    monorepo_root: Path,
    stacks: Sequence[str],
    overlay: Overlay | None = None,
    workers: int = 1,
    *,
    tool: Tool | None = None,
    known: Schemas | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> list[PlanResult]:
    """Plan stacks of a monorepo offline, each from scratch: no state, no cluster, no credentials.

    ``overlay`` holds files that are not written yet, by their path from the root. The results come in the
    order of ``stacks``. ``meanwhile`` is done while the first Terraform runs, if one has to; an error in it
    is left to whoever does it again. Raises ``MissingError`` if there is no Terraform or no such stack; what
    is wrong with a stack is in its result.
    """
    disk = DiskTree(monorepo_root)
    tree = OverlayTree(disk, overlay) if overlay else disk
    return plan_jobs(
        [Job(tree, stack) for stack in stacks], workers, tool=tool, known=known, meanwhile=meanwhile
    )


def plan_jobs(
    jobs: Sequence[Job],
    workers: int = 1,
    *,
    tool: Tool | None = None,
    known: Schemas | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> list[PlanResult]:
    """Plan stacks of any trees of files, for instance of a Git revision; see ``plan_stacks``.

    ``workers`` stacks are planned at once, and this process serves the schemas to all. ``known`` are those
    schemas, by default the packaged ones with the refreshed ones over them. What an earlier run planned from
    the same files is not planned again. Raises ``MissingError`` if there is no Terraform or no such stack.
    """
    tool = tool or find_tool()
    for job in jobs:
        if job.tree.kind(job.directory) is not Kind.DIRECTORY:
            raise MissingError(
                f"there is no stack {job.stack}", f"name a directory below {stacks_in(job.tree)}/"
            )
    known = known or refresh.in_use()
    kept = KeptPlans(tool, known)
    found = [_found(kept, job) for job in jobs]
    missing = [job for job, result in zip(jobs, found, strict=True) if result is None]
    planned = iter(_planned(missing, workers, tool, known, kept, meanwhile) if missing else ())
    kept.sweep()
    if not missing:
        sweep()  # else the run that plans has done it
    return [next(planned) if result is None else result for result in found]


def _found(kept: KeptPlans, job: Job) -> PlanResult | None:
    started = time.perf_counter()
    result = kept.find(job.tree, job.directory)
    return result and replace(result, seconds=time.perf_counter() - started, kept=True)


def _planned(
    jobs: Sequence[Job],
    workers: int,
    tool: Tool,
    known: Schemas,
    kept: KeptPlans,
    meanwhile: Callable[[], object] | None,
) -> list[PlanResult]:
    from scaffold.terraform.server import SchemaServer

    with private_run() as run, SchemaServer() as server:
        planner = Planner(run, server, tool, known, kept, alone=workers <= 1, meanwhile=meanwhile)
        if workers <= 1:
            return [planner.plan(job) for job in jobs]
        pool = ThreadPoolExecutor(workers)
        try:
            return list(pool.map(planner.plan, jobs))
        except BaseException:
            run.kill()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass
class Planner:
    """Plans stacks in the directory of one run."""

    run: Run
    server: SchemaServer
    tool: Tool
    known: Schemas
    kept: KeptPlans
    alone: bool
    meanwhile: Callable[[], object] | None

    def __post_init__(self) -> None:
        self._lessons = Lessons()
        self._numbers = count()
        self._threads: dict[int, int] = {}
        directory = self.run.directory
        for name in ("home", "mirror", "tmp"):
            (directory / name).mkdir(mode=0o700)
        # Nothing is ever installed: the only source of providers is an empty directory.
        held = self.run.confine(Path(self.tool.path))
        self._open = tuple(layer for layer in Layer if layer not in held)
        (directory / "cli.tfrc").write_text(_CLI.format(mirror=directory / "mirror"))

    def plan(self, job: Job) -> PlanResult:
        """Plan one stack."""
        started = time.perf_counter()
        place = self.run.directory / str(next(self._numbers))
        place.mkdir(mode=0o700)
        try:
            stack, asked = job.directory, AskedTree(job.tree)
            attempt = Attempt(
                asked, stack, place, self.tool, self.known, self._result, self._serve, self._lessons
            )
            result = replace(attempt.result(job.stack), open=self._open)
            self.kept.keep(asked, stack, result, self.run.directory)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return replace(result, seconds=time.perf_counter() - started)

    def _serve(self, schemas: Mapping[str, RawSchema]) -> Mapping[str, Path]:
        """Serve schemas on the sockets of this thread, which plans one stack after the other."""
        # A small number of its own: a socket's path has to be short.
        thread = self._threads.setdefault(threading.get_ident(), next(self._numbers))
        sockets = {address: self.run.directory / f"{thread}-{n}" for n, address in enumerate(schemas)}
        for address, schema in schemas.items():
            self.server.serve(schema, sockets[address])
        return sockets

    def _result(self, arguments: Sequence[str], directory: Path, reattach: str, timeout: float) -> Finished:
        """Run Terraform in a working copy, with an environment that contains nothing of the user's."""
        private = self.run.directory
        environment = {
            "PATH": str(private / "mirror"),
            "HOME": str(private / "home"),
            "TMPDIR": str(private / "tmp"),
            "TF_CLI_CONFIG_FILE": str(private / "cli.tfrc"),
            "TF_REATTACH_PROVIDERS": reattach,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "NO_COLOR": "1",
            # A third of the time would be spent on garbage collection in a process that ends in a moment.
            "GOGC": "off",
            "GOMEMLIMIT": "512MiB",
            "LC_ALL": "C.UTF-8",
            # As many run as there are processors: more threads would only wait for each other.
            **({} if self.alone else {"GOMAXPROCS": "1"}),
        }
        meanwhile, self.meanwhile = self.meanwhile, None
        return self.run.result([self.tool.path, *arguments], directory, environment, timeout, meanwhile)


def touched(now: Tree, then: Tree, stacks: Iterable[str]) -> Iterator[str]:
    """The stacks that both trees have and whose plans may differ, because something that a plan reads does.

    What a plan reads is what its working copy is made of: that is made, and Terraform is not started.
    """
    for stack in stacks:
        asked = AskedTree(now)
        with TemporaryDirectory(prefix="scaffold-") as place:
            workspace = Workspace(asked, Path(place), Job(now, stack).directory, "none")
            workspace.compose()
            workspace.write(from_the_start(workspace))
        if not same_answers(then, asked.answers):
            yield stack
