"""Dumps whose code fills a disk or a memory, or starts processes without end, take no machine."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import bounds, isolation
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.lost import explained_when_lost
from restore_drill.servers.model import Target
from tests.corpus.judge import read_backup, restore, settings_with
from tests.helpers.shop import Shops, fill_shop, pg_dump

FILL = (
    "INSERT INTO public.loot SELECT repeat(md5(n::text), 200) FROM generate_series(1, 100000000) n"
)
HOARD = """DECLARE hoard text[]; BEGIN
    FOR n IN 1..100000 LOOP hoard := hoard || repeat('x', 10000000); END LOOP; END"""
BREED = "COPY public.loot FROM PROGRAM $p$sh -c 'while :; do sleep 20 >/dev/null 2>&1 & done'$p$"
SOURCE = """
CREATE TABLE public.loot (line text);
CREATE TABLE public.rows (n integer);
INSERT INTO public.rows VALUES (1);
CREATE FUNCTION public.deed() RETURNS void LANGUAGE plpgsql
    AS $deed$ BEGIN {body}; END $deed$;
CREATE FUNCTION public.pure(n integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM public.deed(); RETURN n; END';
CREATE INDEX ON public.rows (public.pure(n));
"""
Made = Callable[[str], Path]
Open = Callable[[], Target]


@pytest.fixture
def hostile(shops: Shops, tmp_path: Path) -> Made:
    """Function that makes a dump whose index carries `body` out when it is restored."""

    def make(body: str) -> Path:
        source = shops.database(15, f"limits_{os.urandom(4).hex()}")
        fill_shop(source, SOURCE.replace("{body}", "NULL"))
        create = SOURCE[
            SOURCE.index("CREATE FUNCTION") : SOURCE.index("CREATE FUNCTION public.pure")
        ]
        create = create.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
        fill_shop(source, create.replace("{body}", body))
        return pg_dump(source, tmp_path / "backup.sql")

    return make


@pytest.fixture(params=["behind walls", "in the open"])
def open_target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Function that starts a server of each kind and gives its empty database."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        if request.param == "in the open":
            patch.setattr(isolation, "closed", {"why": "closed for a test"})
        shops = stack.enter_context(contextlib.closing(Shops(tmp_path / "servers")))

        def target() -> Target:
            found = shops.database(15, "copy")
            if request.param == "behind walls" and not found.isolated:
                pytest.skip(f"namespaces are closed here: {isolation.why_not()}")
            return found

        yield target


def error_text(dump: Path, target: Target, folder: Path) -> CouldNotRun:
    """What is reported of restoring `dump` into `target`, which could not be done."""
    facts = read_backup(dump, folder, settings_with())
    with pytest.raises(CouldNotRun) as caught, explained_when_lost(target, "the restore"):
        restore(facts, target)
    return caught.value


def test_a_dump_that_fills_the_disk_is_ended(
    hostile: Made, open_target: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is ended while there is room for others, wherever its data lie."""
    dump = hostile(FILL)
    monkeypatch.setattr(RoomWatch, "least_of", lambda _, free: free - 300_000_000)
    target = open_target()

    told = error_text(dump, target, tmp_path)

    assert told.what.startswith("the throwaway server was stopped before it filled the ")
    assert "are reserved for other programs on this machine" in str(told)
    assert "a dump's code runs during the restore" in str(told)
    with pytest.raises(psycopg.OperationalError):
        target.connect()


def test_only_a_part_of_what_is_free_may_be_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk all but a twentieth, 2 GB at most; in memory no more than is available."""
    monkeypatch.setattr(bounds, "available_memory", lambda: 1_000_000)
    disk, memory = (RoomWatch(tmp_path, pytest.fail, in_memory=where) for where in (False, True))
    for watch in (disk, memory):
        watch.stop()

    assert disk.least_of(10_000_000_000) == 500_000_000
    assert disk.least_of(10_000_000_000_000) == 2_000_000_000
    assert memory.least_of(10_000_000) == 9_200_000
    assert memory.least_of(500_000) == 100_000
    assert disk.error() is None


def test_a_dump_that_uses_up_the_inodes_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many empty files fill a disk, too: it is ended while some can still be made."""
    left = iter([40_000, 30_000, 2_001, 1_999])
    counted = bounds.files_left
    # The servers that the tests share are watched over in this process, too.
    monkeypatch.setattr(
        bounds, "files_left", lambda place: next(left) if place == tmp_path else counted(place)
    )
    ended = threading.Event()

    watch = RoomWatch(tmp_path, ended.set)

    assert ended.wait(10)
    watch.thread.join(10)
    error = watch.error()
    assert error is not None
    assert (
        error.what == "the throwaway server was stopped before it filled the file system with files"
    )
    assert f"1,999 inodes were free in {tmp_path}, and 2,000 are reserved" in str(error)
    assert "df -i" in str(error)


def test_a_file_system_that_counts_no_inodes_has_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Btrfs says that it has none in all, which is no limit; others say how many are free."""
    known = os.statvfs(tmp_path)
    assert bounds.files_left(tmp_path) > 0
    uncounted = os.statvfs_result([*known[:5], 0, 0, 0, *known[8:10]])
    monkeypatch.setattr(os, "statvfs", lambda _: uncounted)
    assert bounds.files_left(tmp_path) == bounds.NO_LIMIT


def test_a_dump_that_fills_the_memory_is_ended(
    hostile: Made, open_target: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process gets a part of the memory, and says so when it wants more."""
    dump = hostile(HOARD)
    monkeypatch.setattr(bounds, "memory", lambda: 600_000_000)

    told = error_text(dump, open_target(), tmp_path)

    assert told.what == "the restore stopped: memory ran out"
    assert "out_of_memory" in str(told)


def test_a_dump_that_starts_processes_without_end_is_ended(
    hostile: Made, open_target: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is an end to them, and the restore is not called a success."""
    dump = hostile(BREED)
    monkeypatch.setattr(bounds, "EXTRA_PROCESSES", 50)
    before = len(psutil.pids())

    told = error_text(dump, open_target(), tmp_path)

    assert told.what == "the restore stopped: a program started by code in the dump failed"
    assert len(psutil.pids()) < before + 1000


def test_the_server_has_limits_and_goes_first(open_target: Open) -> None:
    """Each backend has them, and the kernel takes them before others where memory runs out."""
    with open_target().connect() as connection:
        rows = connection.execute(
            "SELECT pg_read_file('/proc/self/' || name, 0, 10000)"
            " FROM unnest('{limits,oom_score_adj}'::text[]) name"
        ).fetchall()
    limits, score = (text for (text,) in rows)
    found = dict(re.findall(r"Max (data size|processes) +(\d+) ", limits))

    assert int(found["data size"]) == bounds.limits()["data"]
    assert int(found["processes"]) >= bounds.limits()["processes"]
    assert score == "1000\n"
