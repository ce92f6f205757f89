"""What every kind of target gives: a server with an empty database, and a way to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.binaries import Binaries

VARIABLES = {
    option.keyword.decode(): option.envvar.decode()
    for option in psycopg.pq.Conninfo.get_defaults()
    if option.envvar
}
"""libpq's environment variable for each of its keywords that has one."""
EVENT_TRIGGERS_OFF = "-c event_triggers=off"
NAME = "restore-drill"
"""What the server calls each session of ours, and of the tools that we run (application_name)."""
SWITCHED_SINCE = 17
"""First major with login event triggers, and with the setting that keeps them from running."""


@dataclass(frozen=True)
class Target:
    """A database to restore into.

    `conninfo` holds libpq keywords without the password; `password` goes to libpq and to tools
    by itself, never into an argument list. `binaries` are client tools that fit the server;
    `isolated` says whether a server of our own is shut in, None for those that are not ours, and
    `exposed` what it reaches and why where it is not; `why_ended` says why we have ended it.
    With `without_event_triggers` no session of ours runs any: a login trigger of the backup would
    write rows into what is verified, or keep us out. A restore runs them as everywhere.
    `recover` makes a server of it where it is none yet (a physical backup); progress goes to what
    it is given.
    `beside` names the live database beside which a drill has made this one, on a server that is
    not ours; with `is_absent` that server has no such live database: there is none to read.
    """

    kind: str
    conninfo: dict[str, str]
    server_version: int
    binaries: Binaries
    password: str | None = field(default=None, repr=False)
    description: str = ""
    throwaway: bool = True
    without_event_triggers: bool = False
    isolated: bool | None = None
    exposed: str = ""
    beside: str = ""
    is_absent: bool = False
    reset: Callable[[], None] = field(default=lambda: None)
    recover: Callable[[Callable[[str], None]], object] | None = field(default=None, repr=False)
    why_ended: Callable[[], CouldNotRun | None] = field(default=lambda: None, repr=False)

    @property
    def is_expendable(self) -> bool:
        """Whether its database is ours to fill, empty and drop, on whichever server it lies."""
        return self.throwaway or bool(self.beside)

    @property
    def major(self) -> int:
        """Major version of the server: 16 for 16.4."""
        return self.server_version // 10000

    @property
    def version(self) -> str:
        """Version as people write it: `16.4`."""
        return f"{self.major}.{self.server_version % 10000}"

    @property
    def keywords(self) -> dict[str, str]:
        """Keywords of libpq for a session of ours, without the password."""
        named = self.conninfo | {"application_name": NAME}
        if not self.without_event_triggers:
            return named
        options = f"{self.conninfo.get('options', '')} {EVENT_TRIGGERS_OFF}".strip()
        return named | {"options": options}

    @property
    def tool_environment(self) -> dict[str, str]:
        """Environment of a client tool: ours, with libpq's variables naming this database.

        The only place where the password goes; the messages come in English, to be read.
        """
        left_out = ("PG", "LC_ALL", "LANGUAGE")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        given = {**self.keywords, **({"password": self.password} if self.password else {})}
        own = {VARIABLES[key]: value for key, value in given.items() if key in VARIABLES}
        return inherited | own | {"LC_MESSAGES": "C"}

    def connect(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """New connection, autocommit on; `options` override libpq keywords."""
        secret = {"password": self.password} if self.password else {}
        # Names in the database are to be read the same whatever its encoding.
        encoding = {"client_encoding": "UTF8"}
        keywords: dict[str, Any] = {**self.keywords, **encoding, **secret, **options}
        return psycopg.connect(autocommit=True, **keywords)

    def connect_read_only(self) -> psycopg.Connection[tuple[Any, ...]]:
        """New connection that cannot write and resolves no name by search_path."""
        connection = self.connect()
        connection.execute("SET default_transaction_read_only = on")
        connection.execute("SET search_path = pg_catalog")
        connection.execute("SET row_security = off")
        return connection


class Server(Protocol):
    """A server of our own: what a kind of target gives."""

    def create_database(self, name: str, *, encoding: str = "UTF8") -> Target:
        """Empty database `name` on it."""

    def is_running(self) -> bool:
        """Whether it still runs."""

    def stop(self) -> None:
        """End it, and remove all that it left; harmless when called twice."""
