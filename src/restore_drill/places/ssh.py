"""A connection by SSH, as OpenSSH of this user would make it, and the files at its other end.

Keys come from ~/.ssh, its config and its agent; no password is ever asked for. The host's key must
stand in known_hosts: also where the config switches that off, since a drill that reads
whatever answers has proved nothing about the backups of that host.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncssh

from restore_drill.config.remote import Place
from restore_drill.places.host_keys import HostKey

CONNECT_SECONDS, LOGIN_SECONDS = 10, 30
TIMEOUT = 60.0
"""Seconds for one request, so for one piece of a transfer."""
KEEPALIVE_SECONDS, MOST_UNANSWERED = 15, 2
KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts")
T = TypeVar("T")


class Session:
    """One connection for all threads, made when it is needed, and anew after it was lost."""

    def __init__(self, place: Place) -> None:
        """Nothing is asked yet."""
        url = urlsplit(f"sftp://{place.authority}")
        self.given: dict[str, Any] = {
            "host": url.hostname,
            "port": url.port,
            "username": url.username,
        }
        self.given = {name: value for name, value in self.given.items() if value is not None}
        self.connection: asyncssh.SSHClientConnection | None = None
        self.client: asyncssh.SFTPClient | None = None
        self.key = HostKey()
        self.user = "this user"
        self.connecting = asyncio.Lock()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="ssh", daemon=True).start()

    def ask(self, do: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        """What `do` gives; raises what the library does, and OSError where nothing answers."""
        return asyncio.run_coroutine_threadsafe(self.answer(do), self.loop).result()

    async def answer(self, do: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        """What `do` gives; where it takes too long, the connection is given up."""
        async with self.connecting:
            if self.client is None:
                await self.connect()
        client, connection = self.client, self.connection
        assert client and connection
        try:
            return await asyncio.wait_for(do(client), TIMEOUT)
        except (OSError, *LOST):
            if self.client is client:
                self.client = None
            connection.abort()
            raise

    async def connect(self) -> None:
        """Make a new connection; asyncssh.Error, OSError; ValueError for files of ~/.ssh."""
        options = await asyncssh.SSHClientConnectionOptions.construct(
            **self.given,
            client_factory=lambda: self.key,
            password_auth=False,
            kbdint_auth=False,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=MOST_UNANSWERED,
        )
        self.user = options.username
        self.key.known = known_hosts(options.known_hosts)
        made = await asyncssh.connect(options=options, known_hosts=self.key.known, **self.given)
        try:
            sftp = made.start_sftp_client(path_errors="surrogateescape")
            self.client = await asyncio.wait_for(sftp, LOGIN_SECONDS)
        except BaseException:
            made.abort()
            raise
        self.connection = made


LOST = (asyncssh.DisconnectError, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
"""What is raised where the connection has ended."""


def known_hosts(of_config: object) -> asyncssh.SSHKnownHosts:
    """Keys of hosts, of the files that the config names, else of those of this user and machine."""
    named = list(map(str, of_config)) if isinstance(of_config, list | tuple) else []
    files = [Path(each).expanduser() for each in named or KNOWN_HOSTS]
    return asyncssh.read_known_hosts([str(each) for each in files if each.is_file()])
