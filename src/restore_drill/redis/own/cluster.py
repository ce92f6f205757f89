"""The shards of a cluster: which servers answer for which slots, and whether none is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from restore_drill.redis.asking import Skip, permitted
from restore_drill.redis.connection import Server, beside
from restore_drill.redis.faults import explain

if TYPE_CHECKING:
    import redis

SLOTS = 16_384
"""Slots of every cluster."""
NOT_ASKED = "its other shards were not checked"


@dataclass(frozen=True)
class Cluster:
    """What a node says of its cluster: `ok` or `fail`, slots that are served, bad nodes.

    `failing` holds nodes as `host:port (replica)`; None is what the user may not ask for.
    """

    state: str | None
    served: int | None
    shards: int
    failing: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """Why keys cannot be had; empty where every slot is served."""
        if self.served is not None and self.served < SLOTS:
            return f"no node serves {SLOTS - self.served:,} of its {SLOTS:,} slots"
        if self.state not in (None, "ok"):
            return f"it is in state {self.state}"
        if self.failing:
            return f"nodes that the others do not reach: {', '.join(self.failing)}"
        return ""

    def as_json(self) -> dict[str, Any]:
        """Part `cluster` of the Redis part of result.json."""
        return asdict(self) | {"failing": list(self.failing)}


def shards_of(entry: Server, skip: Skip) -> tuple[Cluster, list[Server]]:
    """The cluster of the node `entry`, and the primary of each of its shards.

    Where it may not be asked, that is `entry` alone, which `skip` hears of.
    """
    ask: Callable[..., Any] = entry.client.execute_command
    info = permitted(partial(ask, "CLUSTER INFO"), "state of the cluster", skip) or {}
    ranges = permitted(partial(ask, "CLUSTER SLOTS"), "the other shards of the cluster", skip)
    nodes = permitted(partial(ask, "CLUSTER NODES"), "nodes of the cluster", skip) or {}
    slots: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    options = entry.client.connection_pool.connection_kwargs
    for first, last, primary, *_ in ranges or ():
        host = primary[0] if primary[0] not in (None, "", "?") else options.get("host")
        slots[str(host or "localhost"), int(primary[1])].append((int(first), int(last)))
    servers = [shard_of(entry, place, tuple(served)) for place, served in sorted(slots.items())]
    served = sum(last - first + 1 for each in slots.values() for first, last in each)
    cluster = Cluster(
        state=info.get("cluster_state"),
        served=None if ranges is None else min(served, int(info.get("cluster_slots_ok", served))),
        shards=len(servers),
        failing=tuple(sorted(failing(nodes))),
    )
    return cluster, servers or [entry]


def shard_of(entry: Server, place: tuple[str, int], slots: tuple[tuple[int, int], ...]) -> Server:
    """The server at `place`, which serves `slots`; `entry` itself where it is that one."""
    options = entry.client.connection_pool.connection_kwargs
    if (options.get("host"), options.get("port", 6379)) == place:
        return replace(entry, slots=slots)
    found_by = f"a shard of the cluster of {entry.where}"
    host, port = place
    return replace(beside(entry, host=host, port=port), slots=slots, found_by=found_by)


def client_of_all(entry: Server) -> redis.RedisCluster:
    """Client that asks the shard of each key, by the login and the options of `entry`.

    It asks for the shards at once, and for all commands, for which a user needs `+command`.
    Raises `DrillError`.
    """
    import redis  # noqa: PLC0415 - loads slowly

    options = dict(entry.client.connection_pool.connection_kwargs)
    for ours in ("db", "path", "himport_registry"):
        options.pop(ours, None)
    try:
        return redis.RedisCluster(ssl=entry.tls, **options)
    except (redis.RedisError, redis.exceptions.RedisClusterException) as error:
        raise explain(error, entry, "asking for all commands and shards") from None


def failing(nodes: dict[str, Any]) -> list[str]:
    """Nodes that the others take for dead; what one of them suspects alone is none."""
    return [
        f"{where} ({'replica' if 'slave' in each['flags'] else 'primary'})"
        for where, each in nodes.items()
        if {"fail", "noaddr"} & set(each["flags"].split(","))
    ]
