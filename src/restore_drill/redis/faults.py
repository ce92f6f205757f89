"""What an error of Redis means, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.redis.connection import Server

if TYPE_CHECKING:
    import redis

PREFIX = "restore-drill:"
"""Every key of every drill begins with this."""

RIGHTS = "+ping +select +info +dbsize +set +get +del +exists"

FAULTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        r"NoPermissionError.*?'(?P<name>[\w|]+)' command",
        "does not let its user run {name}",
        (
            f"grant it: ACL SETUSER USER {RIGHTS} ~{PREFIX}*",
            "or name another user in REDIS_URL",
        ),
    ),
    (
        r"NoPermissionError",
        f"does not let its user touch keys under {PREFIX}*",
        (f"grant it: ACL SETUSER USER ~{PREFIX}*", "or name another user in REDIS_URL"),
    ),
    (
        r"ReadOnlyError",
        "is a read-only replica (READONLY)",
        ("point REDIS_URL at the primary that it follows, see INFO replication",),
    ),
    (
        r"OutOfMemoryError",
        "is full and evicts nothing (OOM), so it takes no write",
        (
            "see what fills it: redis-cli --bigkeys, INFO memory",
            "raise maxmemory, or choose an evicting maxmemory-policy if it is a cache",
        ),
    ),
    (
        r"DB index is out of range|invalid DB index|SELECT is not allowed",
        "has no database of this number",
        ("correct the number at the end of REDIS_URL", "see how many it has: CONFIG GET databases"),
    ),
    (
        r"BusyLoadingError",
        "is still loading its data (LOADING)",
        ("wait until INFO persistence shows loading:0, then drill again",),
    ),
    (
        r"AuthenticationError|AuthenticationWrongNumberOfArgs|AuthorizationError|NOAUTH",
        "refused the user name or password",
        (
            "compare REDIS_URL with requirepass or the ACL of the server",
            "special characters in the password must be percent-encoded (@ is %40, # is %23)",
        ),
    ),
    (
        r"DENIED|protected mode",
        "is in protected mode and refuses clients of other machines",
        ("set a password (requirepass) and name it in REDIS_URL",),
    ),
    (
        r"max number of clients",
        "takes no more clients (maxclients)",
        ("see who holds connections: CLIENT LIST", "raise maxclients"),
    ),
    (
        r"MISCONF",
        "takes no write because it cannot save to disk (MISCONF)",
        ("read its log", "look at the free space and the owner of its data directory"),
    ),
    (
        r"NOREPLICAS",
        "takes no write because too few replicas follow it (NOREPLICAS)",
        ("bring its replicas back, see INFO replication", "compare min-replicas-to-write"),
    ),
    (
        r"MovedError|ClusterDownError|MasterDownError|AskError",
        "is a cluster node that serves no key of ours",
        ("see the state of the cluster: CLUSTER INFO", "name one of its primaries in REDIS_URL"),
    ),
    (
        r"unknown command [`']?(?P<name>\w+)",
        "does not know {name}: it is renamed (rename-command), or a proxy leaves it out",
        (
            "leave the command its name for the drill: by ACL instead of rename-command",
            "or name in REDIS_URL the Redis that the application writes to",
        ),
    ),
    (
        r"TLS .*(Error 2 connecting|No such file)",
        "was not asked: a certificate file that REDIS_URL names is not there",
        ("check the paths behind the ? of REDIS_URL",),
    ),
    (
        r"TLS TimeoutError",
        "did not answer in time, as a port that speaks no TLS",
        ("use rediss:// only where the port speaks TLS, else redis://", "check host and port"),
    ),
    (
        r"SSL|certificate",
        "failed the TLS handshake",
        (
            "use redis:// where the port speaks no TLS, rediss:// where it does",
            "a private authority? end REDIS_URL with ?ssl_ca_certs=/path/ca.pem",
        ),
    ),
    (
        r"Protocol [Ee]rror|InvalidResponse",
        "does not speak the Redis protocol",
        ("check host and port in REDIS_URL", "does the port speak TLS? then write rediss://"),
    ),
    (
        r"Connection closed|Connection reset|while reading|Broken pipe|closed by server",
        "closed the connection without an answer",
        ("does the port speak TLS? then write rediss://", "read the log of the server"),
    ),
    (
        r"not known|name resolution|nodename|No address associated",
        "has a host name that cannot be resolved",
        ("check the host in REDIS_URL", "is this machine in the right network?"),
    ),
    (
        r"Connection refused|Error 2 connecting|No such file",
        "does not listen: the connection was refused",
        ("check host and port in REDIS_URL", "is it running? redis-cli -h HOST -p PORT PING"),
    ),
    (
        r"TimeoutError|timed out|unreachable|No route",
        "did not answer in time",
        ("check host, port and firewall", "see what it does: redis-cli -h HOST -p PORT PING"),
    ),
)
"""Pattern over `ClassName: message` (for rediss:// after `TLS`), what it means, what to do.

The first one that fits counts.
"""


def explain(error: redis.RedisError, server: Server, doing: str) -> DrillError:
    """Tell the story of `error`, which came while `doing` something with `server`.

    The user's own Redis failing fails a criterion; an embedded one failing is our own failure.
    """
    told = f"{'TLS ' if server.tls else ''}{type(error).__name__}: {error}"
    what, steps = meaning(told)
    checked = [server.source, f"while {doing}"]
    if not what:
        what = f"failed with {type(error).__name__}"
        checked.append(f"it said: {server.scrub(str(error))[:200]}")
    kind = BackupFault if server.own else CouldNotRun
    return kind(f"Redis at {server.where} {what}", checked=checked, remedy=steps)


def meaning(told: str) -> tuple[str, tuple[str, ...]]:
    """Look up what the error `told` means and what to do; an empty text when it is not known."""
    for pattern, what, steps in FAULTS:
        if found := re.search(pattern, told, re.DOTALL):
            names = {key: value.upper() for key, value in found.groupdict().items()}
            return what.format(**names), steps
    return "", ("look the error up in the log of the server",)
