"""A live database that is reset in place: shut for others, open again, refused beforehand."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import ROLLED_BACK, resets_of
from restore_drill.live.in_place.restoring import restore_live
from restore_drill.live.in_place.safety import take_snapshot
from restore_drill.live.in_place.shut import in_place, kept_shut
from restore_drill.live.in_place.snapshots import refuse_changed
from restore_drill.manifest.file import manifest_path
from restore_drill.manifest.settle import differences
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from tests.helpers.in_place import as_live, go_back, live_of_keeper, reset, set_up
from tests.helpers.live import fingerprint
from tests.helpers.shop import quiet
from tests.helpers.swaps import connect, started

ROLES = "CREATE ROLE keeper LOGIN; CREATE ROLE shop_app LOGIN; CREATE ROLE elsewhere"
SHOP = """
    SET ROLE keeper;
    CREATE SCHEMA billing;
    CREATE TABLE billing.cards (id serial PRIMARY KEY, title text);
    INSERT INTO billing.cards (title) SELECT 'card ' || n FROM generate_series(1, 50) n;
    CREATE MATERIALIZED VIEW billing.many AS SELECT count(*) FROM billing.cards;
    CREATE TABLE public.orders (id int);
    GRANT ALL ON SCHEMA billing TO shop_app;
    GRANT INSERT, SELECT ON billing.cards TO shop_app;
    GRANT USAGE ON SEQUENCE billing.cards_id_seq TO shop_app;
    SELECT lo_from_bytea(0, 'a large object');
"""
WRITE = "INSERT INTO billing.cards (title) VALUES ('new')"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """The server of this module."""
    as_in_production = {
        "wal_level": "logical",
        "max_wal_senders": "2",
        "max_replication_slots": "2",
        "max_prepared_transactions": "2",
        "restart_after_crash": "on",
    }
    with started(15, **as_in_production) as running:
        with running.target("postgres").connect() as connection:
            connection.execute(ROLES.encode())
        yield running


@pytest.fixture
def shop(server: EmbeddedServer, request: pytest.FixtureRequest) -> Target:
    """A live database that belongs to the role keeper, who is no superuser."""
    return live_of_keeper(server, request.node.name, SHOP)


def refused(live: Target, folder: Path, max_wait: float = 0.3) -> str:
    """Why the database is refused before it is reset; it is open afterwards, without a journal."""
    before = set_up(live)
    with (
        pytest.raises(CouldNotRun) as caught,
        in_place(live, folder, max_wait) as place,
        kept_shut(place),
        Hold(place.target, place.lock) as hold,
    ):
        reset(place, hold)
    assert set_up(live) == before
    assert list(folder.glob("*")) == []
    return str(caught.value)


@pytest.mark.parametrize("user", ["keeper", "postgres"])
def test_nobody_else_writes_while_it_is_shut(user: str, shop: Target, tmp_path: Path) -> None:
    """An idle session is ended; who comes later, in whatever role, writes nothing."""
    live = as_live(shop, user)
    with live.connect() as connection:
        connection.execute(
            f'ALTER DATABASE "{live.conninfo["dbname"]}" SET work_mem = 8192'.encode()
        )
    before = set_up(live)
    roles = ["keeper"] if user == "keeper" else ["postgres", "keeper"]
    pool = [connect(shop, role, "pool") for role in roles]

    with in_place(live, tmp_path, 1.0) as place, kept_shut(place) as ended:
        assert sum('"pool"' in line for line in ended) == len(pool)
        for session in pool:
            with pytest.raises(psycopg.OperationalError):
                session.execute(WRITE)
        for role in roles:
            with pytest.raises(psycopg.Error) as caught, connect(shop, role, "late") as late:
                late.execute(WRITE)
            told = str(caught.value)
            assert "read-only transaction" in told or "too many connections" in told, told
        with place.target.connect() as own:
            time.sleep(0.3)
            assert own.execute("SELECT count(*) FROM billing.cards").fetchone() == (50,)

    assert set_up(live) == before
    assert list(tmp_path.glob("*")) == []
    with connect(shop, "keeper") as later:
        later.execute(WRITE)


def test_a_session_that_asks_to_write_is_ended_and_named(shop: Target, tmp_path: Path) -> None:
    """What a role sets for its session wins over the database's setting: the watch is for that."""
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place):
        late = connect(shop, "keeper", "stubborn")
        with pytest.raises(psycopg.OperationalError):
            late.execute("SELECT pg_sleep(5)")
        with pytest.raises(CouldNotRun, match="connected while it was shut") as caught:
            place.watch.refuse_who_came(place.target)
        assert 'user keeper, "stubborn"' in str(caught.value)


def test_an_owner_may_have_had_a_temporary_table(shop: Target, tmp_path: Path) -> None:
    """Its schema stays, belongs to the server, and is neither dropped nor given back."""
    before = fingerprint(shop)
    with connect(shop, "keeper") as connection:
        connection.execute("CREATE TEMPORARY TABLE scratch (id int)")

    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place):
        with Hold(place.target, place.lock) as hold:
            go_back(hold, reset(place, hold))
        place.decided(ROLLED_BACK)

    assert differences(before, fingerprint(shop), shop) == []


def test_a_rollback_that_fails_leaves_a_whole_database_as_it_was(
    shop: Target, tmp_path: Path
) -> None:
    """A role of the snapshot was dropped since: what was written later is there, and open."""
    live = as_live(shop)
    with live.connect() as connection:
        connection.execute("CREATE ROLE passing; GRANT SELECT ON billing.cards TO passing")
    with in_place(live, tmp_path, 1.0) as place, kept_shut(place):
        kept = take_snapshot(
            place.target, tmp_path, name="pre_drill_snapshot", jobs=1, progress=quiet
        )
    with live.connect() as connection:
        connection.execute("DROP OWNED BY passing; DROP ROLE passing")
        connection.execute(WRITE)
    before, opened = fingerprint(live), set_up(live)

    with (
        in_place(live, tmp_path, 1.0) as place,
        pytest.raises(CouldNotRun, match="is as it was before this command"),
    ):
        restore_live(
            place, kept.path, kept.backup, kept.contents, kept.fingerprint, keep=True, note=quiet
        )

    assert differences(before, fingerprint(live), live) == []
    assert set_up(live) == opened
    assert resets_of(tmp_path, place.server) == []


def test_a_snapshot_that_was_replaced_is_refused(shop: Target, tmp_path: Path) -> None:
    """Also where its checksum was lost: its manifest holds it too."""
    with in_place(shop, tmp_path, 1.0) as place, kept_shut(place):
        kept = take_snapshot(
            place.target, tmp_path, name="pre_drill_snapshot", jobs=1, progress=quiet
        )
    refuse_changed(kept.path, kept.contents.sha256)
    checksum, manifest = Path(f"{kept.path}.sha256"), manifest_path(kept.path)
    good = {each: each.read_bytes() for each in (checksum, manifest)}
    for damaged, right in ((checksum, manifest), (manifest, checksum)):
        for content in (b"", b"[[", b"\0\xff garbage"):
            damaged.write_bytes(content)
            with pytest.raises(CouldNotRun, match=f"matches {right.name}, but not") as raised:
                refuse_changed(kept.path, kept.contents.sha256)
            assert f"mv {damaged} {damaged}.damaged" in raised.value.remedy[0]
            with pytest.raises(CouldNotRun, match="has changed since it was taken"):
                refuse_changed(kept.path, "0" * 64)
        damaged.write_bytes(good[damaged])
    manifest.write_bytes(b"[[")
    checksum.unlink()
    with pytest.raises(CouldNotRun, match="cannot be compared with its checksum") as raised:
        refuse_changed(kept.path, kept.contents.sha256)
    assert f"mv {manifest} {manifest}.damaged" in raised.value.remedy[0]
    manifest.write_bytes(good[manifest])

    with pytest.raises(CouldNotRun, match="has changed since it was taken"):
        refuse_changed(kept.path, "0" * 64)


def test_an_open_transaction_is_named(shop: Target, tmp_path: Path) -> None:
    """It is waited for, and then the drill refuses; nobody is ended for it."""
    with contextlib.closing(connect(shop, "keeper", "batch")) as batch:
        batch.execute("BEGIN")
        batch.execute(WRITE)

        why = refused(shop, tmp_path)

        assert "1 session with a transaction open for longer than 0.30 s" in why
        assert '"batch"' in why and "pg_terminate_backend" in why
        batch.execute("COMMIT")


def test_a_limit_of_connections_that_is_too_low_is_named(shop: Target, tmp_path: Path) -> None:
    """Before anything is done, with the number; as many as it names are enough."""
    name = shop.conninfo["dbname"]

    def limit(what: str, number: int) -> None:
        with as_live(shop, "postgres").connect() as connection:
            connection.execute(f"ALTER {what} CONNECTION LIMIT {number}".encode())

    with in_place(shop, tmp_path, 1.0, jobs=2) as place:
        limit(f'DATABASE "{name}"', 6)
        with pytest.raises(CouldNotRun, match="limit is 6, and the drill takes up to 7") as caught:
            place.examine()
        assert f'ALTER DATABASE "{name}" CONNECTION LIMIT 7' in str(caught.value)
        limit(f'DATABASE "{name}"', 7)
        limit("ROLE keeper", 8)
        with pytest.raises(CouldNotRun, match="role keeper leaves 8, and"):
            place.examine()
        limit("ROLE keeper", 9)
        with kept_shut(place), Hold(place.target, place.lock) as hold:
            go_back(hold, reset(place, hold))
        place.decided(ROLLED_BACK)
        limit("ROLE keeper", -1)


def test_public_stays_with_its_owner_where_no_dump_says_whose_it_is(tmp_path: Path) -> None:
    """PostgreSQL 14: that of a new database belongs to the first superuser, not to the drill's."""
    with started(14) as server:
        with server.target("postgres").connect() as connection:
            connection.execute("CREATE ROLE keeper LOGIN; CREATE ROLE admin LOGIN SUPERUSER")
        shop = live_of_keeper(server, "fourteen", "SET ROLE keeper; CREATE TABLE orders (id int)")
        with (
            in_place(shop, tmp_path, 1.0) as place,
            pytest.raises(CouldNotRun, match="schema public belongs to postgres"),
        ):
            place.examine()
        for owner in ("postgres", "keeper"):
            live = as_live(shop, "admin")
            with live.connect() as connection:
                connection.execute(f"ALTER SCHEMA public OWNER TO {owner}".encode())
            before = fingerprint(live)
            with in_place(live, tmp_path, 1.0) as place:
                with kept_shut(place), Hold(place.target, place.lock) as hold:
                    go_back(hold, reset(place, hold))
                place.decided(ROLLED_BACK)
            assert differences(before, fingerprint(live), live) == []
        with in_place(shop, tmp_path, 1.0) as place:
            place.examine()


def test_sessions_that_may_not_be_ended_are_named(shop: Target, tmp_path: Path) -> None:
    """Those of a superuser, by an owner."""
    with contextlib.closing(connect(shop, "postgres", "monitor")):
        why = refused(shop, tmp_path)

    assert "1 session that this role may not end" in why and '"monitor"' in why


def test_a_role_that_would_not_be_kept_out_is_named(shop: Target, tmp_path: Path) -> None:
    """Its own setting would win over that of the database."""
    with as_live(shop).connect() as connection:
        connection.execute("ALTER ROLE shop_app SET default_transaction_read_only = off")
        try:
            why = refused(shop, tmp_path)
        finally:
            connection.execute("ALTER ROLE shop_app RESET default_transaction_read_only")

    assert "roles could not be prevented from writing" in why and "shop_app" in why


def test_a_database_that_was_shut_elsewhere_is_named(shop: Target, tmp_path: Path) -> None:
    """The setting is the mark of a drill whose journal another machine has."""
    with shop.connect() as connection:
        name = shop.conninfo["dbname"]
        connection.execute(
            f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode()
        )

    why = refused(shop, tmp_path)

    assert "made read-only by its own setting" in why
    assert f'ALTER DATABASE "{name}" RESET default_transaction_read_only' in why


NOT_GIVEN_BACK = {
    "a cast": (
        "postgres", "CREATE CAST (bigint AS xid8) WITHOUT FUNCTION",
        "cast from bigint to xid8: a reset would leave it behind",
    ),
    "a wrapper": (
        "postgres", "CREATE FOREIGN DATA WRAPPER own",
        "foreign-data wrapper own: a reset would leave it behind",
    ),
    "an access method": (
        "postgres", "CREATE ACCESS METHOD own TYPE TABLE HANDLER heap_tableam_handler",
        "access method own: a reset would leave it behind",
    ),
    "default privileges": (
        "postgres", "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO shop_app",
        "default privileges on new relations belonging to role keeper: a reset would leave",
    ),
    "no schema public": ("postgres", "DROP SCHEMA public CASCADE", "there is no schema public"),
    "another's table": (
        "keeper", ("CREATE TABLE billing.theirs (id int); ALTER TABLE billing.theirs"
        " OWNER TO elsewhere"), "table billing.theirs belongs to elsewhere",
    ),
    "another's large object": (
        "keeper", "SELECT lo_create(77); ALTER LARGE OBJECT 77 OWNER TO elsewhere",
        "large object 77 belongs to elsewhere",
    ),
    "an event trigger": (
        "keeper", ("CREATE FUNCTION billing.noted() RETURNS event_trigger LANGUAGE plpgsql AS"
        " 'BEGIN END'; CREATE EVENT TRIGGER noted ON ddl_command_end"
        " EXECUTE FUNCTION billing.noted()"), "event trigger noted belongs to postgres",
    ),
    "a publication of all": (
        "keeper", ("CREATE PUBLICATION feed FOR ALL TABLES; ALTER PUBLICATION feed OWNER TO"
        " postgres"), "publication feed belongs to postgres",
    ),
    "a function in C": (
        "keeper", ("CREATE FUNCTION billing.c(text) RETURNS text LANGUAGE internal AS 'upper';"
        " ALTER FUNCTION billing.c(text) OWNER TO keeper"), "permission denied for language",
    ),
    "rows of an extension": (
        "postgres", ("CREATE EXTENSION seg SCHEMA public; CREATE TABLE public.unsaved (a int);"
        " ALTER EXTENSION seg ADD TABLE public.unsaved; INSERT INTO public.unsaved VALUES (1)"),
        "public.unsaved",
    ),
    "a prepared transaction": (
        "postgres", "BEGIN; SELECT 1; PREPARE TRANSACTION 'half'", "it has prepared transactions",
    ),
    "a slot": (
        "postgres", "SELECT pg_create_logical_replication_slot('feed', 'test_decoding')",
        "it has logical replication slots",
    ),
}  # fmt: skip

CLEANED_UP = {
    "a prepared transaction": "ROLLBACK PREPARED 'half'",
    "a slot": "SELECT pg_drop_replication_slot('feed')",
}
"""What would be in the way of the tests that follow."""


@pytest.mark.parametrize("what", NOT_GIVEN_BACK)
def test_what_a_rollback_could_not_give_back_is_named(
    what: str, shop: Target, tmp_path: Path
) -> None:
    """Before anything is reset, by a rehearsal that is undone."""
    user, script, named = NOT_GIVEN_BACK[what]
    mighty = as_live(shop)
    with mighty.connect() as connection:
        connection.execute(script.encode())
    before = fingerprint(mighty)
    try:
        why = refused(as_live(shop, user), tmp_path)
    finally:
        with mighty.connect() as connection:
            connection.execute(CLEANED_UP.get(what, "SELECT").encode())

    assert named in why, why
    assert differences(before, fingerprint(mighty), mighty) == []


def reader_of(shop: Target, table: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A session that holds a lock on `table`; the watch over the database may end some before."""
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            reader = connect(shop, "keeper", "reader")
            reader.execute(f"BEGIN; SELECT FROM {table}".encode())
            return reader


def test_an_owner_gets_back_what_was_there(shop: Target, tmp_path: Path) -> None:
    """All of it, proved, by a role that is no superuser; a reader does not keep it from that."""
    before = fingerprint(shop)
    with (
        in_place(shop, tmp_path, 1.0) as place,
        kept_shut(place),
        Hold(place.target, place.lock) as hold,
    ):
        kept = reset(place, hold)
        with place.target.connect() as own:
            assert own.execute("SELECT to_regclass('billing.cards')").fetchone() == (None,)
            own.execute("CREATE TABLE public.of_the_backup (id int)")
        with contextlib.closing(reader_of(shop, "public.of_the_backup")):
            go_back(hold, kept)
        place.decided(ROLLED_BACK)
    assert differences(before, fingerprint(shop), shop) == []
    kinds = {path.suffix for path in tmp_path.glob("*")}
    assert kinds == {".dump", ".json", ".sha256", ".source"}


def test_a_lost_lock_keeps_the_database_from_being_reset(shop: Target, tmp_path: Path) -> None:
    """Another drill may have been at work meanwhile; on the way back it is taken anew."""
    before = fingerprint(shop)

    def lose(pid: int) -> None:
        with as_live(shop).connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        time.sleep(0.2)

    with in_place(shop, tmp_path, 1.0) as place:
        with kept_shut(place), Hold(place.target, place.lock) as hold:
            lose(place.lock.connection.info.backend_pid)
            hold.stop_writes()
            with pytest.raises(CouldNotRun, match=r"lock on database .* was lost"):
                hold.reset(lambda: None)
            place.lock.regain()
        assert differences(before, fingerprint(shop), shop) == []
        with kept_shut(place), Hold(place.target, place.lock) as hold:
            kept = reset(place, hold)
            lose(place.lock.connection.info.backend_pid)
            lose(hold.connection.info.backend_pid)
            go_back(hold, kept)
            assert place.lock.why_lost() == ""
            place.decided(ROLLED_BACK)
    assert differences(before, fingerprint(shop), shop) == []


def test_a_server_without_another_database_keeps_the_lock_in_the_live_one(
    shop: Target, tmp_path: Path
) -> None:
    """Where the role may not enter postgres; the lock's own session is not in the way."""
    with as_live(shop).connect(dbname="postgres") as mighty:
        mighty.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        try:
            with in_place(shop, tmp_path, 1.0) as place, kept_shut(place) as ended:
                assert place.lock.server.conninfo["dbname"] == shop.conninfo["dbname"]
                assert ended == []
                with Hold(place.target, place.lock) as hold:
                    go_back(hold, reset(place, hold))
                    place.decided(ROLLED_BACK)
        finally:
            mighty.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")


def test_a_url_with_a_name_of_its_own_does_not_change_ours(shop: Target, tmp_path: Path) -> None:
    """Our sessions are known by their name: application_name in DATABASE_URL would hide them."""
    named = replace(shop, conninfo=shop.conninfo | {"application_name": "psql"})
    with in_place(named, tmp_path, 1.0) as place, kept_shut(place) as ended:
        assert ended == []
        with place.target.connect() as own:
            time.sleep(0.3)
            assert own.execute("SELECT current_setting('application_name')").fetchone() == (
                "restore-drill",
            )
