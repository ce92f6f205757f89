"""What a killed drill in place has left, for whoever lacks its journal: the mark says all of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import resets_of
from restore_drill.live.in_place.left import adopt, settle
from restore_drill.live.in_place.mark import mark_on
from restore_drill.live.in_place.noted import noting_still_shut
from restore_drill.live.in_place.safety import take_snapshot
from restore_drill.live.in_place.shut import in_place, kept_shut
from restore_drill.live.in_place.snapshots import keep_newest
from restore_drill.manifest.settle import differences
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from restore_drill.watch.clean import is_marked
from tests.helpers.drills import command
from tests.helpers.in_place import drill_and_kill, live_of_keeper, rolled_back_by_command
from tests.helpers.live import fingerprint, url_of
from tests.helpers.shop import quiet
from tests.helpers.swaps import started

SHOP = """
    SET ROLE keeper;
    CREATE TABLE public.cards (id serial PRIMARY KEY, title text);
    INSERT INTO public.cards (title) SELECT 'card ' || n FROM generate_series(1, 50) n;
"""
SET_UP = """
    SELECT datconnlimit, shobj_description(d.oid, 'pg_database'), setconfig FROM pg_database d
    LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid WHERE datname = current_database()
"""
FORMER = (40, "the 'shop'", ["default_transaction_read_only=off"])


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """The server of this module."""
    with started(15) as running:
        with running.target("postgres").connect() as connection:
            connection.execute("CREATE ROLE keeper LOGIN")
        yield running


@pytest.fixture
def shop(server: EmbeddedServer, request: pytest.FixtureRequest) -> Target:
    """A live database of the role keeper, with a connection limit, a comment and a setting."""
    live = live_of_keeper(server, request.node.name, SHOP)
    name = live.conninfo["dbname"]
    with live.connect() as connection:
        for change in (
            f'ALTER DATABASE "{name}" CONNECTION LIMIT 40',
            f"COMMENT ON DATABASE \"{name}\" IS 'the ''shop'''",
            f'ALTER DATABASE "{name}" SET default_transaction_read_only = off',
        ):
            connection.execute(change.encode())
    return live


def set_up(live: Target) -> object:
    """What is set for the database, with its comment."""
    with live.connect() as connection:
        return connection.execute(SET_UP.encode()).fetchone()


def left(live: Target, folder: Path) -> str:
    """Why the next drill, whose journals are in `folder`, does not run."""
    with pytest.raises(CouldNotRun) as caught, in_place(live, folder, 1.0) as place:
        settle(place)
    return str(caught.value)


def test_a_reset_without_its_journal_is_rolled_back_from_another_folder(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run names snapshot, machine and what opens it by hand; the command opens it so."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    before = fingerprint(shop)
    assert drill_and_kill(shop, here, "reset").returncode == -9
    why = left(shop, elsewhere)
    assert "that was on this machine" in why and f"there is no {elsewhere}/pre_drill" in why
    assert "rollback FOLDER/pre_drill_snapshot_" in why
    with monkeypatch.context() as patch:
        patch.setattr("platform.node", lambda: "another")
        assert "bring pre_drill_snapshot_" in left(shop, elsewhere)
    elsewhere.mkdir(exist_ok=True)
    for path in here.glob("pre_drill_snapshot_*"):
        path.rename(elsewhere / path.name)

    why = left(shop, elsewhere)

    (snapshot,) = elsewhere.glob("*.dump")
    assert f"its journal is not in {elsewhere}" in why and f"snapshot {snapshot.name}" in why
    assert f"rollback {snapshot} --confirm-reset" in why
    given = {"DATABASE_URL": url_of(shop, "keeper"), "BACKUP_PATH": str(elsewhere)}
    cleaned = command("clean", **given)
    assert cleaned.returncode == 6 and "stopped after it had reset" in cleaned.stdout
    assert "nothing to clean up" not in cleaned.stdout
    for part in ("CONNECTION LIMIT 40", "IS 'the ''shop'''", "= 'off'"):
        assert part in why
    with in_place(shop, elsewhere, 1.0) as place:
        adopt(place)
    rolled_back_by_command(shop, elsewhere)
    assert differences(before, fingerprint(shop), shop) == []
    assert set_up(shop) == FORMER and mark_on(shop) is None
    why = left(shop, here)
    (path,) = here.glob("reset_*")
    assert "if it was rolled back or opened elsewhere" in why and f"rm {path}" in why


def test_a_database_that_was_only_shut_is_opened_from_anywhere(
    shop: Target, tmp_path: Path
) -> None:
    """The journal that stays on the first machine sets nothing any more, and goes."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    assert drill_and_kill(shop, here, "snapshot").returncode == -9
    assert set_up(shop) != FORMER and is_marked(url_of(shop, "keeper"))

    with in_place(shop, elsewhere, 1.0) as place:
        (line,) = settle(place)

    assert "others may write into it again" in line and set_up(shop) == FORMER
    assert not is_marked(url_of(shop, "keeper"))
    with shop.connect() as connection:
        name = shop.conninfo["dbname"]
        connection.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 50'.encode())
    with in_place(shop, here, 1.0) as place:
        (line,) = settle(place)
    assert "and it is open" in line and set_up(shop) == (50, *FORMER[1:])
    assert [*here.glob("reset_*"), *elsewhere.glob("reset_*")] == []


def test_an_older_journal_does_not_open_what_was_reset_elsewhere(
    shop: Target, tmp_path: Path
) -> None:
    """It says that the database was shut; since then it was reset from another machine."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    assert drill_and_kill(shop, here, "snapshot").returncode == -9
    with in_place(shop, elsewhere, 1.0) as place:
        settle(place)
    with shop.connect() as connection:
        connection.execute(f'COMMENT ON DATABASE "{shop.conninfo["dbname"]}" IS NULL'.encode())
    assert drill_and_kill(shop, elsewhere, "reset").returncode == -9

    assert "stopped after it had reset" in left(shop, here)

    with in_place(shop, here, 1.0) as place:
        adopt(place)
        assert place.is_undecided and place.journal is not None
        assert place.journal.comment is None
    rolled_back_by_command(shop, elsewhere)
    assert set_up(shop) == (FORMER[0], None, FORMER[2])


def test_a_damaged_journal_is_put_aside(shop: Target, tmp_path: Path) -> None:
    """The advice is that of a reset; the next run finds all that it needs on the database."""
    assert drill_and_kill(shop, tmp_path, "reset").returncode == -9
    (path,) = tmp_path.glob("reset_*")
    path.write_text(path.read_text().replace("RESET", "x", 1).replace("oid", "oId", 1))

    why = left(shop, tmp_path)

    assert f"mv {path} {path}.damaged" in why and "_before_" not in why
    path.rename(f"{path}.damaged")
    assert f"rollback {tmp_path}/pre_drill_snapshot_" in left(shop, tmp_path)
    with in_place(shop, tmp_path, 1.0) as place:
        adopt(place)
    rolled_back_by_command(shop, tmp_path)
    assert set_up(shop) == FORMER


def test_a_rollback_to_an_older_snapshot_leaves_the_way_back_named(
    shop: Target, tmp_path: Path
) -> None:
    """It is killed too: both commands are named, the drill's own first, and both files are kept."""
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place):
        older = take_snapshot(
            place.target, tmp_path, name="pre_drill_snapshot", jobs=1, progress=quiet
        ).path
    assert drill_and_kill(shop, tmp_path, "reset").returncode == -9
    with in_place(shop, tmp_path, 1.0) as place, Hold(place.target, place.lock) as hold:
        adopt(place)
        assert place.journal is not None
        newer = tmp_path / place.journal.snapshot
        assert newer != older
        for snapshot in (older, older):
            place.about_to_reset(hold, snapshot, is_left=True)

    why = left(shop, tmp_path)

    assert 0 < why.index(f"rollback {newer} ") < why.index(f"rollback {older} ")
    assert keep_newest(tmp_path, place.server, 0).gone == []
    (journal,) = resets_of(tmp_path, place.server)
    assert (journal.snapshot, journal.behind) == (older.name, newer.name)


def test_a_database_that_was_not_touched_and_stays_shut_is_reported_so(
    shop: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has gone: the verdict has what opens it, also beside another reason."""
    record = Record()
    steps = Steps(lambda: contextlib.nullcontext(None), lambda: 80)

    def gone(*_: object) -> None:
        raise psycopg.OperationalError("gone")

    def drill() -> None:
        with (
            monkeypatch.context() as patch,
            noting_still_shut(steps, record, "shop"),
            in_place(shop, tmp_path, 1.0) as place,
            kept_shut(place),
        ):
            patch.setattr("restore_drill.live.in_place.door.give", gone)
            raise CouldNotRun("the backup is bad", checked=["a table"])

    with pytest.raises(CouldNotRun, match=r"the backup is bad; .* is still shut") as caught:
        drill()

    assert record.snapshot is not None
    assert (record.snapshot["path"], record.snapshot["database"]) == (None, "shop")
    assert record.snapshot["live_database"].startswith("not touched; the backup is bad; ")
    assert "CONNECTION LIMIT 40" in record.snapshot["live_database"]
    assert "a table" in str(caught.value) and "a table" not in record.snapshot["live_database"]
    with in_place(shop, tmp_path, 1.0) as place:
        settle(place)
    assert set_up(shop) == FORMER
