"""What must hold before a live database is reset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import RESET, new_journal, write
from restore_drill.live.in_place.mark import Settings
from restore_drill.live.in_place.refusals import refuse_change
from restore_drill.live.in_place.safety import take_snapshot
from restore_drill.live.server.identity import identity_of_server
from restore_drill.live.server.name_lock import NameLock
from restore_drill.manifest.settle import differences
from restore_drill.servers.database import check_resettable, open_database
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.corpus.hostile import PLACE, in_place
from tests.helpers.drills import Drill
from tests.helpers.live import PASSWORD, fingerprint, name_of, snapshots, url_of
from tests.helpers.shop import Shops, fill_shop, pg_dump, quiet
from tests.helpers.swaps import connect


def test_password_may_stand_outside_the_url(live: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that libpq finds in the environment goes on to pg_dump and pg_restore."""
    monkeypatch.setenv("PGPASSWORD", "elsewhere")
    url = url_of(live).replace(f":{PASSWORD}@", "@")

    target = open_database(url, lambda major: find_binaries(major, note=quiet))

    assert "password" not in target.conninfo
    assert target.tool_environment["PGPASSWORD"] == "elsewhere"


SUBSCRIBE = (
    "CREATE SUBSCRIPTION {name} CONNECTION 'host=nowhere.invalid' PUBLICATION p"
    " WITH (connect = false, slot_name = {slot})"
)
KNOWS_A_TABLE = (
    "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)"
    " SELECT oid, 'public.artists'::regclass, 'r' FROM pg_subscription WHERE subname = %s"
)


def subscribe(name: str, slot: str) -> bytes:
    """Statement that makes a subscription as a restore does."""
    return SUBSCRIBE.format(name=name, slot=slot).encode()


def test_subscriptions_of_another_database_are_not_in_the_way(
    live: Target, live_server: EmbeddedServer
) -> None:
    """Only one of the database itself is, and only where it is or was at work."""
    with live_server.create_database("subscribed").connect() as other:
        other.execute(subscribe("elsewhere", "NONE"))
        other.execute("SET allow_system_table_mods = on")
        other.execute("UPDATE pg_subscription SET subenabled = true")
        check_resettable(live)
        other.execute("UPDATE pg_subscription SET subenabled = false")
        other.execute("DROP SUBSCRIPTION elsewhere")


@pytest.mark.parametrize("use", ["enabled", "paused"])
def test_a_subscription_at_work_is_refused_with_what_to_run(use: str, live: Target) -> None:
    """One that is enabled, and one that was and names a slot; never is the slot touched."""
    with live.connect() as own:
        own.execute("SET allow_system_table_mods = on")
        own.execute(subscribe("feed", "feed_slot"))
        check_resettable(live)
        if use == "enabled":
            own.execute("UPDATE pg_subscription SET subenabled = true WHERE subname = 'feed'")
        else:
            own.execute(KNOWS_A_TABLE, ["feed"])
        with pytest.raises(CouldNotRun, match="subscriptions that are enabled, or were") as caught:
            check_resettable(live)
        own.execute("DELETE FROM pg_subscription_rel")
        own.execute("UPDATE pg_subscription SET subenabled = false WHERE subname = 'feed'")
        own.execute("ALTER SUBSCRIPTION feed SET (slot_name = NONE)")
        own.execute("DROP SUBSCRIPTION feed")
    assert 'ALTER SUBSCRIPTION "feed" SET (slot_name = NONE)' in str(caught.value)


def test_subscriptions_that_a_drill_has_made_are_not_in_the_way_of_the_next(
    live: Target, backups: Path, drill_live: Callable[..., Drill], shops: Shops
) -> None:
    """They are off, and have never connected: the next drill resets, and makes them again."""
    source = shops.source(15)
    with source.connect() as connection:
        connection.execute(subscribe('"Feed"', "feed_slot"))
    try:
        pg_dump(source, backups / "db" / "backup.dump", "--format=custom")
    finally:
        with source.connect() as connection:
            connection.execute('ALTER SUBSCRIPTION "Feed" SET (slot_name = NONE)')
            connection.execute('DROP SUBSCRIPTION "Feed"')

    for _ in range(2):
        drill = drill_live()
        assert drill.code == 0, drill.output

    with live.connect() as connection:
        query = "SELECT subname, subslotname, subenabled FROM pg_subscription"
        assert connection.execute(query.encode()).fetchall() == [("Feed", "feed_slot", False)]
        connection.execute('ALTER SUBSCRIPTION "Feed" SET (slot_name = NONE)')
        connection.execute('DROP SUBSCRIPTION "Feed"')


def test_damaged_backup_never_reaches_the_database(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """A backup that is not whole stops the drill before snapshot and reset."""
    before = fingerprint(live)
    path = backups / "db" / "backup.dump"
    path.write_bytes(path.read_bytes()[:-500])

    drill = drill_live()

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"] is None
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_what_no_dump_holds_never_reaches_the_database(
    form: str, live: Target, backups: Path, drill_live: Callable[..., Drill], shops: Shops
) -> None:
    """A DO block that was added to a dump stops the drill before snapshot and reset."""
    before = fingerprint(live)
    (backups / "db" / "backup.dump").unlink()
    source = shops.database(15, f"with_added_{form}")
    fill_shop(source, "CREATE TABLE public.rows (n int PRIMARY KEY);" + PLACE)
    path = pg_dump(source, backups / "db" / "backup.dump", f"--format={form}")
    path.write_bytes(in_place(path.read_bytes(), "DO $$ BEGIN PERFORM 'deed'; END $$;"))

    drill = drill_live()

    assert drill.code == 6, drill.output
    assert "has statements that must not run on a live server" in drill.output
    assert "DO, which pg_dump never writes and which may run any code" in drill.output
    assert "omit --target database" in drill.output
    assert "deed" not in drill.output
    assert drill.result["snapshot"] is None
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


@pytest.mark.parametrize("given", [["--confirm-reset=another"], ["--in-place", "--confirm=x"]])
def test_reset_must_be_confirmed(
    given: list[str], live: Target, backups: Path, drill_beside: Callable[..., Drill]
) -> None:
    """Without the right name nothing is touched, and the message says what would be."""
    before = fingerprint(live)

    drill = drill_beside(*given)

    assert drill.code == 6, drill.output
    assert f"--confirm-reset {live.conninfo['dbname']}" in drill.output
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


def test_unwritable_snapshot_stops_the_drill(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """No snapshot, no drop."""
    before = fingerprint(live)
    (backups / "snapshots").write_text("a file where the folder should be")

    drill = drill_live()

    assert drill.code == 6, drill.output
    assert "was not touched: the journal" in drill.output
    assert differences(before, fingerprint(live), live) == []


def test_locked_table_stops_the_drill(live: Target, drill_live: Callable[..., Drill]) -> None:
    """A session of the application that holds a lock stops the reset, and nothing is lost."""
    before = fingerprint(live)
    with connect(live, name="batch") as connection, connection.transaction():
        connection.execute("LOCK TABLE only_live IN ROW SHARE MODE")

        drill = drill_live("--max-lock-wait=1s")

    assert drill.code == 6, drill.output
    assert "1 session with a transaction open for longer than 1.00 s" in drill.output
    assert '"batch"' in drill.output
    assert differences(before, fingerprint(live), live) == []


def test_second_drill_is_refused(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """Two drills at once on one database do not happen, and a running one is not called dead."""
    folder = backups / "snapshots"
    journal = new_journal(folder, identity_of_server(live), Settings(None, -1, None))
    write(folder, journal, step=RESET, snapshot="pre_drill_snapshot_20261101_000000.dump")
    with NameLock(replace(live, conninfo=live.conninfo | {"dbname": "postgres"}), name_of(live)):
        drill = drill_live()

    assert drill.code == 6, drill.output
    assert "another drill is at work" in drill.output
    assert "rollback" not in drill.output
    assert len(list(folder.glob("reset_*.json"))) == 1


@pytest.mark.parametrize(
    "part",
    [["-k", "restore_time"], ["-m", "verify"], ["-x"], ["--maxfail=3"], ["--deselect=x"]],
    ids=str,
)
def test_part_of_a_drill_is_refused(
    part: list[str], live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """Only the whole drill proves what it leaves in a live database."""
    before = fingerprint(live)

    drill = drill_live(*part)

    assert drill.code == 4, drill.output
    assert "needs the whole drill" in drill.output
    assert snapshots(backups) == []
    assert differences(before, fingerprint(live), live) == []


def test_writes_wait_from_the_snapshot_to_the_reset(live: Target, tmp_path: Path) -> None:
    """What is written after the snapshot cannot vanish: rows wait, all else stops the reset."""
    with NameLock(live, live.conninfo["dbname"]) as lock, Hold(live, lock) as hold:
        hold.stop_writes()
        kept = take_snapshot(live, tmp_path, name="kept", jobs=2, progress=quiet)
        with live.connect() as application:
            application.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                application.execute("INSERT INTO only_live VALUES (8)")
            refuse_change(live, kept.fingerprint)
            application.execute("SELECT nextval('artists_id_seq')")
        with pytest.raises(CouldNotRun, match="has changed since its snapshot"):
            hold.reset(lambda: refuse_change(live, kept.fingerprint))
    with live.connect() as connection:
        assert connection.execute("SELECT count(*) FROM only_live").fetchone() == (7,)
