"""What Redis says of itself: keys, memory, role, latency; read without touching a key."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from restore_drill.core.units import show_bytes
from restore_drill.redis.asking import Skip, hello, permitted
from restore_drill.redis.connection import Server
from restore_drill.redis.latency import FEW, Latency, measure
from restore_drill.redis.own.persistence import Persistence, persistence_of
from restore_drill.redis.own.replication import Replica, link_of, replicas_of

if TYPE_CHECKING:
    import redis

ROLES = {"replica": "slave", "primary": "master"}
"""What HELLO of Redis and of Valkey may call the roles of INFO."""


@dataclass(frozen=True)
class RedisFacts:
    """Facts of one Redis; None where its user may not ask for them.

    Memory in bytes. `other_keys` counts the keys of its other databases by number. `primary` is
    `host:port` where it is a replica, `link` what is wrong with the way to it. `write` is `ok`, or
    says why the write that the stage tried, or did not dare to try, did not work.
    """

    where: str
    own: bool
    database: int
    ping: bool
    latency: Latency
    version: str | None = None
    role: str | None = None
    primary: str | None = None
    link: str = ""
    keys: int | None = None
    other_keys: dict[int, int] = field(default_factory=dict)
    used_memory: int | None = None
    maxmemory: int | None = None
    maxmemory_policy: str | None = None
    persistence: Persistence | None = None
    replicas: tuple[Replica, ...] | None = None
    write: str = "not tried"

    @property
    def is_primary(self) -> bool:
        """Whether it takes writes for others, instead of following another Redis."""
        return self.role == "master"

    @property
    def role_in_words(self) -> str:
        """Role, and whom it follows."""
        if self.role is None:
            return "its role is unknown (none of INFO, HELLO and ROLE is permitted, or known)"
        if self.primary:
            link = f", and {self.link}" if self.link else ""
            return f"it is a replica of {self.primary}{link}"
        return "it is a replica" if self.role == "slave" else f"its role is {self.role}"

    @property
    def evicts(self) -> bool:
        """Whether it removes keys where it is full."""
        return self.maxmemory_policy not in (None, "noeviction")

    @property
    def headroom(self) -> float | None:
        """Share of its memory limit that is left; None where it has none, or that is not known."""
        if not self.maxmemory or self.used_memory is None:
            return None
        return max(1 - self.used_memory / self.maxmemory, 0.0)

    @property
    def memory(self) -> str:
        """Memory in words: `memory 1.2 MB of 64.0 MB, policy allkeys-lru`."""
        if self.used_memory is None:
            return "memory unknown"
        limit = f"of {show_bytes(self.maxmemory)}" if self.maxmemory else "without a limit"
        return f"memory {show_bytes(self.used_memory)} {limit}, policy {self.maxmemory_policy}"

    def as_json(self) -> dict[str, Any]:
        """Facts as result.json shows them."""
        shown = asdict(self)
        shown["reachable"] = shown.pop("ping")
        shown["other_keys"] = {str(number): count for number, count in self.other_keys.items()}
        shown["headroom"] = self.headroom
        del shown["latency"]
        return shown | self.latency.as_json()


def read_facts(server: Server, skip: Skip, round_trips: int = FEW, servers: int = 1) -> RedisFacts:
    """Ask `server` for its facts; `skip(what, why)` hears of those that it may not report.

    PING is timed `round_trips` times, less where all `servers` would take too long for that.
    Raises `redis.RedisError` when it does not answer.
    """
    client = server.client
    ping = bool(client.ping())
    latency = measure(client.ping, round_trips, servers)
    database = int(client.connection_pool.connection_kwargs.get("db", 0))
    info = permitted(client.info, "memory of Redis", skip) or {}
    known = {} if "role" in info else hello(client)
    role, primary = role_of(client, info, known, skip)
    return RedisFacts(
        where=server.where,
        own=server.own,
        database=database,
        ping=ping,
        latency=latency,
        version=version_of(info, known),
        role=role,
        primary=primary,
        link=link_of(info),
        keys=permitted(client.dbsize, "key count of Redis", skip),
        other_keys=keys_by_database(info, but=database),
        used_memory=info.get("used_memory"),
        maxmemory=info.get("maxmemory"),
        maxmemory_policy=info.get("maxmemory_policy"),
        persistence=persistence_of(info),
        replicas=replicas_of(info) if role == "master" and "role" in info else None,
    )


def version_of(info: dict[str, Any], known: dict[str, Any]) -> str | None:
    """`redis 7.0.15`, by INFO or what is known from HELLO; Valkey calls itself 7.2 for clients."""
    name = "valkey" if "valkey_version" in info else "redis"
    version = info.get(f"{name}_version")
    if version:
        return f"{name} {version}"
    return f"{known['server']} {known.get('version')}" if "server" in known else None


def role_of(
    client: redis.Redis, info: dict[str, Any], known: dict[str, Any], skip: Skip
) -> tuple[str | None, str | None]:
    """Role, and `host:port` of the primary of a replica: by INFO, else by HELLO and ROLE.

    Any user may ask HELLO, which does not name the primary; servers before Redis 6 lack it.
    """
    if "role" in info:
        host = info.get("master_host")
        return info["role"], f"{host}:{info.get('master_port')}" if host else None
    role = str(known["role"]) if known.get("role") else None
    if role == "master":
        return role, None
    asked = permitted(client.role, "role of Redis", skip if role is None else ignore)
    if not asked:
        return ROLES.get(role or "", role), None
    return str(asked[0]), f"{asked[1]}:{asked[2]}" if asked[0] == "slave" else None


def ignore(_what: str, _why: str) -> None:
    """Nobody is to hear of what is known from elsewhere."""


def keys_by_database(info: dict[str, Any], *, but: int) -> dict[int, int]:
    """Keys by the number of the database, from the keyspace lines of INFO, without `but`."""
    found = {}
    for name, value in info.items():
        if re.fullmatch(r"db\d+", name) and int(name[2:]) != but:
            found[int(name[2:])] = int(value["keys"])
    return found
