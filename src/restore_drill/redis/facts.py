"""What Redis says of itself: keys, memory, role, latency; read without touching a key."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.redis.connection import Server

if TYPE_CHECKING:
    import redis

PINGS = 20
FULL = 0.95
"""Share of maxmemory from which on a write may evict live keys."""


@dataclass(frozen=True)
class RedisFacts:
    """Facts of one Redis; None where its user may not ask for them.

    Memory in bytes, latencies in seconds. `other_keys` counts the keys of its other databases by
    number, `primary` is `host:port` where it is a replica, and `write` is `ok` or says why the
    write that the stage tried, or did not dare to try, did not work.
    """

    where: str
    own: bool
    database: int
    ping: bool
    latency_median: float
    latency_worst: float
    version: str | None = None
    role: str | None = None
    primary: str | None = None
    keys: int | None = None
    other_keys: dict[int, int] = field(default_factory=dict)
    used_memory: int | None = None
    maxmemory: int | None = None
    maxmemory_policy: str | None = None
    write: str = "not tried"

    @property
    def is_primary(self) -> bool:
        """Whether it takes writes for others, instead of following another Redis."""
        return self.role == "master"

    @property
    def is_sentinel(self) -> bool:
        """Whether it is a Sentinel: it watches others, and keeps nothing itself."""
        return self.role == "sentinel"

    @property
    def role_in_words(self) -> str:
        """Role, and whom it follows."""
        if self.role is None:
            return "its role is unknown (neither INFO nor ROLE is permitted, or known)"
        if self.is_sentinel:
            return "it is a Sentinel, which stores no keys"
        return f"it is a replica of {self.primary}" if self.primary else f"its role is {self.role}"

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
        return shown


def why_not_tried(facts: RedisFacts) -> str:
    """Why nobody can know whether a small write is safe; empty where that is known."""
    known = facts.used_memory is not None and facts.maxmemory is not None
    if facts.is_sentinel or (known and facts.maxmemory_policy):
        return ""
    return (
        "nothing was written: without INFO (not permitted, or renamed) it is unknown whether "
        "Redis is full, and a write could evict live keys; grant it: ACL SETUSER USER +info"
    )


def write_danger(facts: RedisFacts) -> DrillError | None:
    """Why even one small write could cost live keys; None when it is safe."""
    kind = BackupFault if facts.own else CouldNotRun
    if facts.is_sentinel:
        return kind(
            f"REDIS_URL names a Sentinel, {facts.where}: it monitors others and stores no keys",
            checked=["its role"],
            remedy=remedy_for("redis", "sentinel"),
        )
    evicts = facts.maxmemory_policy != "noeviction"
    if facts.maxmemory is None or facts.used_memory is None:
        return None
    if evicts and 0 < facts.maxmemory * FULL <= facts.used_memory:
        return kind(
            f"nothing was written to Redis at {facts.where}: it is nearly full "
            "and a write would evict live keys",
            checked=[facts.memory],
            remedy=remedy_for("redis", "full"),
        )
    return None


def read_facts(server: Server, skip: Callable[[str, str], None]) -> RedisFacts:
    """Ask `server` for its facts; `skip(what, why)` hears of those that it may not report.

    Raises `redis.RedisError` when it does not answer.
    """
    client = server.client
    ping = bool(client.ping())
    latencies = [timed(client.ping) for _ in range(PINGS)]
    database = int(client.connection_pool.connection_kwargs.get("db", 0))
    info = permitted(client.info, "memory of Redis", skip) or {}
    role, primary = role_of(client, info, skip)
    is_sentinel = role == "sentinel"
    keys = None if is_sentinel else permitted(client.dbsize, "key count of Redis", skip)
    name = "valkey" if "valkey_version" in info else "redis"
    version = info.get(f"{name}_version")
    return RedisFacts(
        where=server.where,
        own=server.own,
        database=database,
        ping=ping,
        latency_median=statistics.median(latencies),
        latency_worst=max(latencies),
        version=f"{name} {version}" if version else None,
        role=role,
        primary=primary,
        keys=keys,
        other_keys=keys_by_database(info, but=database),
        used_memory=info.get("used_memory"),
        maxmemory=info.get("maxmemory"),
        maxmemory_policy=info.get("maxmemory_policy"),
    )


def role_of(
    client: redis.Redis, info: dict[str, Any], skip: Callable[[str, str], None]
) -> tuple[str | None, str | None]:
    """Role, and `host:port` of the primary of a replica: by INFO, else by ROLE."""
    if info.get("redis_mode") == "sentinel":
        return "sentinel", None
    if "role" in info:
        host = info.get("master_host")
        return info["role"], f"{host}:{info.get('master_port')}" if host else None
    role = permitted(client.role, "role of Redis", skip)
    if not role:
        return None, None
    return str(role[0]), f"{role[1]}:{role[2]}" if role[0] == "slave" else None


def show_latency(seconds: float) -> str:
    """Latency as people read it: `0.2 ms`."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.0001 else f"{seconds * 1000:.1f} ms"


def timed(call: Callable[[], object]) -> float:
    """Seconds that `call` takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def permitted(call: Callable[[], Any], what: str, skip: Callable[[str, str], None]) -> Any:
    """Answer of `call`, or None where the server refuses it, which `skip` hears of."""
    import redis  # noqa: PLC0415 - loads slowly

    try:
        return call()
    except redis.ResponseError as error:
        skip(what, f"Redis refused to report it ({type(error).__name__})")
        return None


def keys_by_database(info: dict[str, Any], *, but: int) -> dict[int, int]:
    """Keys by the number of the database, from the keyspace lines of INFO, without `but`."""
    found = {}
    for name, value in info.items():
        if re.fullmatch(r"db\d+", name) and int(name[2:]) != but:
            found[int(name[2:])] = int(value["keys"])
    return found
