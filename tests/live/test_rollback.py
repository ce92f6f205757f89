"""A drill that is interrupted or killed is rolled back, at once or by command."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.manifest.settle import differences
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill
from tests.helpers.live import (
    LIVE,
    fingerprint,
    journals,
    roll_back_by_command,
    snapshots,
    start_and_wait_for_reset,
)
from tests.helpers.shop import fill_shop, quiet


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_drill_rolls_back(
    number: signal.Signals, live: Target, backups: Path, report_dir: Path
) -> None:
    """Ctrl-C or SIGTERM after the reset brings the database back before the drill ends."""
    before = fingerprint(live)
    process = start_and_wait_for_reset(live, backups, report_dir)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert differences(before, fingerprint(live), live) == []
    assert "a comparison proves that the database is as it was" in output


def test_killed_drill_is_found_and_rolled_back_by_command(
    live: Target, backups: Path, report_dir: Path, drill_live: Callable[..., Drill]
) -> None:
    """After a kill the next drill refuses, names the way back, and the way works."""
    before = fingerprint(live)
    process = start_and_wait_for_reset(live, backups, report_dir)
    process.kill()
    process.communicate()
    with live.connect(dbname="postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [live.conninfo["dbname"]],
        )

    drill = drill_live()

    assert drill.code == 6, drill.output
    (snapshot,) = [name for name in snapshots(backups) if name.endswith(".dump")]
    command = f"python -m drill rollback {backups / 'snapshots' / snapshot}"
    assert command in drill.output
    other = roll_back_by_command(live, backups / "snapshots" / snapshot, name="postgres")
    assert other.returncode == 4, other.stdout + other.stderr
    assert "--confirm-reset names 'postgres', DATABASE_URL the database" in other.stderr
    assert snapshots(backups) == [snapshot] and len(journals(backups)) == 1

    done = roll_back_by_command(live, backups / "snapshots" / snapshot)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "a comparison proves that it is as it was when the snapshot was taken" in done.stdout
    assert differences(before, fingerprint(live), live) == []
    assert journals(backups) == []

    with live.connect() as connection:
        connection.execute("INSERT INTO only_live VALUES (99)")
    again = roll_back_by_command(live, backups / "snapshots" / snapshot)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "a comparison proves" in again.stdout
    assert differences(before, fingerprint(live), live) == []


def test_rollback_can_be_taken_back(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """A rollback keeps what it is about to drop, under a snapshot of its own."""
    assert drill_live().code == 0
    (snapshot,) = (backups / "snapshots").glob("*.dump")
    backup = fingerprint(live)

    done = roll_back_by_command(live, snapshot)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 snapshots of it are kept" in done.stdout
    (kept,) = re.findall(r"is kept in (\S+)", done.stdout)
    back = roll_back_by_command(live, Path(kept))
    assert back.returncode == 0, back.stdout + back.stderr
    assert differences(backup, fingerprint(live), live) == []


def test_second_interrupt_waits_for_the_rollback(
    live: Target, backups: Path, report_dir: Path
) -> None:
    """Ctrl-C again and again does not interrupt the way back, nor does SIGTERM."""
    before = fingerprint(live)
    process = start_and_wait_for_reset(live, backups, report_dir)
    for number in (signal.SIGINT, *[signal.SIGINT, signal.SIGTERM] * 20):
        if process.poll() is None:
            process.send_signal(number)
            time.sleep(0.05)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert differences(before, fingerprint(live), live) == []
    assert "a comparison proves that the database is as it was" in output
    assert journals(backups) == []


def test_failed_rollback_says_what_the_database_holds(
    live: Target, backups: Path, report_dir: Path
) -> None:
    """A rollback that fails reports the state of the live database and the command that goes on."""
    process = start_and_wait_for_reset(live, backups, report_dir)
    (snapshot,) = (backups / "snapshots").glob("*.dump")
    good = snapshot.read_bytes()
    snapshot.write_bytes(good[: len(good) // 2])
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert "was NOT rolled back: it holds" in output
    assert f"python -m drill rollback {snapshot} --confirm-reset" in output
    assert "was not touched" not in output
    result = json.loads((report_dir / "result.json").read_text())
    told = result["snapshot"]
    assert told["rolled_back"] is False and "NOT rolled back" in told["live_database"]
    assert {each["id"] for each in result["checks"] if "NOT rolled back" in each["message"]} == {
        "drill::live_database"
    }
    assert len(journals(backups)) == 1

    snapshot.write_bytes(good)
    done = roll_back_by_command(live, snapshot)

    assert done.returncode == 0, done.stdout + done.stderr


def test_rollback_into_another_server_is_refused(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """A snapshot goes back to the very database it is of, not to one of the same name elsewhere."""
    assert drill_live().code == 0
    (snapshot,) = (backups / "snapshots").glob("*.dump")
    with start_embedded(find_binaries(15, note=quiet), note=quiet) as server:
        # Both clusters are copies of one that was prepared, as a physical clone is: the databases'
        # numbers tell them apart, as soon as another number of databases was made.
        server.create_database("another")
        elsewhere = server.create_database(live.conninfo["dbname"])
        fill_shop(elsewhere, LIVE)
        before = fingerprint(elsewhere)

        done = roll_back_by_command(elsewhere, snapshot)

        assert done.returncode == 4, done.stdout + done.stderr
        assert "nothing was touched" in done.stderr
        assert differences(before, fingerprint(elsewhere), elsewhere) == []
