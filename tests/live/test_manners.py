"""How a drill behaves on a server that is not its own: its names, settings and locks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from restore_drill.backups.model import Entry, Head
from restore_drill.core.errors import CouldNotRun
from restore_drill.live.locks import refuse_few_locks_in_place
from restore_drill.live.survey import survey
from restore_drill.restore.single_transaction import LOCKS
from restore_drill.servers.model import NAME, Target
from tests.helpers.drills import Drill
from tests.helpers.live import rows_of, url_of

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
    with live.connect() as connection:
        for setting, value in HOSTILE.items():
            connection.execute(f"ALTER ROLE app SET {setting} = '{value}'".encode())
        connection.execute(f"ALTER DATABASE {name} SET idle_session_timeout = '20ms'".encode())
    confirmed = [way, f"--confirm={name}"] if way else []
    accepted = ["--accept-loss"] if way == "--promote" else []

    with names_seen(live) as seen:
        url = f"{url_of(live)}?application_name=shop-web"
        drill = drill_beside(*confirmed, *accepted, DATABASE_URL=url)

    assert drill.code == 0, drill.output
    assert seen == set()
    assert rows_of(live, name, "public.cards") == (200 if way else None)


def test_tables_that_the_server_cannot_lock_at_once_are_refused_at_the_start(live: Target) -> None:
    """With how many locks are needed, how many there are, and the setting."""
    with live.connect() as connection:
        (capacity,) = connection.execute(LOCKS.encode()).fetchone() or (0,)
        connection.execute("CREATE TABLE parts (n int) PARTITION BY LIST (n)")
    table = Entry("TABLE", "public", "t", "")
    fits = Head(entries=(table,) * (capacity // 2))
    assert list(survey(live, fits, 0, 1, promotes=True))

    with pytest.raises(CouldNotRun, match="its server cannot lock enough") as caught:
        list(survey(live, Head(entries=(table,) * (capacity + 1)), 0, 1))

    text = str(caught.value)
    assert f"the backup has {capacity + 1:,} tables" in text
    assert "max_locks_per_transaction is 1024" in text
    assert "SET max_locks_per_transaction = 12" in text
    with live.connect() as connection:
        refuse_few_locks_in_place(live, connection, fits.entries[:9])
        with pytest.raises(CouldNotRun, match="cannot lock enough"):
            refuse_few_locks_in_place(live, connection, fits.entries)
