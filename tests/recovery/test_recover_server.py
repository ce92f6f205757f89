"""A recovered server is an embedded one: it crashes and comes back, can be kept, leaves nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from restore_drill.core.errors import BackupFault
from restore_drill.keep.postgres import keep_server
from restore_drill.recovery.goals import goal_of
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import make_shell
from restore_drill.servers import cleanup
from restore_drill.servers.processes import find_server
from tests.helpers.physical import source
from tests.helpers.recoveries import events_in, physical_of, recovered
from tests.helpers.shop import quiet


@pytest.fixture(scope="module", params=[15, 18])
def backup(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A base backup with one transaction of note."""
    with source(request.param, rows=20) as server:
        server.commit("one")
        yield server.base_backup("backup")


def backends(data: Path) -> list[psutil.Process]:
    """Sessions of the server, and it itself."""
    server = find_server(data)
    assert server is not None
    return [each for each in server.children() if "[local]" in " ".join(each.cmdline())]


def test_a_server_is_back_after_a_crash(backup: Path) -> None:
    """A session that crashes ends all of them; the server recovers by itself."""
    with recovered(backup) as found:
        for _ in range(2):
            with found.server.target("shop").connect() as connection:
                (session,) = backends(found.server.run.data)
                session.send_signal(signal.SIGSEGV)
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("SELECT pg_sleep(5)")
            found.server.wait_until_ready()
            assert events_in(found) == ["one"]


def test_a_server_is_started_again_where_it_has_ended(backup: Path) -> None:
    """On its data as they are, by the same way."""
    with recovered(backup) as found:
        server = find_server(found.server.run.data)
        assert server is not None
        server.kill()
        found.server.wait_until_ready()
        assert events_in(found) == ["one"]
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
