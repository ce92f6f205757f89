"""Target `database`: the live database in DATABASE_URL, and the way to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import Identifier

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import NAME, SWITCHED_SINCE, Target

SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": "15s",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
}
"""Of all our sessions on a server that is not ours, whatever its role and database set: the
application keeps us from a table for so long, and nothing ends a session that holds our lock."""
SINCE = {"idle_session_timeout": 14, "transaction_timeout": 17}
"""Majors from which on a server knows a setting."""
WAYS = {"promote": "promotion", "in-place": "reset"}
"""What each way is for the live database, where it has to be confirmed."""
CAUSES = {
    "no password supplied": "no_password",
    "password authentication failed": "wrong_password",
    r'database ".*" does not exist': "no_database",
    r"too many connections for database": "database_is_full",
    r"too many (connections|clients)|connection slots are reserved": "too_many",
}
"""Causes of a failed connection, by what libpq says, and a server that speaks English."""

Tools = Callable[[int], Binaries]
"""Gives client tools for the server of a major version."""


class NoDatabase(CouldNotRun):
    """The server answers, and seems to have no such database."""


def live_target(
    settings: Settings, note: Callable[[str], None], tools_for: Tools | None = None
) -> Target:
    """Target of DATABASE_URL; CouldNotRun where it does not answer, or its reset is unconfirmed."""
    url = settings.database_url or ""
    name = (conninfo := conninfo_of(url))["dbname"]
    if settings.way != "beside" and settings.confirm != name:
        raise CouldNotRun(
            f"{place_of(conninfo)} was not touched: its {WAYS[settings.way]} is not confirmed",
            checked=[f"the name that was given: {settings.confirm}"],
            remedy=remedy_for("not_confirmed", settings.way, name=name),
        )
    return open_database(url, tools_for or (lambda major: find_binaries(major, note=note)))


def open_database(url: str, tools_for: Tools) -> Target:
    """The database at `url`, with the tools for its server's major version.

    The password may also stand in PGPASSWORD or in libpq's password file. CouldNotRun where the
    server does not answer.
    """
    conninfo = conninfo_of(url)
    secret = conninfo.pop("password", None)
    options: dict[str, Any] = {"connect_timeout": "10", **conninfo, "application_name": NAME}
    try:
        with psycopg.connect(password=secret, **options) as connection:
            version = connection.info.server_version
            password = connection.info.password
            may_switch = may_switch_event_triggers(connection)
    except psycopg.OperationalError as error:
        raise not_connected(conninfo, error) from None
    plain = Target(
        kind="database",
        conninfo=conninfo,
        password=password or None,
        server_version=version,
        binaries=tools_for(version // 10000),
        description=describe(conninfo, version),
        throwaway=False,
    )
    own = with_settings(plain, SETTINGS)
    ways = [replace(own, without_event_triggers=True)] if may_switch else []
    return next(filter(lets_in, [*ways, own]), plain)


def with_settings(target: Target, settings: Mapping[str, str]) -> Target:
    """`target` whose sessions, those of client tools too, have these `settings`.

    Whatever role and database set; what its server does not know is left out.
    """
    given = target.conninfo.get("options", "")
    for name, value in settings.items():
        option = f"-c {name}=" + value.replace(" ", "\\ ")
        if SINCE.get(name, 0) <= target.major and option not in given:
            given = f"{given} {option}".strip()
    return replace(target, conninfo=target.conninfo | {"options": given})


def not_connected(conninfo: dict[str, str], error: psycopg.OperationalError) -> CouldNotRun:
    """Why there is no connection: NoDatabase where the server may lack that database.

    Where it speaks another language than English, its message names the database nevertheless.
    """
    causes = [cause for pattern, cause in CAUSES.items() if re.search(pattern, str(error))]
    cause = (*causes, "no_connection")[0]
    may_lack = cause == "no_database" or (not causes and conninfo["dbname"] in str(error))
    return (NoDatabase if may_lack else CouldNotRun)(
        f"no connection to the {place_of(conninfo)}",
        checked=[first_line(error)],
        remedy=remedy_for("live_connection", cause),
    )


def may_switch_event_triggers(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Whether the role may keep event triggers from running: a superuser, from PostgreSQL 17 on."""
    if connection.info.server_version // 10000 < SWITCHED_SINCE:
        return False
    query = "SELECT pg_catalog.has_parameter_privilege('event_triggers', 'SET')"
    return connection.execute(query).fetchone() == (True,)


def lets_in(target: Target) -> bool:
    """Whether the way to the server takes the options of `target`: a pooler may refuse them."""
    try:
        target.connect(connect_timeout="10").close()
    except psycopg.OperationalError:
        return False
    return True


def conninfo_of(url: str) -> dict[str, str]:
    """Keywords of libpq that `url` sets, the password among them."""
    return {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}


def place_of(conninfo: dict[str, str]) -> str:
    """`database HOST:PORT/NAME`."""
    host, port = conninfo.get("host", "local socket"), conninfo.get("port", "5432")
    return f"database {host}:{port}/{conninfo['dbname']}"


def describe(conninfo: dict[str, str], version: int) -> str:
    """`database HOST:PORT/NAME (PostgreSQL 16.4)`."""
    return f"{place_of(conninfo)} (PostgreSQL {version // 10000}.{version % 10000})"


def first_line(error: BaseException) -> str:
    """First line of what libpq says; it never holds the password."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


SUBSCRIPTIONS_IN_USE = """
    SELECT s.subname FROM pg_catalog.pg_subscription s
    JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
    WHERE d.datname = pg_catalog.current_database() AND (s.subenabled OR EXISTS (
        SELECT FROM pg_catalog.pg_subscription_rel r
        WHERE r.srsubid = s.oid AND (s.subslotname IS NOT NULL OR r.srsubstate <> 'r')
    ))
    ORDER BY 1
"""
"""Subscriptions that work, or may have a slot on their publisher. What a restore has made is off
and knows no table (`connect = false`): it has never connected, whatever slot it names."""


def check_resettable(target: Target) -> None:
    """CouldNotRun where a reset would reach beyond this database, or would not be allowed."""
    with target.connect() as connection:
        found = connection.execute(
            "SELECT pg_catalog.pg_is_in_recovery(),"
            " pg_catalog.pg_has_role(d.datdba, 'MEMBER')"
            " FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()"
        ).fetchone()
        used = [name for (name,) in connection.execute(SUBSCRIPTIONS_IN_USE).fetchall()]
    in_recovery, is_owner = found or (False, False)
    problem = ""
    if used:
        raise CouldNotRun(
            f"{target.description} was not touched: it has subscriptions that are enabled, or were",
            checked=[f"pg_subscription and pg_subscription_rel: {some(used, 10)}"],
            remedy=remedy_for("live", "subscriptions", name=Identifier(used[0]).as_string(None)),
        )
    if in_recovery:
        problem = "it is a read-only replica"
    elif not is_owner:
        problem = "the role in DATABASE_URL does not own it"
    if problem:
        raise CouldNotRun(f"{target.description} was not touched: {problem}")
