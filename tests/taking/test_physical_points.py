"""Points of the WAL whose recovery brings what a snapshot sees, under load, by real recoveries."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.taking.physical import point as module
from tests.helpers.physical import Source, copied, majors, source
from tests.helpers.points import TABLES, Known, finding_on, known_point, load, recovered
from tests.helpers.shop import quiet

DELAY = "500"
"""Microseconds of each flush: most transactions that end wait for the disk, as on a real one."""


@pytest.fixture(scope="module", params=majors(18, 15))
def busy(request: pytest.FixtureRequest) -> Iterator[Source]:
    """Server that is to be written to, with a base backup `base` of it."""
    with source(
        request.param, rows=50, max_prepared_transactions="20",
        commit_delay=DELAY, commit_siblings="2",
    ) as found:  # fmt: skip
        found.sql(TABLES)
        found.base_backup("base")
        yield found


def held_to(busy: Source, known: Known, lsn: int) -> tuple[str, list[str]]:
    """Why the base backup recovered to `lsn` cannot be held to `known`, and how it differs."""
    data = copied(busy.folder / "base", busy.folder / "copy")
    try:
        with recovered(busy, data, lsn, fetch=f"cp {busy.archive}/%f %p") as target:
            return known.why_not(target), known.differences(target)
    finally:
        shutil.rmtree(data)
        shutil.rmtree(f"{data}.ts1")


def test_recovery_to_a_point_brings_what_its_snapshot_sees(
    busy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever transactions of every kind are doing; one record further, something is different."""
    with load(busy):
        points = [known_point(busy, tmp_path / "usual")]
        with monkeypatch.context() as patch:
            patch.setattr(module, "MOST", 0)  # read from the mark before the snapshots alone
            points.append(known_point(busy, tmp_path / "near"))
    with load(busy, names=("usual", "emptied")):
        points.append(known_point(busy, tmp_path / "emptied"))
    with load(busy, names=("usual",)):
        last = known_point(busy, tmp_path / "last")
    busy.switch()

    for each in (*points, last):
        assert held_to(busy, each, each.point.lsn) == ("", [])
    why, differences = held_to(busy, last, last.point.before)
    assert "recovery ended at" in why and last.point.recover_to in why
    assert any(each.startswith("table public.") for each in differences)


def test_a_commit_that_waits_for_a_standby_is_told(
    busy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the WAL, and nobody sees it: a recovered server has it, at whichever point."""
    monkeypatch.setattr(module, "SECONDS", 1.0)
    busy.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    busy.sql("SELECT pg_reload_conf()")
    with busy.connect() as waiting:
        thread = threading.Thread(
            target=lambda: waiting.execute("INSERT INTO queue VALUES (7, 'waits')")
        )
        thread.start()
        try:
            until = time.monotonic() + 20
            while not busy.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"):
                assert time.monotonic() < until
                time.sleep(0.05)
            assert finding_on(busy, tmp_path / "in").find(quiet) is None
            with busy.connect() as connection:
                connection.execute("SET synchronous_commit = local")
                connection.execute("SELECT pg_switch_wal()")
            known = known_point(busy, tmp_path / "before")
        finally:
            busy.sql("ALTER SYSTEM RESET synchronous_standby_names")
            busy.sql("SELECT pg_reload_conf()")
            waiting.cancel()
            thread.join()
    busy.switch()

    assert len(known.point.unfinished) == 1
    why, differences = held_to(busy, known, known.point.lsn)
    assert why.startswith("1 transaction had been committed and could not be seen yet")
    (only,) = differences
    assert only.startswith("table public.queue has ") and only.endswith(": 1 too many")
