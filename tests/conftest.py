"""Shared servers, dumps and the way to run a drill, for the suite's own tests."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from fixtures import drift as drift_stage
from fixtures import manifest as manifest_stage
from fixtures import recovery as recovery_stage
from fixtures import trend as trend_stage
from fixtures import verdict as verdict_stage
from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.fetch import fetch
from restore_drill.servers.find import find_binaries
from tests.helpers import warm
from tests.helpers.builds import share_with_servers
from tests.helpers.order import put_longest_first
from tests.helpers.shop import USUAL, Shops, quiet

STATE = Path(tempfile.gettempdir()) / f"drift-state-{os.getpid()}"
REQUIRE_ALL = "DRILL_REQUIRE_ALL"
"""Set by .ci/run: a skipped test fails the run there, since nothing may be missing."""


def pytest_configure(config: pytest.Config) -> None:
    """Know the markers of the criteria that tests call; let Ctrl-C through.

    A shell withholds Ctrl-C from what it runs in the background, and so from the tests' drills.
    """
    verdict_stage.pytest_configure(config)
    manifest_stage.pytest_configure(config)
    drift_stage.pytest_configure(config)
    recovery_stage.pytest_configure(config)
    trend_stage.pytest_configure(config)
    keep_bytecode()
    share_with_servers()
    # Else xdist begins with the files that have the most tests.
    config.option.loadscopereorder = False
    # Drills of a backup without BACKUP_PATH keep their state there: never in the tester's own.
    os.environ["XDG_STATE_HOME"] = str(STATE)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def keep_bytecode() -> None:
    """Let Python keep bytecode, also where the environment forbids it.

    Each drill compiled some 300 modules, a fifth of its work. A folder apart from the sources would
    hold that of all libraries too, which is there already.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", "")
    sys.dont_write_bytecode = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest where workers share them."""
    if hasattr(config, "workerinput"):
        put_longest_first(items)


def pytest_collection_finish() -> None:
    """Spare the collector of garbage the thousands of tests, which stay."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Two workers a core: a third of the tests' time is waiting for a server or a limit."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return 2 * (os.cpu_count() or 1)


def pytest_unconfigure() -> None:
    """Take away what drills have kept, and what they were forked from."""
    warm.close()
    shutil.rmtree(STATE, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a failure of a skip where all that tests need must be installed."""
    report = yield
    if report.skipped and os.environ.get(REQUIRE_ALL) and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{REQUIRE_ALL} is set and this test was skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shops]:
    """The shop's database and its dumps, for each major version asked for."""
    with contextlib.closing(Shops(tmp_path_factory.mktemp("shops"))) as shops:
        yield shops


@pytest.fixture
def report_dir(tmp_path: Path) -> Path:
    """Where the drill of this test leaves its reports."""
    return tmp_path / "report"


@pytest.fixture(params=["fetched to installed", "installed to fetched"])
def builds(request: pytest.FixtureRequest) -> Iterator[tuple[EmbeddedServer, EmbeddedServer]]:
    """Servers of two builds of one major version; their minor versions may differ."""
    installed = find_binaries(USUAL, note=quiet)
    try:
        fetched = fetch(installed.major, note=quiet)
    except CouldNotRun as error:
        pytest.skip(error.what)
    pair = [fetched, installed] if request.param.startswith("fetched") else [installed, fetched]
    with contextlib.ExitStack() as stack:
        started = []
        for build in pair:
            started.append(server := start_embedded(build, note=quiet, room=0))
            stack.callback(server.stop)
        yield started[0], started[1]
