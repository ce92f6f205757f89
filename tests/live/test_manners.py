"""How a drill behaves on a server that is not its own: its names, settings and locks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from restore_drill.backups.model import Entry, Head
from restore_drill.backups.read import sha256_of
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.record import Record
from restore_drill.live.in_place.safety import BEFORE_DRILL, take_snapshot
from restore_drill.live.in_place.snapshots import count_snapshots, keep_newest, refuse_changed
from restore_drill.live.server.identity import identity_of_server
from restore_drill.live.server.locks import refuse_few_locks_in_place
from restore_drill.live.survey import survey
from restore_drill.manifest.file import manifest_path
from restore_drill.restore.single_transaction import LOCKS
from restore_drill.servers.model import NAME, Target
from tests.helpers.drills import Drill, run_drill
from tests.helpers.live import rows_of, url_of
from tests.helpers.shop import quiet

HOSTILE = {
    "statement_timeout": "20ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "20ms",
    "idle_session_timeout": "20ms",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "row_security": "off",
    "search_path": "nowhere",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Asia/Tokyo",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "transform_null_equals": "on",
    "client_min_messages": "debug1",
}
"""Settings of a role, each of which has broken a tool of somebody."""

OTHER_NAMES = """
    SELECT application_name, query FROM pg_stat_activity WHERE usename = 'app'
        AND state IS NOT NULL AND application_name <> %s
"""


@contextmanager
def names_seen(live: Target) -> Iterator[set[str]]:
    """What other names the sessions of the role app have while this lasts."""
    seen: set[str] = set()
    is_over = threading.Event()

    def watch() -> None:
        with live.connect(dbname="postgres", user="postgres") as connection:
            while not is_over.wait(0.01):
                found = connection.execute(OTHER_NAMES.encode(), [NAME]).fetchall()
                seen.update(f"{name}: {query}" for name, query in found)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize("way", ["", "--promote", "--in-place"])
def test_no_setting_of_role_or_database_breaks_or_renames_a_drill(
    way: str, live: Target, drill_beside: Callable[..., Drill]
) -> None:
    """Its sessions and tools keep their own timeouts and name, whatever DATABASE_URL says."""
    name = live.conninfo["dbname"]
    # In place that one is refused: others are kept from writing by it.
    left_out = {"default_transaction_read_only"} if way == "--in-place" else set()
    with live.connect() as connection:
        for setting in HOSTILE.keys() - left_out:
            value = HOSTILE[setting]
            connection.execute(f"ALTER ROLE app SET {setting} = '{value}'".encode())
        connection.execute(f"ALTER DATABASE {name} SET idle_session_timeout = '20ms'".encode())
    confirmed = [way, f"--confirm={name}"] if way else []
    accepted = ["--accept-loss"] if way == "--promote" else []

    with names_seen(live) as seen:
        url = f"{url_of(live)}?application_name=shop-web"
        drill = drill_beside(*confirmed, *accepted, DATABASE_URL=url)

    assert drill.code == 0, drill.output
    assert seen == set()
    with live.connect(dbname="postgres") as connection:  # ours would be ended as well
        connection.execute(f"ALTER DATABASE {name} RESET idle_session_timeout".encode())
    assert rows_of(live, name, "public.cards") == (200 if way else None)


def test_snapshots_are_for_their_owner_proved_by_a_manifest_counted_and_pruned(
    live: Target, tmp_path: Path, report_dir: Path
) -> None:
    """Never one that a journal names, none that was not proved, and no other database's."""
    folder, server = tmp_path / "new" / "snapshots", identity_of_server(live)
    taken = [
        take_snapshot(live, folder, name=BEFORE_DRILL, jobs=1, progress=quiet).path
        for _ in range(4)
    ]
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    first, second, third, newest = taken
    (folder / "reset_1.json").write_text(json.dumps({"snapshot": first.name}))
    manifest_path(second).unlink()
    (folder / "pre_drill_snapshot_20991231_000000.dump").write_text("not proved")
    record = Record(snapshot={})

    other = keep_newest(folder, server._replace(oid=1), 1)
    assert keep_newest(folder, server, 1, [third.name]).gone == []
    line = count_snapshots(folder, server, 1, record)

    assert (other.paths, other.gone) == ([], []) and set(other.former) == set(taken)
    assert "4 of an earlier database of that name" in other.line
    assert keep_newest(folder, server._replace(database="x"), 1).former == []
    assert record.snapshot == {
        "kept": 3, "kept_bytes": 3 * newest.stat().st_size, "removed": [third.name]
    }  # fmt: skip
    assert "3 snapshots of it are kept" in line
    assert "1 older one was removed" in line
    assert not list(folder.glob(f"{third.name}*"))
    assert [path.exists() for path in (first, second, newest)] == [True] * 3

    drill = run_drill(f"--backup={newest}", report_dir=report_dir)
    assert (drill.code, drill.result["strength"]) == (0, "proven"), drill.output

    refuse_changed(newest, sha256_of(newest))
    with pytest.raises(CouldNotRun, match="has changed since it was taken"):
        refuse_changed(newest, "0" * 64)


def test_a_journal_that_cannot_be_read_keeps_all_snapshots(live: Target, tmp_path: Path) -> None:
    """It may name any of them."""
    for _ in range(2):
        take_snapshot(live, tmp_path, name=BEFORE_DRILL, jobs=1, progress=quiet)
    (tmp_path / "reset_1.json").write_text("{")

    assert len(keep_newest(tmp_path, identity_of_server(live), 1).paths) == 2


def test_tables_that_the_server_cannot_lock_at_once_are_refused_at_the_start(live: Target) -> None:
    """With how many locks are needed, how many there are, and the setting."""
    with live.connect() as connection:
        (capacity,) = connection.execute(LOCKS.encode()).fetchone() or (0,)
        connection.execute("CREATE TABLE parts (n int) PARTITION BY LIST (n)")
    table = Entry("TABLE", "public", "t", "")
    fits = Head(entries=(table,) * (capacity // 2))
    assert list(survey(live, fits, 0, 1, promotes=True))

    with pytest.raises(CouldNotRun, match="its server cannot hold enough locks") as caught:
        list(survey(live, Head(entries=(table,) * (capacity + 1)), 0, 1))

    text = str(caught.value)
    assert f"the backup has {capacity + 1:,} tables" in text
    assert "max_locks_per_transaction is 1024" in text
    assert "SET max_locks_per_transaction = 12" in text
    with live.connect() as connection:
        refuse_few_locks_in_place(live, connection, fits.entries[:9])
        with pytest.raises(CouldNotRun, match="cannot hold enough locks"):
            refuse_few_locks_in_place(live, connection, fits.entries)
