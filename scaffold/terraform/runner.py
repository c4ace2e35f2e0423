"""Planning stacks offline: one server of schemas, one working copy per stack, Terraform's own evaluation."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, cast

from scaffold.errors import Finding, MissingError
from scaffold.terraform import diagnostics, planned, providers, refresh
from scaffold.terraform.diagnostics import Output
from scaffold.terraform.lifetime import Finished, Run, private_run
from scaffold.terraform.mends import learn
from scaffold.terraform.result import PlanResult, Reason, StandIn, StandInKind, Tool
from scaffold.terraform.rewrite import Mends
from scaffold.terraform.schemas import BlockSchema, RawSchema, Schemas
from scaffold.terraform.sites import Sites
from scaffold.terraform.tree import DiskTree, Kind, Overlay, OverlayTree, Tree
from scaffold.terraform.workspace import Workspace

if TYPE_CHECKING:
    from scaffold.terraform.server import SchemaServer

TOOLS = ("terraform", "tofu")
CHOICE = "SCAFFOLD_TERRAFORM"
"""The environment variable that names the program to plan with, where PATH does not say it."""
TIMEOUT = 120.0
"""Seconds that one command may take."""
STACKS = "stacks"
"""The directory of the stacks in a monorepo."""
_MOST_ATTEMPTS = 8
_CLI = """\
disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path = "{mirror}"
  }}
}}
"""


def find_tool(environment: Mapping[str, str] = os.environ) -> Tool:
    """The program that plans: what ``SCAFFOLD_TERRAFORM`` names, else ``terraform``, else ``tofu`` on PATH.

    Raises ``MissingError`` where there is none.
    """
    chosen = environment.get(CHOICE)
    for name in (chosen,) if chosen else TOOLS:
        if path := shutil.which(name, path=environment.get("PATH")):
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


def plan_stacks(
    monorepo_root: Path,
    stacks: Sequence[str],
    overlay: Overlay | None = None,
    workers: int = 1,
    *,
    tool: Tool | None = None,
    known: Schemas | None = None,
) -> list[PlanResult]:
    """Plan stacks of a monorepo offline, each from nothing: no state, no cluster, no credentials.

    ``overlay`` holds files that are not written yet, by their path from the root. The results come in the
    order of ``stacks``. Raises ``MissingError`` where there is no Terraform or no such stack; what is wrong
    with a stack is in its result.
    """
    disk = DiskTree(monorepo_root)
    tree = OverlayTree(disk, overlay) if overlay else disk
    return plan_jobs([Job(tree, stack) for stack in stacks], workers, tool=tool, known=known)


def plan_jobs(
    jobs: Sequence[Job], workers: int = 1, *, tool: Tool | None = None, known: Schemas | None = None
) -> list[PlanResult]:
    """Plan stacks of any trees of files, for instance of a Git revision; see ``plan_stacks``.

    ``workers`` stacks are planned at once, all with one server of schemas. ``known`` are the schemas to serve,
    by default the packaged ones with the refreshed ones over them.
    """
    tool = tool or find_tool()
    for job in jobs:
        if job.tree.kind(f"{STACKS}/{job.stack}") is not Kind.DIRECTORY:
            raise MissingError(f"there is no stack {job.stack}", f"name a directory below {STACKS}/")
    with private_run() as run, Planner(run, tool, known or refresh.in_use()) as planner:
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


class Planner(AbstractContextManager["Planner"]):
    """Plans stacks with one server of schemas, which ends with it."""

    def __init__(self, run: Run, tool: Tool, known: Schemas) -> None:
        self.tool = tool
        self.schemas = known
        self._run = run
        self._sockets: dict[str, Path] = {}
        self._server: SchemaServer | None = None
        self._lock = Lock()
        self._number = 0
        for name in ("home", "mirror", "tmp", "sockets"):
            (run.directory / name).mkdir(mode=0o700)
        # Nothing is ever installed: the only source of providers is an empty directory.
        (run.directory / "cli.tfrc").write_text(_CLI.format(mirror=run.directory / "mirror"))

    def __exit__(self, *error: object) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.close()

    def plan(self, job: Job) -> PlanResult:
        """Plan one stack."""
        started = time.perf_counter()
        with self._lock:
            self._number += 1
            root = self._run.directory / f"work{self._number}"
        root.mkdir(mode=0o700)
        try:
            result = _Attempt(self, Workspace(job.tree, root, f"{STACKS}/{job.stack}")).result(job.stack)
        finally:
            shutil.rmtree(root, ignore_errors=True)
        return replace(result, seconds=time.perf_counter() - started)

    def execute(self, arguments: Sequence[str], directory: Path, reattach: str) -> Finished:
        """Run Terraform in a working copy, with an environment that holds nothing of the user's."""
        private = self._run.directory
        environment = {
            "PATH": str(private / "mirror"),
            "HOME": str(private / "home"),
            "TMPDIR": str(private / "tmp"),
            "TF_CLI_CONFIG_FILE": str(private / "cli.tfrc"),
            "TF_REATTACH_PROVIDERS": reattach,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
        }
        return self._run.execute([self.tool.path, *arguments], directory, environment, TIMEOUT)

    def socket(self, address: str, schema: RawSchema, *, shared: bool) -> Path:
        """The socket on which a provider is served; a shared one is served once for all stacks."""
        from scaffold.terraform.server import SchemaServer

        with self._lock:
            if shared and address in self._sockets:
                return self._sockets[address]
            if self._server is None:
                self._server = SchemaServer(self._run.directory / "sockets")
            socket = self._server.serve(schema)
            if shared:
                self._sockets[address] = socket
            return socket


class _Attempt:
    """The attempts to plan one working copy, until one succeeds or nothing more can be learned."""

    def __init__(self, planner: Planner, workspace: Workspace) -> None:
        self._planner = planner
        self._workspace = workspace
        self._tool = planner.tool
        self._schemas: dict[str, RawSchema] = {}
        self._assumed: list[StandIn] = []

    def result(self, stack: str) -> PlanResult:
        self._workspace.compose()
        mends = Mends()
        self._workspace.write(mends)
        findings = list(self._workspace.findings)
        sockets = {} if findings else self._providers(findings)
        resources: tuple[planned.PlannedResource, ...] = ()
        if not findings:
            mends, resources = self._plan(sockets, mends, findings)
        return PlanResult(
            stack=stack,
            tool=self._tool,
            resources=resources,
            stand_ins=tuple(dict.fromkeys((*self._workspace.stand_ins, *self._assumed))),
            findings=tuple(findings),
            notices=tuple(self._notices(mends)) if not findings else (),
        )

    def _plan(
        self, sockets: Mapping[str, Path], mends: Mends, findings: list[Finding]
    ) -> tuple[Mends, tuple[planned.PlannedResource, ...]]:
        from scaffold.terraform.server import reattach

        workspace, environment = self._workspace, reattach(sockets)
        out = workspace.root / "plan"
        init = ["init", "-json", "-backend=false", "-input=false"]
        plan = ["plan", "-json", "-refresh=false", "-input=false", "-lock=false", f"-out={out}"]
        plan += [f"-var-file={workspace.root / path}" for path in workspace.var_files]
        done = self._planner.execute(init, workspace.directory, environment)
        if self._failed(done, "init", findings):
            return mends, ()
        for _ in range(_MOST_ATTEMPTS):
            done = self._planner.execute(plan, workspace.directory, environment)
            if done.code == 0:
                break
            output = self._read(done)
            failed = [diagnostics.locate(error, workspace) for error in output.errors]
            learned = learn(failed, workspace, mends)
            if learned == mends:
                break
            mends = learned
            workspace.write(mends)
        if self._failed(done, "plan", findings):
            return mends, ()
        done = self._planner.execute(["show", "-json", str(out)], workspace.directory, environment)
        if self._failed(done, "show", findings):
            return mends, ()
        return mends, planned.read(json.loads(done.stdout), self._schema, Sites(workspace, mends).site)

    def _read(self, done: Finished) -> Output:
        output = diagnostics.read(done.stdout)
        if output.version:
            self._tool = replace(self._tool, version=output.version)
        return output

    def _failed(self, done: Finished, command: str, findings: list[Finding]) -> bool:
        output = self._read(done)
        if done.code == 0:
            return False
        workspace = self._workspace
        located = [diagnostics.locate(error, workspace) for error in output.errors]
        findings += [diagnostics.explain(error, workspace, self._tool.version) for error in located]
        if not findings:
            findings.append(self._tool_failed(done, command))
        return True

    def _tool_failed(self, done: Finished, command: str) -> Finding:
        if done.timed_out:
            what = f"was stopped after {TIMEOUT:.0f} s"
        elif done.code < 0:
            what = f"was ended by signal {-done.code}"
        else:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
            what = f"failed with exit code {done.code}: {said[-1] if said else 'it said nothing'}"
        message = f"{self._tool.name} {command} {what}"
        hint = f"scaffold needs terraform 1.9 or tofu 1.8, or newer; {CHOICE} names another one"
        return Finding(self._workspace.stack, None, None, Reason.TOOL.value, message, hint=hint)

    # providers

    def _providers(self, findings: list[Finding]) -> Mapping[str, Path]:
        """The sockets of all providers that the stack needs, by every address they may be looked for under."""
        modules = [list(module.documents.values()) for module in self._workspace.modules.values()]
        documents = [document for module in modules for document in module]
        sockets: dict[str, Path] = {}
        for address, requirement in sorted(providers.required(modules).items()):
            schema = providers.known_schema(self._planner.schemas, address)
            shared = schema is not None
            if schema is None and not requirement.named:
                findings.append(self._no_schema(requirement))
                continue
            if schema is None:
                schema = providers.assumed_schema(requirement, documents)
                self._assume(requirement)
            socket = self._planner.socket(address, schema, shared=shared)
            for full in providers.addresses(address):
                sockets[full] = socket
                self._schemas[full] = schema
        return sockets

    def _assume(self, requirement: providers.Requirement) -> None:
        if requirement.used is not None:
            where = f"{requirement.used.source.path}:{requirement.used.line}"
            self._assumed.append(StandIn(StandInKind.PROVIDER, requirement.address, where))

    def _no_schema(self, requirement: providers.Requirement) -> Finding:
        block = requirement.used
        assert block is not None
        name = requirement.address.rpartition("/")[2]
        known = self._planner.schemas.providers.get(name)
        if known is not None:
            message = f"the module does not say where the provider {name} comes from: Terraform looks for {requirement.address}"
            hint = f'add required_providers with source = "{known.address.partition("/")[2]}" to the module'
        else:
            message = f"there is no provider {requirement.address} that anybody here names or knows: is {block.address} misspelt?"
            hint = "name the provider in required_providers, or add its schema with `scaffold doctor --schemas FILE`"
        return Finding(
            block.source.path, block.line, block.column, Reason.NO_SCHEMA.value, message, hint=hint
        )

    def _schema(self, provider: str, type_: str) -> BlockSchema | None:
        raw = self._schemas.get(provider, {})
        types = cast("Mapping[str, RawSchema]", raw.get("resource_schemas", {}))
        return BlockSchema(cast("RawSchema", types[type_]["block"])) if type_ in types else None

    # notices

    def _notices(self, mends: Mends) -> Iterator[Finding]:
        for path in sorted(mends.operators):
            yield Finding(
                path,
                None,
                None,
                Reason.TERRAFORM_TOO_OLD.value,
                f"{self._tool.name} {self._tool.version} looks at both operands of || and && here and fails; "
                "it was planned the way newer versions do",
                hint="use Terraform 1.12 or newer to apply",
            )
        for path, offset in sorted(mends.later):
            line, column = self._workspace.position(path, offset)
            message = "known only when what it depends on exists: a first apply of everything fails here"
            hint = "apply what it depends on first, with -target"
            yield Finding(path, line, column, Reason.TWO_APPLIES.value, message, hint=hint)
