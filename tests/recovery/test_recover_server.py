"""A recovered server is an embedded one: it crashes and comes back, can be kept, leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from restore_drill.core.errors import BackupFault
from restore_drill.keep.postgres import keep_server
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.executor import REPORT
from restore_drill.recovery.goals import goal_of
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import make_shell
from restore_drill.servers import cleanup, isolation
from restore_drill.servers.cleanup import clean_left_overs
from restore_drill.servers.processes import find_server
from tests.helpers.drills import ROOT
from tests.helpers.physical import majors, source
from tests.helpers.recoveries import events_in, physical_of, recovered
from tests.helpers.shop import quiet


@dataclass
class Shop:
    """A base backup of a server with `one`, and its archive, which has `two`."""

    backup: Path
    archive: Path


@pytest.fixture(scope="module", params=majors(18, 15))
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A base backup, and an archive with one transaction more."""
    with source(request.param, rows=20) as server:
        server.commit("one")
        backup = server.base_backup("backup")
        server.commit("two")
        server.switch()
        yield Shop(backup, server.archive)


@pytest.fixture
def backup(shop: Shop) -> Path:
    """The base backup."""
    return shop.backup


def backends(data: Path) -> list[psutil.Process]:
    """Sessions of the server, and it itself."""
    server = find_server(data)
    assert server is not None
    return [each for each in server.children() if "[local]" in " ".join(each.cmdline())]


@pytest.mark.parametrize("promoted", [True, False])
def test_a_server_is_back_after_a_crash(shop: Shop, *, promoted: bool) -> None:
    """A session that crashes ends all of them; the server recovers by itself."""
    with recovered(shop.backup, wal=shop.archive if promoted else None) as found:
        for _ in range(2):
            with found.server.target("shop").connect() as connection:
                (session,) = backends(found.server.run.data)
                session.send_signal(signal.SIGSEGV)
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("SELECT pg_sleep(5)")
            found.server.wait_until_ready()
            assert events_in(found) == ["one", "two"][: 1 + promoted]


@pytest.mark.parametrize("isolated", [True, False])
def test_a_server_is_started_again_where_it_has_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, isolated: bool
) -> None:
    """On its data as they are, behind walls and without."""
    if not isolated:
        monkeypatch.setitem(isolation.closed, "why", "a test")
    with recovered(shop.backup, wal=shop.archive) as found:
        assert found.server.target("shop").isolated == isolated
        server = find_server(found.server.run.data)
        assert server is not None
        server.kill()
        found.server.wait_until_ready()
        assert events_in(found) == ["one", "two"]
        assert found.server.is_running()


def test_a_recovered_server_can_be_kept(backup: Path) -> None:
    """It lives on under its keeper, with its tablespaces."""
    physical = physical_of(backup)
    shell = make_shell(physical, quiet)
    found = recover(shell, physical, goal_of("latest"), None, quiet, quiet)
    kept = keep_server(found.server, "shop", 60)
    try:
        assert events_in(found) == ["one"]
    finally:
        assert kept.end()
    assert not shell.run.path.exists()


def test_nothing_is_left_of_a_recovery_that_fails(backup: Path) -> None:
    """Neither a server nor its folder."""
    physical = physical_of(backup)
    with make_shell(physical, quiet) as shell, pytest.raises(BackupFault):
        recover(shell, physical, goal_of("name:nowhere"), None, quiet, quiet)
    assert not shell.run.path.exists()
    assert find_server(shell.run.data) is None


def test_what_a_killed_drill_leaves_is_known(backup: Path) -> None:
    """All that lies in its run directory is ours, so that `clean` may remove it."""
    with recovered(backup) as found:
        there = {each.name for each in found.server.run.path.iterdir()}
        assert there <= cleanup.CONTENTS
        assert cleanup.TABLESPACES in there
        assert found.server.run.path.stat().st_mode & 0o077 == 0


class Never(Folder):
    """An archive whose files never come."""

    is_stopped: threading.Event

    def fetch(self, name: str, to: Path) -> bool:
        """Wait until nobody waits any more."""
        self.is_stopped.wait(60)
        return super().fetch(name, to)

    def stop(self) -> None:
        """Let all of them end."""
        self.is_stopped.set()
        super().stop()


class Slow(Folder):
    """An archive whose files take their time."""

    def fetch(self, name: str, to: Path) -> bool:
        """Wait for as long as it takes to be looked at."""
        time.sleep(1.5 * REPORT)
        return super().fetch(name, to)


@pytest.mark.parametrize("isolated", [True, False])
def test_how_far_it_is_is_shown(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, isolated: bool
) -> None:
    """By the segment that the server is at, behind walls and without."""
    if not isolated:
        monkeypatch.setitem(isolation.closed, "why", "a test")
    physical, lines = physical_of(shop.backup), list[str]()
    with make_shell(physical, quiet) as shell:
        archive = Slow(shop.archive)
        found = recover(shell, physical, goal_of("latest"), archive, quiet, lines.append)
        found.server.stop()
    assert not found.faults
    assert [line for line in lines if line.startswith("replaying WAL: ")]
    assert {part.name: part.seconds > 1 for part in found.parts}["fetch"]


def test_a_recovery_that_hangs_can_be_interrupted(shop: Shop) -> None:
    """By a signal, as the drill's limits and Ctrl-C do: nothing is left then."""
    physical = physical_of(shop.backup)

    def ring(*_: object) -> None:
        raise KeyboardInterrupt

    archive = Never(shop.archive)
    archive.is_stopped = threading.Event()
    before = signal.signal(signal.SIGALRM, ring)
    began = time.monotonic()
    try:
        with make_shell(physical, quiet) as shell:
            signal.setitimer(signal.ITIMER_REAL, 2.5)
            with pytest.raises(KeyboardInterrupt):
                recover(shell, physical, goal_of("latest"), archive, quiet, quiet)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 30
    assert find_server(shell.run.data) is None
    assert not shell.run.path.exists()


KILLED = """
import sys, time
from pathlib import Path
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.goals import goal_of
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import make_shell
from tests.helpers.recoveries import physical_of
from tests.helpers.shop import quiet

class Never(Folder):
    def fetch(self, name, to):
        print(shell.run.path, flush=True)
        time.sleep(60)

physical = physical_of(Path(sys.argv[1]))
shell = make_shell(physical, quiet)
recover(shell, physical, goal_of("latest"), Never(Path(sys.argv[2])), quiet, quiet)
"""


def test_what_a_killed_drill_leaves_is_cleaned(shop: Shop) -> None:
    """The server that was recovering, its directory, and what was fetched for it."""
    command = [sys.executable, "-c", KILLED, str(shop.backup), str(shop.archive)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}/src:{ROOT}"},
    ) as process:
        assert process.stdout is not None
        run = Path(process.stdout.readline().strip())
        assert run.is_dir()
        process.kill()
    lines = clean_left_overs()
    assert not run.exists()
    assert any(str(run) in line for line in lines)
    assert find_server(run / cleanup.DATA) is None
