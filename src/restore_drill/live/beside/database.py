"""A new database beside a live one: made like it, marked, locked while the drill lives, dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.retry import tried_again
from restore_drill.core.server_errors import error_text, is_lost
from restore_drill.facts.session import Connection
from restore_drill.live.beside.disk_watch import end_sessions_and_drop, watched
from restore_drill.live.beside.like_live import like_live, options_like
from restore_drill.live.server.drill_databases import lock_key, mark_of, new_name
from restore_drill.live.server.emptying import drop_subscriptions
from restore_drill.live.server.maintenance import maintenance_target, other_database
from restore_drill.servers.database import SETTINGS, with_settings
from restore_drill.servers.model import Target

Note = Callable[[str], None]

COPY_SETTINGS = SETTINGS | {"synchronous_commit": "off"}
"""Of our sessions beside a live database: no commit of a copy has to wait for the disk."""
TRIES, PAUSE = 32, 0.25
"""How often, and at what distance in seconds, a server that is restarted is asked."""
FORCED = 13
"""Major from which on DROP DATABASE ends sessions."""


def with_own_settings(target: Target) -> Target:
    """`target` whose sessions, those of client tools too, have our COPY_SETTINGS."""
    return with_settings(target, COPY_SETTINGS)


@contextmanager
def database_beside(
    live: Target, note: Note, options: Sequence[sql.Composed] = ()
) -> Iterator[Target]:
    """New database on the server of `live`, dropped at the end; CouldNotRun where none is made.

    It is made like `live`, or with `options` where that is absent.

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
        create(keeper, live, name, options)
        enter(made, live)
        end = partial(end_sessions_and_drop, keeper, name, partial(drop, keeper, made))
        with watched(made, end) as found:
            yield found
    finally:
        if problem := drop_own(base, keeper, made):
            note(problem)


def keeper_of(base: Target, name: str) -> Connection:
    """New session with the lock of the database `name`; it waits for that up to lock_timeout."""
    connection = base.connect(connect_timeout="10", prepare_threshold=None)
    try:
        connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", [lock_key(name)])
    except BaseException:
        connection.close()
        raise
    return connection


def keeper_again(base: Target, name: str) -> Connection:
    """The same where a session was lost: the server may just be starting again."""
    return tried_again(partial(keeper_of, base, name), psycopg.OperationalError, TRIES, PAUSE)


def create(
    connection: Connection, live: Target, name: str, options: Sequence[sql.Composed] = ()
) -> None:
    """Make the database `name` like `live`, and mark it; CouldNotRun where the server refuses."""
    try:
        row = connection.execute(*like_live(live)).fetchone()
        given = sql.SQL(" ").join(options_like(row[0]) if row else options)
        command = sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}")
        mark = sql.SQL("COMMENT ON DATABASE {} IS {}")
        # Sent together: the server marks it also where this process is killed in between.
        with connection.pipeline():
            connection.execute(command.format(sql.Identifier(name), given))
            connection.execute(mark.format(sql.Identifier(name), sql.Literal(mark_of(name))))
    except psycopg.Error as error:
        raise not_made(live, error, options) from None


def not_made(
    live: Target, error: psycopg.Error, options: Sequence[sql.Composed] = ()
) -> CouldNotRun:
    """Why there is no database beside `live`, or, with `options`, in its place."""
    name = live.conninfo["dbname"]
    what = f"no second database could be made beside {live.description}"
    remedy = remedy_for("beside", "no_second_database", name=name)
    checked = [f"CREATE DATABASE: {error_text(error)}"]
    if is_lost(error):
        remedy = remedy_for("beside", "session_lost")
    elif live.is_absent:
        given = [option.as_string(None) for option in options]
        checked += (
            [(f"it should have been created as in the backup: {' '.join(given)}")] if given else []
        )
        kept = " ".join([each for each in given if each.startswith("ENCODING ")] + ["LOCALE 'C'"])
        what = f"no database could be created in place of {live.description}"
        quoted = sql.Identifier(name).as_string(None)
        remedy = remedy_for("anew", "not_like_the_backup", database=quoted, options=kept)
    return CouldNotRun(what, checked=checked, remedy=remedy)


def enter(made: Target, live: Target) -> None:
    """CouldNotRun where the new database lets no session in."""
    try:
        made.connect(connect_timeout="10").close()
    except psycopg.OperationalError as error:
        raise CouldNotRun(
            f"a database was created beside {live.description}, but cannot be connected to",
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
            keeper = keeper_again(base, name)
        drop(keeper, made)
    except psycopg.Error as error:
        quoted = sql.Identifier(name).as_string(None)
        return (
            f"the database {name} could not be dropped ({error_text(error)}): the next "
            f"drill will drop it, or drop it yourself: DROP DATABASE {quoted}"
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
