from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from scaffold import demo
from scaffold.monorepo.repository import Monorepo

# The machine decides how long an example takes, so time is no reason to fail.
settings.register_profile(
    "default", deadline=None, max_examples=25, suppress_health_check=list(HealthCheck), print_blob=True
)
# `--hypothesis-profile=quick` tells soon whether something fails, without making the example small.
settings.register_profile("quick", settings.get_profile("default"), max_examples=12, phases=[Phase.generate])
# CI judges a change by the same examples each time; whoever works on the project draws new ones.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")
    parser.addoption("--no-skips", action="store_true", help="a test that cannot run, or is left open, fails")


def pytest_configure(config: pytest.Config) -> None:
    # Plans are recorded of the files that another test has just written: one process, in order.
    if config.getoption("--update-golden") and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--update-golden works without -n")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} did not pass: {call.excinfo.value if call.excinfo else 'skipped'}"
    return report


@pytest.fixture(autouse=True)
def _no_writing_at_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    for variable in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(variable, "Robin Gardener")
    for variable in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "robin@example.test")


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The sample monorepo; only for tests that do not write."""
    directory = tmp_path_factory.mktemp("pristine") / "monorepo"
    demo.write(directory)
    return Monorepo(directory)


@pytest.fixture
def monorepo(pristine: Monorepo, tmp_path: Path) -> Iterator[Monorepo]:
    """A sample monorepo of one's own."""
    directory = tmp_path / "monorepo"
    shutil.copytree(pristine.root, directory, symlinks=True)
    yield Monorepo(directory)
