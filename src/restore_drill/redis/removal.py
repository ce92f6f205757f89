"""The command that removes the keys of a pattern: shown to the user, and run by no drill."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from restore_drill.redis.connection import Server

SCRIPT = (
    "local r=redis.call('SCAN',ARGV[1],'MATCH',ARGV[2],'COUNT',1000) "
    "for _,k in ipairs(r[2]) do redis.call('UNLINK',k) end return r[1]"
)
"""One step: a name of a key never leaves the server, for it may hold any byte, a newline too.

It looks at about 1,000 keys, and so keeps the server from others for about a millisecond.
"""
REMOVE = (
    'c=0; while c=$({client} EVAL "{script}" 0 "$c" {pattern}) && [ "$c" -gt 0 ]; do :; done; '
    '[ "$c" = 0 ] && echo removed || echo "not removed: $c"'
)
"""Steps until SCAN is through; an answer that is no number is an error, and ends them."""
TLS = {
    "ssl_ca_certs": "--cacert",
    "ssl_ca_path": "--cacertdir",
    "ssl_certfile": "--cert",
    "ssl_keyfile": "--key",
    "ssl_ciphers": "--tls-ciphers",
}
"""Options of REDIS_URL that redis-cli has too."""
NO_MATTER = {"ssl_cert_reqs", "ssl_check_hostname", "ssl_min_version"}
"""Others of them, without which it reaches the same server."""


def removal(server: Server, pattern: str, database: int | None = None) -> dict[str, str | None]:
    """`remove`, the command for sh and bash, or None and `why` there is none.

    It is for the `database` of this number, None for that of `server`.
    """
    options = server.client.connection_pool.connection_kwargs
    options = options if database is None else options | {"db": database}
    unknown = sorted(
        name
        for name, value in options.items()
        if name.startswith("ssl_") and value != "" and name not in TLS.keys() | NO_MATTER
    )
    if server.tls and unknown:
        return {"remove": None, "why": f"redis-cli has no option for {', '.join(unknown)}"}
    client = shlex.join(["redis-cli", *arguments(options, tls=server.tls)])
    command = REMOVE.format(client=client, script=SCRIPT, pattern=shlex.quote(pattern))
    if not command.isprintable():
        why = "a character of REDIS_URL or of the pattern cannot be shown"
        return {"remove": None, "why": why}
    return {"remove": command, "why": None}


def arguments(options: dict[str, Any], *, tls: bool) -> Iterator[str]:
    """Arguments of redis-cli for the server that redis-py reaches with `options`.

    It takes the password from REDISCLI_AUTH. Not by REDIS_URL: redis-cli 7.0 refuses one with a
    password and no user, and knows none of a socket.
    """
    if path := options.get("path"):
        yield from ("-s", str(path))
    else:
        yield from ("-h", str(options.get("host") or "localhost"))
        yield from ("-p", str(options.get("port") or 6379))
    yield from ("-n", str(options.get("db") or 0))
    if user := options.get("username"):
        yield from ("--user", str(user))
    if not tls:
        return
    yield "--tls"
    for name, option in TLS.items():
        if value := options.get(name):
            yield from (option, str(value))
    if str(options.get("ssl_cert_reqs", "")).lower() in ("none", "cert_none"):
        yield "--insecure"
