"""A drill in place that is killed, or whose server is: nothing is lost, the next run goes on."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.facts.entries import output_of
from restore_drill.live.in_place import rehearsal, roll_back
from restore_drill.live.in_place.decision import Outcome, decide
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import KEPT, resets_of
from restore_drill.live.in_place.left import settle
from restore_drill.live.in_place.noted import snapshot_record
from restore_drill.live.in_place.others import Watch
from restore_drill.live.in_place.place import InPlace
from restore_drill.live.in_place.safety import Snapshot
from restore_drill.live.in_place.shut import in_place, kept_shut
from restore_drill.manifest.settle import differences
from restore_drill.restore.archive import restore_archive
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from tests.helpers.in_place import (
    as_live,
    drill_and_kill,
    live_of_keeper,
    reset,
    rolled_back_by_command,
    set_up,
)
from tests.helpers.live import fingerprint
from tests.helpers.swaps import connect, started

SHOP = """
    SET ROLE keeper;
    CREATE TABLE public.cards (id serial PRIMARY KEY, title text);
    INSERT INTO public.cards (title) SELECT 'card ' || n FROM generate_series(1, 50) n;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """The server of this module, which starts again after a crash."""
    with started(15, restart_after_crash="on") as running:
        with running.target("postgres").connect() as connection:
            connection.execute("CREATE ROLE keeper LOGIN")
        yield running


@pytest.fixture
def shop(server: EmbeddedServer, request: pytest.FixtureRequest) -> Target:
    """A live database of the role keeper."""
    return live_of_keeper(server, request.node.name, SHOP)


def is_open(live: Target) -> bool:
    """Whether others may write into the database."""
    return set_up(live) == (-1, None)


@pytest.mark.parametrize("moment", ["locked", "shut", "snapshot"])
def test_killed_before_the_reset(moment: str, shop: Target, tmp_path: Path) -> None:
    """Nothing is lost, and the next run opens the database and goes on."""
    before = fingerprint(shop)

    killed = drill_and_kill(shop, tmp_path, moment)

    assert killed.returncode == -9, killed.stdout + killed.stderr
    assert is_open(shop) == (moment == "locked")
    with in_place(shop, tmp_path, 1.0) as place:
        assert len(settle(place)) == (moment != "locked")
        place.examine()
        with kept_shut(place):
            assert not is_open(shop)
    assert is_open(shop)
    assert list(tmp_path.glob("reset_*")) == []
    assert differences(before, fingerprint(shop), shop) == []


@pytest.mark.parametrize(
    "moment", ["noted", "being reset", "reset", "reset again", "restored again"]
)
def test_killed_before_the_verdict(moment: str, shop: Target, tmp_path: Path) -> None:
    """It stays shut; the next run refuses, takes no journal away, and the command rolls back."""
    before = fingerprint(shop)

    killed = drill_and_kill(shop, tmp_path, moment)

    assert killed.returncode == -9, killed.stdout + killed.stderr
    assert not is_open(shop)
    for _ in range(2):
        with (
            pytest.raises(CouldNotRun, match="stopped after it had reset") as caught,
            in_place(shop, tmp_path, 1.0) as place,
        ):
            settle(place)
        assert "rollback " in str(caught.value) and "--confirm-reset 'shop " in str(caught.value)
    rolled_back_by_command(shop, tmp_path)
    assert is_open(shop)
    assert list(tmp_path.glob("reset_*")) == []
    assert differences(before, fingerprint(shop), shop) == []


@pytest.mark.parametrize(("verdict", "moment"), [("keep", "kept"), ("back", "rolled back")])
def test_killed_after_the_verdict(verdict: str, moment: str, shop: Target, tmp_path: Path) -> None:
    """The next run opens the database, and leaves what it holds."""
    before = fingerprint(shop)

    killed = drill_and_kill(shop, tmp_path, moment, verdict)

    assert killed.returncode == -9, killed.stdout + killed.stderr
    assert not is_open(shop)
    with in_place(shop, tmp_path, 1.0) as place:
        (line,) = settle(place)
    assert moment in line
    assert is_open(shop)
    assert (differences(before, fingerprint(shop), shop) == []) == (moment == "rolled back")


def test_a_server_that_crashes_is_waited_for(shop: Target, tmp_path: Path) -> None:
    """Between reset and rollback; all sessions, the lock's too, are new ones then."""
    before = fingerprint(shop)
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place), held(place) as (hold, kept):
        with contextlib.suppress(psycopg.OperationalError), as_live(shop).connect() as victim:
            victim.execute("COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'")
        end(place, hold, kept, ["a criterion: failed"])
    assert is_open(shop)
    assert differences(before, fingerprint(shop), shop) == []


def test_what_others_wrote_meanwhile_is_kept(shop: Target, tmp_path: Path) -> None:
    """Who came in may have written: what the database holds is kept before it is rolled back."""
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place), held(place) as (hold, kept):
        with contextlib.suppress(psycopg.OperationalError), connect(shop, "keeper", "x") as late:
            late.execute("SET default_transaction_read_only = off")
            late.execute("CREATE TABLE public.written AS SELECT 1 AS n")
            late.execute("SELECT pg_sleep(5)")
        record = end(place, hold, kept, ["a criterion: failed"])
    assert record.snapshot is not None and record.snapshot["rolled_back"] is True
    (saved,) = tmp_path.glob("pre_rollback_snapshot_*.dump")
    assert str(saved) in "".join(record.warnings)
    assert any('"x"' in note for note in record.notes)


def written(live: Target, text: str) -> None:
    """Write a row as a stranger who comes, asks for read-write, writes and is gone."""
    with connect(live, "keeper", "") as stranger:
        stranger.execute(
            "BEGIN READ WRITE; CREATE TABLE IF NOT EXISTS public.wlog (name text);"
            f" INSERT INTO public.wlog VALUES ('{text}'); COMMIT".encode()
        )


def rows_kept(live: Target, folder: Path) -> set[str]:
    """Rows of strangers in the snapshots that were taken before a rollback."""
    found: set[str] = set()
    for path in folder.glob("pre_rollback_snapshot_*.dump"):
        command = [live.binaries.tool("pg_restore"), "-a", "-t", "wlog", "-f", "-", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found |= {row for row in done.stdout.split() if row in ("W1", "W2")}
    return found


def test_what_nobody_saw_being_written_is_kept(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what came between two attempts, the first of which did not bring all back."""
    before = fingerprint(shop)
    monkeypatch.setattr(Watch, "look", lambda *_: None)
    restore, resets = restore_archive, list[Any]()

    def restored(*given: Any) -> Any:
        done = restore(*given)
        if not resets:
            written(shop, "W2")
        resets.append(done)
        return done

    monkeypatch.setattr(roll_back, "restore_archive", restored)
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place), held(place) as (hold, kept):
        written(shop, "W1")
        record = end(place, hold, kept, ["a criterion: failed"])
    assert record.snapshot is not None and record.snapshot["rolled_back"] is True
    assert len(resets) == 2
    assert rows_kept(shop, tmp_path) == {"W1", "W2"}
    assert differences(before, fingerprint(shop), shop) == []
    assert any("others may have connected unnoticed" in note for note in record.notes)


@pytest.mark.parametrize("after", ["keep", "rollback"])
def test_after_a_pass(after: str, shop: Target, tmp_path: Path) -> None:
    """The proved copy stays, or is taken back for a rehearsal; both are open, and reported."""
    before = fingerprint(shop)
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place), held(place) as (hold, kept):
        record = end(place, hold, kept, [], after)
    assert is_open(shop) and list(tmp_path.glob("reset_*")) == []
    told = record.snapshot
    assert told is not None
    if after == "keep":
        assert told["live_database"] == "holds the backup" and told["rolled_back"] is None
        assert "public.cards: 50 rows before the drill, no such table in the backup" in told["lost"]
        return
    assert told["lost"] is None
    assert told["live_database"].startswith("as it was before the drill")
    assert told["rolled_back"] is True
    assert differences(before, fingerprint(shop), shop) == []


def test_a_comparison_that_breaks_keeps_no_database_shut(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the verdict lists decides nothing: it is on the disk by then."""
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place), held(place) as (hold, kept):

        def breaks(*_: object) -> None:
            assert resets_of(tmp_path, place.server)[0].step == KEPT
            raise MemoryError

        monkeypatch.setattr("restore_drill.live.in_place.loss.read_bounded", breaks)
        record = end(place, hold, kept, [])
    assert is_open(shop) and record.snapshot is not None
    assert record.snapshot["lost"] == [
        ("it could not be compared with its earlier state: MemoryError")
    ]


def test_a_journal_that_cannot_be_removed_is_named(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder has become read-only: the database is open, and the next run would not know."""

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place), held(place) as (hold, kept):
        with monkeypatch.context() as patch:
            patch.setattr("restore_drill.live.in_place.journal.see_written", refuse)
            patch.setattr("restore_drill.live.in_place.journal.remove", refuse)
            with pytest.raises(CouldNotRun, match="its journal cannot be removed") as caught:
                end(place, hold, kept, [])
        (path,) = tmp_path.glob("reset_*")
        assert f"rm {path}" in str(caught.value)
    assert is_open(shop)


def test_a_database_that_cannot_be_opened_says_so(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run opens it; the verdict says what it holds, and how to open it by hand."""
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place), held(place) as (hold, kept):

        def refuse(*_: object) -> None:
            raise psycopg.OperationalError("gone")

        with monkeypatch.context() as patch:
            patch.setattr("restore_drill.live.in_place.door.give", refuse)
            with pytest.raises(CouldNotRun, match="is still shut"):
                end(place, hold, kept, [])
    (journal,) = resets_of(tmp_path, place.server)
    assert journal.step == KEPT
    with in_place(shop, tmp_path, 1.0) as place:
        assert len(settle(place)) == 1
    assert is_open(shop)


@contextlib.contextmanager
def held(place: InPlace) -> Iterator[tuple[Hold, Snapshot]]:
    """The database of `place`, which is shut, after its reset."""
    with Hold(place.target, place.lock) as hold:
        yield hold, reset(place, hold)


def end(
    place: InPlace, hold: Hold, kept: Snapshot, unproved: list[str], after: str = "keep"
) -> Record:
    """The verdict on the database."""
    steps = Steps(lambda: contextlib.nullcontext(None), lambda: 80)
    record = Record(snapshot=snapshot_record(kept))
    time.sleep(0.3)  # as long as a drill verifies, at the very least
    decide(kept, hold, place, Outcome(unproved, [], after), 2, steps, record)
    return record


def test_a_full_disk_is_a_cause_of_its_own(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first statement that has no room ends the rehearsal; the rest would not fit either."""
    before = fingerprint(shop)
    full = b"DO $$ BEGIN RAISE 'no room' USING ERRCODE = 'disk_full'; END $$;\nSELECT nothing;\n"
    monkeypatch.setattr(rehearsal, "output_of", lambda dump: (full, output_of(dump)[1]))

    with (
        pytest.raises(CouldNotRun, match="the disk of its server is full") as caught,
        in_place(shop, tmp_path, 1.0) as place,
        kept_shut(place),
        Hold(place.target, place.lock) as hold,
    ):
        reset(place, hold)

    why = str(caught.value)
    assert "53100" in why
    assert "free at least 64.0 MB on the server's disk first" in why
    assert "superuser" not in why and "--promote" not in why and "SQLSTATE 42" not in why
    assert differences(before, fingerprint(shop), shop) == []
