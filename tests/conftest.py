from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from support import FUZZ, QUICK, TOOLS, WITHOUT

from scaffold import demo
from scaffold.changes.git import git
from scaffold.hcl import second_reader
from scaffold.monorepo.repository import Monorepo

# Everybody judges a change by the same examples each time, in CI too. The machine decides how long one
# takes, so time is no reason to fail.
settings.register_profile(
    "same", deadline=None, max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True,
    database=None,
)  # fmt: skip
settings.register_profile(QUICK, settings.get_profile("same"), max_examples=8)
settings.load_profile("same")
LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="the slow tests too")
    parser.addoption("--fuzz", type=int, metavar="N", help="N new examples for each property, and only those")
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")
    parser.addoption("--no-skips", action="store_true", help="a test that cannot run, or is left open, fails")


def pytest_configure(config: pytest.Config) -> None:
    # Plans are recorded of the files that another test has just written: one process, in order.
    if config.getoption("--update-golden") and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--update-golden works without -n")
    config.stash[LEFT_OUT] = 0
    if not (number := config.getoption("--fuzz")):
        # What Hypothesis draws follows from the constants of all modules that are loaded, so from the order of
        # the tests and from every edit. There is no setting for it.
        providers._get_local_constants = lambda: providers._local_constants
    else:
        same = settings.get_profile("same")
        settings.register_profile(FUZZ, same, max_examples=number, derandomize=False, print_blob=True)
        settings.load_profile(FUZZ)
    if _is_quick(config):
        settings.load_profile(QUICK)


def _is_quick(config: pytest.Config) -> bool:
    """Whether what takes long is left out: the slow tests, and two thirds of the examples."""
    option = config.option
    named = config.args_source is pytest.Config.ArgsSource.ARGS or option.keyword or option.markexpr
    return not (named or option.all or option.fuzz)


@pytest.hookimpl(trylast=True)  # Hypothesis marks its tests there too
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fuzz"):
        items[:] = [item for item in items if item.get_closest_marker("hypothesis")]
    elif _is_quick(config):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
        config.stash[LEFT_OUT] = len(slow)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if isinstance(told := getattr(session.config, "workeroutput", None), dict):
        told["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each process of pytest-xdist leaves the same tests out, and only it knows how many."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was left out, why, and how to run it."""
    slow = config.stash[LEFT_OUT]
    told = [f"{slow} slow and two thirds of the examples (python3 dev test --all)"] if slow else []
    reasons = (report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, number in sorted(Counter(reasons).items()):
        text = reason.removeprefix("Skipped: ")
        ways = "; ".join(TOOLS[tool] for tool in text.removeprefix(WITHOUT).split(", ") if tool in TOOLS)
        told.append(f"{number} because it {text}" + (f" ({ways})" if ways else ""))
    terminalreporter.write_sep("-", f"left out: {'; '.join(told) or 'nothing'}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} did not pass: {call.excinfo.value if call.excinfo else 'skipped'}"
    return report


@pytest.fixture(scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is kept from run to run, for the whole session: nothing in it is a person's."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    cache.mkdir(exist_ok=True)
    return cache


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for each test: to number one more, pytest looks at all that there are."""
    directory = tmp_path_factory.mktemp("homes")
    return (directory / str(number) for number in count())


@pytest.fixture(autouse=True)
def _no_writing_at_home(monkeypatch: pytest.MonkeyPatch, _cache: Path, _homes: Iterator[Path]) -> None:
    home = next(_homes)
    home.mkdir()
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(_cache))
    # What a process wrote stays in the system's cache when it is killed; only the disk's load would differ.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(variable, "Robin Gardener")
    for variable in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "robin@example.test")


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The sample monorepo; only for tests that do not write."""
    directory = tmp_path_factory.mktemp("pristine") / "monorepo"
    demo.write(directory)
    git(directory, "gc", "--quiet")  # half as many files to copy, for hundreds of tests
    return Monorepo(directory)


@pytest.fixture
def monorepo(pristine: Monorepo, tmp_path: Path) -> Iterator[Monorepo]:
    """A sample monorepo of one's own."""
    directory = tmp_path / "monorepo"
    shutil.copytree(pristine.root, directory, symlinks=True)
    yield Monorepo(directory)


@pytest.fixture
def read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second reader reads every file, whatever it has said of the same text before."""
    monkeypatch.setattr(second_reader, "_again", second_reader._again.__wrapped__)
