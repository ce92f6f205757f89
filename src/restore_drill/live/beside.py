"""A new database beside a live one: made like it, marked, locked while the drill lives, dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.session import Connection
from restore_drill.live.disk_watch import end_sessions_and_drop, watched
from restore_drill.live.drill_databases import lock_key, mark_of, new_name
from restore_drill.live.hold import LOCK_WAIT, drop_subscriptions
from restore_drill.live.maintenance import maintenance_target, other_database
from restore_drill.servers.model import Target

Note = Callable[[str], None]

LIKE = """
    SELECT pg_catalog.to_jsonb(d) || pg_catalog.jsonb_build_object(
        'encoding', pg_catalog.pg_encoding_to_char(encoding),
        'owner', CASE WHEN pg_catalog.pg_has_role(datdba, 'USAGE')
            AND pg_catalog.pg_has_role(datdba, %s) THEN pg_catalog.pg_get_userbyid(datdba) END,
        'tablespace', CASE WHEN pg_catalog.has_tablespace_privilege(dattablespace, 'CREATE')
            THEN (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = dattablespace) END)
    FROM pg_catalog.pg_database d WHERE datname = %s
"""
"""The live database; owner and tablespace only where this role may make a database with them."""
SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": LOCK_WAIT,
    "idle_in_transaction_session_timeout": "0",
    "synchronous_commit": "off",
}
"""Of our own sessions, whatever the role's are; no commit of a copy has to wait for the disk."""
FORCED, IDLE = 13, 14
"""Majors from which on DROP DATABASE ends sessions, and idle sessions may be ended."""


def with_own_settings(target: Target) -> Target:
    """`target` whose sessions, those of client tools too, have our SETTINGS."""
    own = SETTINGS | ({"idle_session_timeout": "0"} if target.major >= IDLE else {})
    given = [target.conninfo.get("options", ""), *(f"-c {name}={own[name]}" for name in own)]
    return replace(target, conninfo=target.conninfo | {"options": " ".join(filter(None, given))})


@contextmanager
def database_beside(live: Target, note: Note) -> Iterator[Target]:
    """New database on the server of `live`, dropped at the end; CouldNotRun where none is made.

    Its lock is held by a session in the database postgres, or else in `live`: in template1 it
    would keep others from CREATE DATABASE. `note` takes what could not be dropped.
    """
    name = new_name(live.conninfo["dbname"])
    base = with_own_settings(maintenance_target(live, ["postgres"]))
    try:
        keeper = keeper_of(base, name)
    except psycopg.Error as error:
        raise not_made(live, error) from None
    made = replace(with_own_settings(other_database(live, name)), beside=live.conninfo["dbname"])
    try:
        create(keeper, live, name)
        enter(made, live)
        end = partial(end_sessions_and_drop, keeper, name, partial(drop, keeper, made))
        with watched(made, end) as found:
            yield found
    finally:
        if problem := drop_own(base, keeper, made):
            note(problem)


def keeper_of(base: Target, name: str) -> Connection:
    """New session that has the lock of the database `name`, or waits for LOCK_WAIT to get it."""
    connection = base.connect(connect_timeout="10", prepare_threshold=None)
    try:
        connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", [lock_key(name)])
    except BaseException:
        connection.close()
        raise
    return connection


def create(connection: Connection, live: Target, name: str) -> None:
    """Make the database `name` like `live`, and mark it; CouldNotRun where the server refuses."""
    try:
        row = connection.execute(
            LIKE, [membership_to_own(live), live.conninfo["dbname"]]
        ).fetchone()
        assert row is not None
        options = sql.SQL(" ").join(options_like(row[0]))
        command = sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}")
        mark = sql.SQL("COMMENT ON DATABASE {} IS {}")
        # Sent together: the server marks it also where this process is killed in between.
        with connection.pipeline():
            connection.execute(command.format(sql.Identifier(name), options))
            connection.execute(mark.format(sql.Identifier(name), sql.Literal(mark_of(name))))
    except psycopg.Error as error:
        raise not_made(live, error) from None


def membership_to_own(target: Target) -> str:
    """Membership in a role that makes it possible to make that role an owner."""
    return "SET" if target.major >= 16 else "MEMBER"


def not_made(live: Target, error: psycopg.Error) -> CouldNotRun:
    """Why there is no database beside `live`."""
    return CouldNotRun(
        f"no second database could be made beside {live.description}",
        checked=[f"CREATE DATABASE: {error_text(error)}"],
        remedy=remedy_for("beside", "no_second_database", name=live.conninfo["dbname"]),
    )


def options_like(row: dict[str, Any]) -> Iterator[sql.Composed]:
    """Options of CREATE DATABASE for one like that of `row` (see LIKE)."""
    provider = row.get("datlocprovider", "c")
    locale = row.get("datlocale") or row.get("daticulocale")
    given = {
        "ENCODING": row["encoding"],
        "LC_COLLATE": row["datcollate"],
        "LC_CTYPE": row["datctype"],
        "ICU_LOCALE": locale if provider == "i" else None,
        "ICU_RULES": row.get("daticurules"),
        "BUILTIN_LOCALE": locale if provider == "b" else None,
        "LOCALE_PROVIDER": {"i": "icu", "b": "builtin"}.get(provider)
        or ("libc" if "datlocprovider" in row else None),
    }
    for option, value in given.items():
        if value is not None:
            yield sql.SQL(option + " {}").format(sql.Literal(value))
    for option, name in (("OWNER", row["owner"]), ("TABLESPACE", row["tablespace"])):
        if name is not None:
            yield sql.SQL(option + " {}").format(sql.Identifier(name))


def enter(made: Target, live: Target) -> None:
    """CouldNotRun where the new database lets no session in."""
    try:
        made.connect(connect_timeout="10").close()
    except psycopg.OperationalError as error:
        raise CouldNotRun(
            f"a database was made beside {live.description}, and cannot be connected to",
            checked=[f"{made.description}: {str(error).strip().splitlines()[0]}"],
            remedy=remedy_for("beside", "no_way_in", name=live.conninfo["dbname"]),
        ) from None


def drop_own(base: Target, keeper: Connection, made: Target) -> str:
    """Drop the database of this drill and let go of its lock; what is left, in words."""
    name = made.conninfo["dbname"]
    try:
        if not is_alive(keeper):
            # Behind its lock: what the first session was at, such as making it, has ended then.
            keeper.close()
            keeper = keeper_of(base, name)
        drop(keeper, made)
    except psycopg.Error as error:
        quoted = sql.Identifier(name).as_string(None)
        return (
            f"the database {name} could not be dropped ({error_text(error)}): "
            f"the next drill does it, or you: DROP DATABASE {quoted}"
        )
    finally:
        with suppress(psycopg.Error):
            keeper.close()
    return ""


def is_alive(connection: Connection) -> bool:
    """Whether the server still knows this session, and it has nothing at hand."""
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return False
    try:
        connection.execute("SELECT")
    except psycopg.Error:
        return False
    return True


def drop(connection: Connection, target: Target) -> None:
    """Drop the database of `target`, which a drill has made, with the sessions in it."""
    command = "DROP DATABASE IF EXISTS {}" + (" WITH (FORCE)" if target.major >= FORCED else "")
    statement = sql.SQL(command).format(sql.Identifier(target.conninfo["dbname"]))
    try:
        connection.execute(statement)
    except psycopg.errors.ObjectInUse:
        with target.connect(connect_timeout="10") as inside:
            drop_subscriptions(inside)
        connection.execute(statement)
