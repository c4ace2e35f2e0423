"""When a workflow runs: each rule is a mistake that somebody once had to fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines.common import BOTH, FILE, GUARDED, SHELL, builds, line_at, targets
from scaffold.pipelines.context import Context
from scaffold.pipelines.jobs import steps as github_steps
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.workflow import Workflow, kubectl_commands


class PlainPush(Rule):
    """A workflow that is given its variables evaluates them."""

    code = "PIP019"
    why = "Otherwise every plain push runs it too, without the variables, and goes red."
    bad = {FILE: GUARDED.replace("    evaluate: 'IMAGE_TAG != \"\"'\n", "")}
    good = {FILE: GUARDED}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The workflows with variables that a push does not have."""
        for workflow in repository.workflows:
            names = _given(workflow)
            if names and workflow.always_runs_on("push"):
                yield self.at(
                    workflow.place("when"),
                    f"On a push there is no {', '.join(names)}.",
                    fix=f"Put evaluate: '{names[0]} != \"\"' into every condition of `when`, or run on manual only.",
                )


def _given(workflow: Workflow) -> list[str]:
    """The variables that only a run through the API has: those in the images that are rolled out."""
    named = {
        reading.use.name
        for reading in workflow.readings
        if reading.path is not None
        and not reading.use.name.startswith("CI_")
        and "set image" in line_at(workflow.raw, reading.use.offset)
    }
    return sorted(named)


class SeveralManual(Rule):
    """One API call starts one workflow."""

    code = "PIP020"
    why = "An API run starts every workflow that admits `manual`: the fallback built, and deployed, too."
    bad = {
        ".woodpecker/deploy.yml": GUARDED,
        ".woodpecker/other.yml": SHELL.replace("event: push", "event: manual") + "      - echo\n",
    }
    good = {**bad, ".woodpecker/other.yml": bad[".woodpecker/other.yml"].replace("manual", "deployment")}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The workflows that run along with another one and do not look at what they were given."""
        manual = [workflow for workflow in repository.workflows if workflow.runs_on("manual")]
        for workflow in manual:
            together = _waiting_for_each_other(workflow, repository.workflows)
            others = ", ".join(other.path for other in manual if other.name not in together)
            if others and workflow.always_runs_on("manual"):
                fix = "Run it on another event (a fallback: deployment), or evaluate a variable of its own."
                message = f"A manual run starts this along with {others}."
                yield self.at(workflow.place("when"), message, fix=fix)


def _waiting_for_each_other(workflow: Workflow, all_of_them: Iterable[Workflow]) -> set[str]:
    """The names of the workflows that ``depends_on`` connects with this one, itself among them."""
    found, before = {workflow.name}, set[str]()
    while found != before:
        before = set(found)
        found |= {one.name for one in all_of_them if one.depends_on & found}
        found |= {name for one in all_of_them if one.name in found for name in one.depends_on}
    return found


class Fallback(Rule):
    """A fallback build runs on `deployment` only."""

    code = "PIP021"
    why = "On any other event the image is built twice, and the two builds race for the same tags."
    bad = {
        FILE: BOTH,
        ".github/workflows/build.yml": "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with: {platforms: linux/amd64, push: true, tags: 'registry.example.test/own/app:latest,registry.example.test/own/app:${{ github.sha }}'}\n",
    }
    good = {**bad, FILE: BOTH.replace("event: push", "event: deployment")}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The build steps beside a build on GitHub."""
        pushed = {image for step in github_steps(*repository.actions) for image in step.pushed}
        for workflow in repository.workflows:
            twice = [
                (image, condition.events)
                for step in builds(workflow)
                for image in targets(step)
                for condition in step.conditions
                if any(image.is_same(other) for other in pushed)
            ]
            others = sorted({event for _, events in twice for event in events} - {"deployment"})
            if others:
                yield self.at(
                    workflow.place("when"),
                    f"GitHub Actions builds {twice[0][0]} already.",
                    value=", ".join(others),
                    allowed="deployment",
                )


class Branch(Rule):
    """A workflow that pushes or rolls out names its branch."""

    code = "PIP022"
    why = "A push to any other branch overwrites `latest`, which CronJobs then run, or rolls out what nobody merged."
    bad = {FILE: BOTH.replace("    branch: main\n", "")}
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The workflows that run on pushes to whatever branch."""
        for workflow in repository.workflows:
            # What is given its tag rolls out nothing on a push: `evaluate` is what it needs.
            rolls_out = [c.step for c in kubectl_commands(workflow) if c.is_a("set", "image")]
            acting = [*builds(workflow), *(rolls_out if not _given(workflow) else ())]
            if any("push" in c.events and c.any_branch for step in acting for c in step.conditions):
                fix = "Put the branch into `when`."
                yield self.at(workflow.place("when"), "Pushes to every branch run this.", fix=fix)
