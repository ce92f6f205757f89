"""Every database of a recovered server is opened to us: by a superuser, whatever it is called."""

from __future__ import annotations

import re
import secrets
from typing import Any

import psycopg

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.names import quoted
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.recovery.executor import RecoveringExecutor
from restore_drill.recovery.server import RecoveredServer
from restore_drill.recovery.single_user import in_single_user_mode
from restore_drill.servers.executor import SUPERUSER

ENTRIES = (SUPERUSER, "template1", "template0")
"""Databases that every server is made with: one of them is there, unless all were dropped."""
TEMPLATE = "base/1"
"""Folder of template1, whose OID is always the same."""
IS_SUPERUSER = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
CONNECTING = re.compile(r"^connection failed: [^\n]{1,300}? failed: (?=FATAL)")
"""How libpq's words begin, which name our own socket."""
NO_ROLE = (
    "does not exist", "is not permitted to log in", "permission denied", "too many connections",
)  # fmt: skip
"""How a session is refused to who is no superuser, or cannot log in."""
NOT_OPEN = ("is not currently accepting connections", "does not exist", "cannot connect to invalid")
NO_DATABASE = '" does not exist'
NAMED_SETTINGS = """
SELECT DISTINCT pg_catalog.split_part(setting, '=', 1)
FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS setting
"""
OWN_VALUES = """
SELECT name, COALESCE(boot_val, '') FROM pg_catalog.pg_settings
WHERE name = ANY (%s) AND context IN ('user', 'superuser', 'backend', 'superuser-backend')
"""
KEPT = {"client_encoding"}
"""Settings that each session of ours gives itself."""


def open_server(server: RecoveredServer, settings: dict[str, str]) -> None:
    """Find a way into the `server`: as a superuser, into a database, past all of its settings.

    Where nobody by the usual name may log in, a role is made in the copy, which has no other use.
    """
    if not try_entries(server) and not make_role(server):
        is_gone = not (server.run.data / TEMPLATE).exists()
        if is_gone and all(is_absent(server, name) for name in entries_of(server)):
            raise CouldNotRun(
                "the recovered server has no database of a usual name, and no other is known",
                checked=[f"there is none called {', '.join(entries_of(server))}"],
                remedy=remedy_for("recovering", "no_entry"),
            )
        raise BackupFault(
            "no database of the recovered server can be opened: its catalogs are damaged",
            checked=[f"tried in vain: {', '.join(entries_of(server))}"],
            remedy=remedy_for("recovery", "damaged"),
        )
    server.options = options_for(server, settings)


def entries_of(server: RecoveredServer) -> list[str]:
    """Databases that are tried: the one that the user has named, and those of every server."""
    return list(filter(None, (server.known, *ENTRIES)))


def is_absent(server: RecoveredServer, name: str) -> bool:
    """Whether `server` says that it has no database called `name`."""
    if not server.executor.running():
        server.start()
    try:
        server.target(name).connect().close()
    except psycopg.Error as error:
        return NO_DATABASE in str(error)
    return False


def try_entries(server: RecoveredServer) -> bool:
    """Whether some database lets `server.user` in, who is a superuser there; it becomes `entry`.

    One that is damaged is passed over, where another one is not.
    """
    damaged: Exception | None = None
    for name in entries_of(server):
        try:
            with server.target(name).connect() as connection:
                row = connection.execute(IS_SUPERUSER).fetchone()
        except psycopg.Error as error:
            if not is_expected(str(error)):
                damaged = damaged or cannot_open(server, name, error)
            continue
        server.entry = name
        return bool(row and row[0])
    if damaged is not None:
        raise damaged
    return False


def is_expected(text: str) -> bool:
    """Whether a session was refused since the role, or the database, is not for it."""
    return any(words in text for words in (*NO_ROLE, *NOT_OPEN))


def make_role(server: RecoveredServer) -> bool:
    """Make a superuser in the copy, and let a database be entered; whether that was possible."""
    executor = server.executor
    assert isinstance(executor, RecoveringExecutor)
    name = f"restore_drill_{secrets.token_hex(4)}"
    executor.stop()
    entries = [each for each in entries_of(server) if "\n" not in each]
    for database in entries:
        executor.clear_way()
        opened = [f"ALTER DATABASE {quoted(each)} WITH ALLOW_CONNECTIONS true" for each in entries]
        in_single_user_mode(executor, database, [f"CREATE ROLE {name} SUPERUSER LOGIN", *opened])
        server.user = name
        server.start()
        if try_entries(server):
            return True
        executor.stop()
    return False


def cannot_open(server: RecoveredServer, name: str, error: psycopg.Error) -> Exception:
    """The error for a database that cannot be opened: the build's, this machine's or its own."""
    text = str(error)
    if "ICU is not supported" in text:
        return no_icu(server, [name])
    if ("locale" in text and "operating system" in text) or "not recognized by setlocale" in text:
        return CouldNotRun(
            f"database {name!r} sorts by a locale that this machine does not have",
            checked=[error_text(error, name)],
            remedy=remedy_for("recovering", "no_locale"),
        )
    return BackupFault(
        f"database {name!r} cannot be opened after the recovery",
        checked=[CONNECTING.sub("", error_text(error, name))],
        remedy=remedy_for("recovery", "damaged"),
    )


def no_icu(server: RecoveredServer, names: list[str]) -> CouldNotRun:
    """The error for databases that a build without ICU cannot open, or check."""
    return CouldNotRun(
        f"{server.binaries.name} is built without ICU, and the backup sorts by it",
        checked=[f"databases: {', '.join(names)}"],
        remedy=remedy_for("recovering", "no_icu", major=server.binaries.major),
    )


def options_for(server: RecoveredServer, settings: dict[str, str]) -> str:
    """Options of our sessions that stand before all that databases and roles set for theirs.

    Some of that would hide damage (zero_damaged_pages), write rows into the log, or end a check.
    """
    with server.target(server.entry).connect() as connection:
        names = {name.lower() for (name,) in connection.execute(NAMED_SETTINGS)}
        rows: list[tuple[Any, ...]] = connection.execute(OWN_VALUES, [list(names)]).fetchall()
    given = {name: settings.get(name, value) for name, value in rows if name not in KEPT}
    if "role" in names:
        given["role"] = "none"
    given |= {"session_preload_libraries": "", "local_preload_libraries": ""}
    return " ".join(f"-c {name}={escaped(value)}" for name, value in sorted(given.items()))


def escaped(value: str) -> str:
    """`value` as it stands in libpq's options."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
