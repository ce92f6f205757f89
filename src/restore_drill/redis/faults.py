"""What an error of Redis means, and what to do about it."""

from __future__ import annotations

import re

from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.connection import Server

PREFIX = "restore-drill:"
"""Every key of every drill begins with this."""

BAD_FILES = (
    r"(?i)TLS .*(PEM lib|key.values.mismatch|bad.(decrypt|password)|no.start.line"
    r"|certificate.or.crl|Error 13 connecting)"
)
"""What OpenSSL says of certificates and keys that it cannot use, before anything is sent."""

RIGHTS = "+ping +select +info +dbsize +set +get +incr +del +exists"

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
    (r"BUSY Redis is busy", "is busy with a script or function (BUSY)", "busy"),
    (
        r"MasterDownError",
        "is a replica that has lost its primary (MASTERDOWN)",
        "primary_is_down",
    ),
    (r"ReadOnlyError", "is a read-only replica (READONLY)", "read_only"),
    (
        r"OutOfMemoryError",
        "is full and evicts nothing, so it accepts no writes (OOM)",
        "out_of_memory",
    ),
    (
        r"DB index is out of range|invalid DB index|SELECT is not allowed",
        "has no database with this number",
        "no_such_database",
    ),
    (r"BusyLoadingError", "is still loading its data (LOADING)", "loading"),
    (
        r"Authentication required|NOAUTH|operation not permitted",
        "asks for a password (NOAUTH), and REDIS_URL gives none",
        "no_password",
    ),
    (
        r"without any password configured|but no password is set",
        "has no password, but REDIS_URL gives one without a user",
        "needless_password",
    ),
    (
        r"AuthenticationError|AuthenticationWrongNumberOfArgs|AuthorizationError",
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
        r"MovedError|ClusterDownError|AskError|TryAgainError|CLUSTERDOWN",
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
    (
        BAD_FILES,
        "was not contacted: a certificate or key of REDIS_URL is unreadable or does not fit",
        "bad_certificate",
    ),
    (
        r"(?i)alert.(handshake.failure|bad.certificate|unknown.ca|certificate|decrypt)",
        "refused the client certificate of REDIS_URL, or wants one and got none",
        "client_certificate",
    ),
    (r"certificate has expired", "has a certificate that has expired", "expired_certificate"),
    (
        r"(?i)hostname mismatch|IP address mismatch|doesn't match|not valid for",
        "has a certificate for other host names than that of REDIS_URL",
        "other_host",
    ),
    (
        r"(?i)self.signed|unable to get (local )?issuer|CERTIFICATE_VERIFY_FAILED",
        "has a certificate of an authority that this machine does not trust",
        "unknown_authority",
    ),
    (
        r"TLS .*(Connection (closed|reset)|Broken pipe|closed by server|writing .*EOF occurred)",
        "ended the TLS connection: it may want a client certificate, or another one",
        "client_certificate",
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
        r"Error 13 connecting|Permission denied",
        "has a socket that this user may not open",
        "closed_socket",
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


def explain(error: Exception, server: Server, doing: str) -> DrillError:
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
    return kind(f"{server.kind} at {server.where} {what}", checked=checked, remedy=steps)


def meaning(text: str) -> tuple[str, list[str]]:
    """Look up what the error `text` means and what to do; an empty text when it is not known."""
    for pattern, what, cause in FAULTS:
        if found := re.search(pattern, text, re.DOTALL):
            names = {key: value.upper() for key, value in found.groupdict().items()}
            return what.format(**names), remedy_for(
                "redis_error", cause, rights=RIGHTS, prefix=PREFIX
            )
    return "", remedy_for("redis_error", "unknown", rights=RIGHTS, prefix=PREFIX)
