"""What an error of Redis means, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.connection import Server

if TYPE_CHECKING:
    import redis

PREFIX = "restore-drill:"
"""Every key of every drill begins with this."""

RIGHTS = "+ping +select +info +dbsize +set +get +del +exists"

FAULTS: tuple[tuple[str, str, str], ...] = (
    (
        r"NoPermissionError.*?'(?P<name>[\w|]+)' command",
        "does not let its user run {name}",
        "no_right_for_command",
    ),
    (
        r"NoPermissionError",
        f"does not let its user access keys under {PREFIX}*",
        "no_right_for_keys",
    ),
    (r"ReadOnlyError", "is a read-only replica (READONLY)", "read_only"),
    (
        r"OutOfMemoryError",
        "is full and evicts nothing (OOM), so it accepts no writes",
        "out_of_memory",
    ),
    (
        r"DB index is out of range|invalid DB index|SELECT is not allowed",
        "has no database with this number",
        "no_such_database",
    ),
    (r"BusyLoadingError", "is still loading its data (LOADING)", "loading"),
    (
        r"AuthenticationError|AuthenticationWrongNumberOfArgs|AuthorizationError|NOAUTH",
        "refused the user name or password",
        "wrong_password",
    ),
    (
        r"DENIED|protected mode",
        "is in protected mode and refuses clients from other machines",
        "protected_mode",
    ),
    (r"max number of clients", "accepts no more clients (maxclients)", "too_many_clients"),
    (r"MISCONF", "accepts no writes because it cannot save to disk (MISCONF)", "cannot_save"),
    (
        r"NOREPLICAS",
        "accepts no writes because it has too few replicas (NOREPLICAS)",
        "no_replicas",
    ),
    (
        r"MovedError|ClusterDownError|MasterDownError|AskError",
        "is a cluster node that serves none of the drill's keys",
        "cluster_node",
    ),
    (
        r"unknown command [`']?(?P<name>\w+)",
        "does not know {name}: it is renamed (rename-command), or a proxy leaves it out",
        "renamed_command",
    ),
    (
        r"TLS .*(Error 2 connecting|No such file)",
        "was not contacted: a certificate file named in REDIS_URL does not exist",
        "no_certificate",
    ),
    (r"TLS TimeoutError", "did not answer in time; the port may not speak TLS", "tls_time_out"),
    (r"SSL|certificate", "failed the TLS handshake", "tls_failed"),
    (r"Protocol [Ee]rror|InvalidResponse", "does not speak the Redis protocol", "no_redis"),
    (
        r"Connection closed|Connection reset|while reading|Broken pipe|closed by server",
        "closed the connection without an answer",
        "connection_closed",
    ),
    (
        r"not known|name resolution|nodename|No address associated",
        "has a host name that cannot be resolved",
        "unknown_host",
    ),
    (
        r"Connection refused|Error 2 connecting|No such file",
        "is not listening: the connection was refused",
        "refused_connection",
    ),
    (r"TimeoutError|timed out|unreachable|No route", "did not answer in time", "time_out"),
)
"""Pattern over `ClassName: message` (for rediss:// after `TLS`), meaning, key of the remedy.

The first one that fits counts.
"""


def explain(error: redis.RedisError, server: Server, doing: str) -> DrillError:
    """The error to raise for `error`, which came while `doing` something with `server`.

    The user's own Redis failing fails a criterion; an embedded one failing is our own failure.
    """
    text = f"{'TLS ' if server.tls else ''}{type(error).__name__}: {error}"
    what, steps = meaning(text)
    checked = [server.source, f"while {doing}"]
    if not what:
        what = f"failed with {type(error).__name__}"
        checked.append(f"its answer: {server.scrub(str(error))[:200]}")
    kind = BackupFault if server.own else CouldNotRun
    return kind(f"Redis at {server.where} {what}", checked=checked, remedy=steps)


def meaning(text: str) -> tuple[str, list[str]]:
    """Look up what the error `text` means and what to do; an empty text when it is not known."""
    for pattern, what, cause in FAULTS:
        if found := re.search(pattern, text, re.DOTALL):
            names = {key: value.upper() for key, value in found.groupdict().items()}
            return what.format(**names), remedy_for(
                "redis_error", cause, rights=RIGHTS, prefix=PREFIX
            )
    return "", remedy_for("redis_error", "unknown", rights=RIGHTS, prefix=PREFIX)
