"""What keeps a live database from being renamed is found before anything is restored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.config.settings import settings_from
from restore_drill.core.errors import CouldNotRun
from restore_drill.live.absent import open_live
from restore_drill.live.promote.promotable import check_promotable, notes_on_users
from restore_drill.servers import executor
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from restore_drill.servers.tuning import server_settings
from tests.helpers.drills import ROOT
from tests.helpers.shop import USUAL, quiet
from tests.helpers.swaps import Pair, connect, pair_on

ROLES = """
    CREATE ROLE app LOGIN;
    CREATE ROLE boss LOGIN CREATEDB;
    CREATE ROLE signaller LOGIN CREATEDB IN ROLE pg_signal_backend, boss;
    ALTER DATABASE shop OWNER TO boss;
"""
LIKE_PRODUCTION = {
    "wal_level": "logical",
    "max_wal_senders": "2",
    "max_replication_slots": "2",
    "max_prepared_transactions": "2",
}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A live database and the one that is to take its place, on a server as in production."""

    def settings(folder: Path) -> dict[str, str]:
        return {**server_settings(folder), **LIKE_PRODUCTION}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "server_settings", settings)
        with start_embedded(find_binaries(USUAL, note=quiet), note=quiet) as server:
            pair = pair_on(server, "shop")
            with pair.server.connect() as connection:
                connection.execute(ROLES.encode())
            yield pair


def by(pair: Pair, user: str) -> Target:
    """The way to the server as `user`."""
    return pair.server_as(user)


def check(pair: Pair, server: Target) -> None:
    """Check the live database from `server`."""
    with server.connect() as connection:
        check_promotable(connection, server, pair.journal.live_oid, pair.journal.name)


@contextlib.contextmanager
def made(target: Target, script: str, undo: str) -> Iterator[None]:
    """Run `script` in `target`, and `undo` at the end, a statement a line."""
    with target.connect() as connection:
        for line in script.splitlines():
            connection.execute(line.encode())
    try:
        yield
    finally:
        with target.connect() as connection:
            for line in undo.splitlines():
                connection.execute(line.encode())


def test_owner_and_superuser_may(pair: Pair) -> None:
    """Also a role that has the owner's rights, while nothing is at work."""
    for user in ("postgres", "boss", "signaller"):
        check(pair, by(pair, user))


def test_who_may_not_rename_sees_what_is_missing(pair: Pair) -> None:
    """CREATEDB, and the rights of the owner."""
    with pytest.raises(CouldNotRun, match="may not rename it") as caught:
        check(pair, by(pair, "app"))

    assert "role app has no CREATEDB" in str(caught.value)
    assert "role app does not have the rights of its owner, boss" in str(caught.value)
    assert 'ALTER ROLE "app" CREATEDB; GRANT "boss" TO "app"' in str(caught.value)


def test_nobody_renames_the_database_that_they_are_in(pair: Pair) -> None:
    """Without another one that lets this role in, there is no way."""
    with pytest.raises(CouldNotRun, match="no other database of its server lets this role in"):
        check(pair, pair.live)


@pytest.mark.parametrize("name", ["postgres", "template0", "template1"])
def test_a_database_of_the_server_is_not_renamed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools connect there; it is refused before the server is asked."""
    given = {"target": "database", "promote": "yes", "confirm": name}
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nowhere.invalid/{name}")
    settings = settings_from(given, here=ROOT, root=ROOT)
    with pytest.raises(CouldNotRun, match="a database that every server has") as caught:
        open_live(settings, quiet)
    assert f"--in-place --confirm {name} resets it" in str(caught.value)


def test_prepared_transactions_are_named(pair: Pair) -> None:
    """They are data that nobody but the application may decide on."""
    begin = "BEGIN\nINSERT INTO content VALUES ('two')\nPREPARE TRANSACTION 'order 7'"
    with (
        made(pair.live, begin, "ROLLBACK PREPARED 'order 7'"),
        pytest.raises(CouldNotRun, match="it has prepared transactions") as caught,
    ):
        check(pair, pair.server)
    assert "COMMIT PREPARED 'order 7' or ROLLBACK PREPARED 'order 7'" in str(caught.value)


def test_enabled_subscriptions_are_named(pair: Pair) -> None:
    """They would go on writing into the old database; one that is off does not."""
    make = (
        "CREATE SUBSCRIPTION feed CONNECTION 'host=nowhere.invalid' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)"
    )
    with made(pair.live, make, "DROP SUBSCRIPTION feed"):
        check(pair, pair.server)
        with pair.live.connect() as connection:
            connection.execute("SET allow_system_table_mods = on")
            connection.execute("UPDATE pg_subscription SET subenabled = true")
            with pytest.raises(CouldNotRun, match="its subscriptions are enabled") as caught:
                check(pair, pair.server)
            connection.execute("UPDATE pg_subscription SET subenabled = false")
    assert 'ALTER SUBSCRIPTION "feed" DISABLE, in shop' in str(caught.value)


def test_sessions_that_may_not_be_ended_are_named(pair: Pair) -> None:
    """By the owner: those of other roles; by a signaller: those of superusers."""
    with (
        contextlib.closing(connect(pair.live, "app", "gunicorn")) as theirs,
        contextlib.closing(connect(pair.live, "postgres", "monitor")) as mighty,
        contextlib.closing(connect(pair.live, "boss", "own")),
    ):
        found = {}
        for user in ("boss", "signaller"):
            with pytest.raises(CouldNotRun, match="this role may not end") as caught:
                check(pair, by(pair, user))
            found[user] = str(caught.value)
        check(pair, pair.server)
        with pair.server.connect() as connection:
            lines = notes_on_users(connection, pair.journal.live_oid, "shop")
        app = f'pid {theirs.info.backend_pid}: user app, "gunicorn"'
        monitor = f'pid {mighty.info.backend_pid}: user postgres, "monitor"'
        assert app in found["boss"]
        assert app not in found["signaller"]
        assert all(monitor in text for text in found.values())
        assert '"own"' not in found["boss"]
        assert lines[0] == "3 sessions on shop will be ended for the swap:"
        assert f"  {app}, idle" in lines


def test_replication_slots_are_reported(pair: Pair) -> None:
    """They stay with the old database and keep WAL."""
    slot = "SELECT pg_create_logical_replication_slot('feed', 'pgoutput')"
    with (
        made(pair.live, slot, "SELECT pg_drop_replication_slot('feed')"),
        pair.server.connect() as connection,
    ):
        (line,) = notes_on_users(connection, pair.journal.live_oid, "shop")
    assert "replication slots stay with the old database (feed)" in line
