"""Errors of SSH and SFTP in words; the texts of a server are never shown."""

from __future__ import annotations

import socket

import asyncssh

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.ssh import LOST, Session

FAILURES = (asyncssh.Error, OSError, ValueError, RecursionError)
"""What a request may raise; ValueError for a file of ~/.ssh that cannot be used."""
LASTING = (
    asyncssh.HostKeyNotVerifiable,
    asyncssh.PermissionDenied,
    asyncssh.KeyExchangeFailed,
    asyncssh.ProtocolNotSupported,
    socket.gaierror,
    ConnectionRefusedError,
)
"""Errors that the next try would meet again, though they end a connection."""
NETWORK = ("the server does not answer as it should", "network")
CAUSES: tuple[tuple[type[Exception], tuple[str, str]], ...] = (
    (asyncssh.PermissionDenied, ("none of your keys may log in as {user}", "login")),
    (asyncssh.KeyExchangeFailed, ("server and client have no algorithm in common", "algorithm")),
    (asyncssh.ProtocolNotSupported, ("what answers there is not an SSH server", "host")),
    (asyncssh.ChannelOpenError, ("the server offers no SFTP to {user}", "no_sftp")),
    (asyncssh.SFTPNoSuchFile, ("there is no such file or folder", "file")),
    (asyncssh.SFTPNoSuchPath, ("there is no such file or folder", "file")),
    (asyncssh.SFTPPermissionDenied, ("{user} may not read it there", "may_not_read")),
    (socket.gaierror, ("the name of the server is not known", "host")),
    (ConnectionRefusedError, ("no SSH server listens there", "host")),
    (TimeoutError, NETWORK),
    (ValueError, ("a file of ~/.ssh cannot be used", "ssh_file")),
    (RecursionError, ("ProxyJump of ~/.ssh/config leads to itself", "jump")),
)


def is_passing(error: Exception) -> bool:
    """Whether the same may succeed a moment later."""
    is_of_network = isinstance(error, (OSError, *LOST)) and not file_of(error)
    return is_of_network and not isinstance(error, LASTING)


def file_of(error: Exception) -> str:
    """The file or program of this machine that an `error` is about, empty for none."""
    return str(getattr(error, "filename", None) or "")


def what_failed(error: Exception, url: str, session: Session) -> CouldNotRun:
    """The error that a request for `url` of `session` ended with."""
    if refusal := session.key.refusal(url, error):
        return refusal
    what, cause = next((words for kind, words in CAUSES if isinstance(error, kind)), NETWORK)
    checked = [f"answer: {type(error).__name__}"]
    if isinstance(error, ValueError):
        checked = [str(error)[:200]]
    if file := file_of(error):
        what, cause = "what ~/.ssh/config names cannot be used", "ssh_file"
        checked = [f"{file}: {type(error).__name__}"]
    return CouldNotRun(
        f"{url} cannot be read: {what.format(user=session.user)}",
        checked=checked,
        remedy=remedy_for("places", cause),
    )
