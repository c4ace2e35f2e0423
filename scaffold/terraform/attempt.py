"""Planning one stack: attempt after attempt, until Terraform plans it or nothing more can be learned."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from scaffold.errors import Finding
from scaffold.hcl.source import at
from scaffold.terraform import diagnostics, meta, plan_json, providers, trim
from scaffold.terraform.diagnostics import Output
from scaffold.terraform.lifetime import Finished
from scaffold.terraform.mends import Lessons, from_the_start, learn
from scaffold.terraform.planned import PlannedResource
from scaffold.terraform.result import PlanResult, Reason, StandIn, StandInKind, Tool
from scaffold.terraform.rewrite import Mends
from scaffold.terraform.schemas import BlockSchema, RawSchema, Schemas
from scaffold.terraform.sites import Sites
from scaffold.terraform.tree import Tree, shared_in
from scaffold.terraform.workspace import TESTS, Workspace
from scaffold.terraform.written import UnclearError, Written

CHOICE = "SCAFFOLD_TERRAFORM"
"""The environment variable that names the program to plan with, where PATH does not say it."""
TIMEOUT = 120.0
"""Seconds that one command may take."""
Execute = Callable[[Sequence[str], Path, str, float], Finished]
"""Runs Terraform: its arguments, the directory, the value of ``TF_REATTACH_PROVIDERS``, the longest time."""
Serve = Callable[[Mapping[str, RawSchema]], Mapping[str, Path]]
"""Serves schemas by the address of their provider, from now on instead of others; gives the sockets."""
_FILE = "plan"
_TEST = ("test", "-json", "-verbose", f"-test-directory={TESTS}")
_PLAN = ("plan", "-json", "-refresh=false", "-input=false", "-lock=false")


@dataclass
class Attempt:
    """Plans one working copy.

    ``stack`` is its directory in the tree, ``place`` a private directory for the working copy. The name of
    the directory above it is one that the stack cannot foresee. ``lessons`` are those of the run: what is
    learned here, others need not learn again.
    """

    tree: Tree
    stack: str
    place: Path
    tool: Tool
    known: Schemas
    execute: Execute
    serve: Serve
    lessons: Lessons

    def __post_init__(self) -> None:
        self._workspace = Workspace(self.tree, self.place / "copy", self.stack, self.place.parent.name)
        self._schemas: dict[str, RawSchema] = {}
        self._used: dict[str, RawSchema] = {}
        self._assumed: list[StandIn] = []
        self._findings: list[Finding] = []
        self._mends = Mends()

    def result(self, name: str) -> PlanResult:
        """The plan of the stack with this name, or everything that prevents it."""
        self._workspace.compose()
        known = self.lessons.operators(self._workspace)
        self._mends = replace(from_the_start(self._workspace), operators=known)
        self._workspace.write(self._mends)
        self._findings += self._workspace.findings
        if not self._findings:
            self._provide()
        resources = self._plan() if not self._findings else ()
        return PlanResult(
            stack=name,
            tool=self.tool,
            resources=resources,
            stand_ins=tuple(dict.fromkeys((*self._workspace.stand_ins, *self._assumed))),
            findings=tuple(self._findings),
            notices=tuple(self._notices()) if not self._findings else (),
            moves=meta.moves(self._workspace.modules, self._workspace.stack),
        )

    # running Terraform

    def _plan(self) -> tuple[PlannedResource, ...]:
        """Run Terraform with the parts of the schemas that the stack uses or, if that fails, with all."""
        self._workspace.install()
        reattach = _reattach(self.serve(self._used))
        if (resources := self._tested(reattach)) is not None:
            return resources
        done = self._tried(self._planning, reattach)
        if trim.is_missed(self._read(done).errors):
            reattach = _reattach(self.serve(self._schemas))
            done = self._tried(self._planning, reattach)
        return self._shown(done, reattach)

    def _tested(self, reattach: str) -> tuple[PlannedResource, ...] | None:
        """The resources that a test of the stack plans, which takes one process instead of two.

        It says nothing of the configuration, which is read from the syntax instead. None if that is not
        enough, or where the test fails: then the plan says what is wrong.
        """
        workspace = self._workspace
        if self.tool.name != "terraform" or not workspace.install_test():
            return None
        try:
            written = Written(workspace.modules, workspace.stack)
        except UnclearError:
            return None
        done = self._tried([*_TEST, *self._values], reattach)
        if done.timed_out or done.code < 0:
            self._failed(done, "test")
            return ()
        output = self._read(done)
        plan = plan_json.tested(output.plan)
        if done.code != 0 or output.errors or not output.version or plan is None:
            return None
        return self._resources(plan, written.configured)

    @property
    def _planning(self) -> Sequence[str]:
        return [*_PLAN, f"-out={self.place / _FILE}", *self._values]

    @property
    def _values(self) -> Sequence[str]:
        return [f"-var-file={self._workspace.root / path}" for path in self._workspace.var_files]

    def _shown(self, done: Finished, reattach: str) -> tuple[PlannedResource, ...]:
        """The resources of a plan that was written."""
        if self._failed(done, "plan"):
            return ()
        done = self._terraform(["show", "-json", str(self.place / _FILE)], reattach)
        if self._failed(done, "show"):
            return ()
        plan = plan_json.parsed(done.stdout)
        if plan is None or not self.tool.version:
            self._findings.append(self._of_the_tool("does not answer as Terraform does: it shows no plan"))
            return ()
        return self._resources(plan)

    def _resources(
        self, plan: RawSchema, configured: plan_json.Configured | None = None
    ) -> tuple[PlannedResource, ...]:
        """What a plan has, with the arguments of shared modules by the names that the templates have."""
        sites, shared = Sites(self._workspace, self._mends), shared_in(self.tree)
        found = plan_json.read(plan, self._workspace.helper, self._schema, sites.site, configured)
        if not shared.renamed:
            return found
        usual = shared.as_usual
        return tuple(
            replace(one, settings=usual(sites.called(one.module), one.settings)) if one.module else one
            for one in found
        )

    def _tried(self, command: Sequence[str], reattach: str) -> Finished:
        """The last of as many attempts as it takes to learn every mend."""
        done = self._terraform(command, reattach)
        while done.code != 0 and self._learn(done):
            self._workspace.write(self._mends)
            done = self._terraform(command, reattach)
        return done

    def _terraform(self, arguments: Sequence[str], reattach: str) -> Finished:
        try:
            return self.execute(arguments, self._workspace.root / self.stack, reattach, TIMEOUT)
        except OSError as error:  # of another machine, or its interpreter is missing
            return Finished(126, b"", f"it cannot be run: {error.strerror}".encode())

    def _learn(self, done: Finished) -> bool:
        """Whether the failure shows a mend that earlier attempts did not."""
        failed = [diagnostics.locate(error, self._workspace) for error in self._read(done).errors]
        before, self._mends = self._mends, learn(failed, self._workspace, self._mends)
        self.lessons.note(failed, self._workspace)
        return self._mends != before

    def _read(self, done: Finished) -> Output:
        output = diagnostics.read(done.stdout)
        if output.version:
            self.tool = replace(self.tool, version=output.version)
        return output

    def _failed(self, done: Finished, command: str) -> bool:
        """Whether a command failed; its messages become findings."""
        output = self._read(done)
        if done.code == 0:
            return False
        workspace, version = self._workspace, self.tool.version
        # What was broken off says of the stack whatever it was about to say.
        errors = () if done.timed_out or done.code < 0 else output.errors
        located = [diagnostics.locate(error, workspace) for error in errors]
        self._findings += [diagnostics.explain(error, workspace, version) for error in located]
        if not self._findings:
            self._findings.append(self._tool_failed(done, command))
        return True

    def _tool_failed(self, done: Finished, command: str) -> Finding:
        if done.timed_out:
            what = f"was stopped after {TIMEOUT:.0f} s"
        elif done.code < 0:
            what = f"was ended by signal {-done.code}"
        else:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
            what = f"failed with exit code {done.code}: {said[-1] if said else 'it said nothing'}"
        return self._of_the_tool(f"{command} {what}")

    def _of_the_tool(self, what: str) -> Finding:
        message = f"{self.tool.name} {what}"
        fix = f"scaffold needs terraform 1.9 or tofu 1.8, or newer; {CHOICE} names another one"
        return Finding(self._workspace.stack, None, None, Reason.TOOL.value, message, fix=fix)

    # providers

    def _provide(self) -> None:
        """Find the schemas of the providers, by their addresses; one that nobody knows is a finding."""
        modules = [list(module.documents.values()) for module in self._workspace.modules.values()]
        documents = [document for module in modules for document in module]
        used = trim.words(documents)
        for address, requirement in sorted(providers.required(modules).items()):
            schema = providers.known_schema(self.known, address)
            if schema is None and not requirement.named:
                self._findings.append(self._no_schema(requirement))
                continue
            if schema is None:
                schema = providers.assumed_schema(requirement, documents)
                if requirement.used is not None:
                    where = f"{requirement.used.source.path}:{requirement.used.line}"
                    self._assumed.append(StandIn(StandInKind.PROVIDER, requirement.address, where))
            # A part of what is built in would not have the resource of the helper.
            whole = address == providers.BUILT_IN
            self._schemas[address] = schema
            self._used[address] = schema if whole else trim.trimmed(schema, requirement, used)

    def _no_schema(self, requirement: providers.Requirement) -> Finding:
        block = requirement.used
        assert block is not None
        address, name = requirement.address, requirement.address.rpartition("/")[2]
        known = self.known.providers.get(name)
        if known is not None:
            message = f"the module does not say where the provider {name} is from, so it would be {address}"
            source = known.address.partition("/")[2]
            fix = f'add required_providers with source = "{source}" to the module'
        else:
            message = f"the provider {address} is neither named nor known here: is {block.address} misspelt?"
            fix = "name it in required_providers, or add its schema with `scaffold doctor --schemas FILE`"
        return at(block, Reason.NO_SCHEMA.value, message, fix=fix)

    def _schema(self, provider: str, type_: str) -> BlockSchema | None:
        schema = self._schemas.get(providers.without_registry(provider), {})
        types = cast("Mapping[str, RawSchema]", schema.get("resource_schemas", {}))
        raw = cast("RawSchema", types[type_]["block"]) if type_ in types else None
        if raw is None:
            return None
        known = self.known.block("resource", type_)  # what is known is decoded once for all stacks
        return known if known is not None and known.raw is raw else BlockSchema(raw)

    # notices

    def _notices(self) -> Iterator[Finding]:
        tool = f"{self.tool.name} {self.tool.version}"
        for path in sorted(self._mends.operators):
            message = f"{tool} fails at an operand of || or && that newer ones leave out; planned as by them"
            fix = "use Terraform 1.12 or newer to apply"
            yield Finding(path, None, None, Reason.TERRAFORM_TOO_OLD.value, message, fix=fix)
        for path, offset in sorted(self._mends.later):
            line, column = self._workspace.position(path, offset)
            message = "known only when what it depends on exists: a first apply of everything fails here"
            fix = "apply what it depends on first, with -target"
            yield Finding(path, line, column, Reason.TWO_APPLIES.value, message, fix=fix)


def _reattach(sockets: Mapping[str, Path]) -> str:
    """The value of ``TF_REATTACH_PROVIDERS``: the providers that already run, and where."""
    return json.dumps(
        {
            full: {
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": os.getpid(),
                "Test": True,
                "Addr": {"Network": "unix", "String": str(socket)},
            }
            for address, socket in sockets.items()
            for full in providers.addresses(address)
        }
    )
