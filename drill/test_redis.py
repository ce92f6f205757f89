"""Redis: reachable, writable, fast, and keys expire; only keys of this run are written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from restore_drill.config.settings import Settings
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.facts import RedisFacts
from restore_drill.redis.keys import OwnKeys
from restore_drill.redis.outcome import Node, RedisStage
from restore_drill.redis.own import limits

pytestmark = pytest.mark.redis


def test_redis_answers_ping(redis_nodes: Sequence[Node]) -> None:
    """Redis can be reached, accepts the login and answers PING."""
    silent = [node.facts.where for node in redis_nodes if not node.facts.ping]
    assert not silent, message(
        f"Redis at {', '.join(silent)} did not answer PING with PONG",
        remedy=remedy_for("test_redis_answers_ping", "unexpected"),
    )


def test_redis_can_write_and_read(redis_writers: Sequence[OwnKeys]) -> None:
    """Redis stores a key and returns it, with room for it beside the live ones."""
    for keys in redis_writers:
        keys.put("reads", "written by the drill")
        found = keys.get("reads")
        assert found == "written by the drill", message(
            f"Redis at {keys.server.where} did not return what was written",
            checked=[f"a key of the drill: wrote 'written by the drill', read {found!r}"],
            remedy=remedy_for("test_redis_can_write_and_read", "another_value"),
        )


def test_redis_counts(redis_writers: Sequence[OwnKeys]) -> None:
    """Redis adds one to a number that it holds."""
    for keys in redis_writers:
        keys.put("counts", "41")
        counted = keys.increment("counts")
        assert counted == 42, message(
            f"INCR in Redis at {keys.server.where} made {counted} of 41",
            remedy=remedy_for("test_redis_counts", "another_number"),
        )


def test_redis_expires_keys(redis_writers: Sequence[OwnKeys]) -> None:
    """A key expires when its time to live has passed."""
    for keys in redis_writers:
        keys.put("expires", ttl=20)
        assert keys.vanishes("expires", within=2.0), message(
            f"a key in Redis at {keys.server.where} outlived its TTL of 20 ms by 2 s",
            remedy=remedy_for("test_redis_expires_keys", "outlived"),
        )


def test_redis_deletes_keys(redis_writers: Sequence[OwnKeys]) -> None:
    """A deleted key is gone."""
    for keys in redis_writers:
        keys.put("deletes")
        deleted = keys.delete("deletes")
        assert deleted == 1 and not keys.exists("deletes"), message(
            f"DEL in Redis at {keys.server.where} deleted {deleted} of 1 key",
            remedy=remedy_for("test_redis_deletes_keys", "still_there"),
        )


def test_redis_is_a_writable_primary(redis_nodes: Sequence[Node]) -> None:
    """Redis is a primary, not a replica, so that writes to it persist."""
    for facts in limits.known([node.facts for node in redis_nodes], "role", pytest.skip):
        cause = "replica" if facts.primary else "unknown"
        assert facts.is_primary, message(
            f"Redis at {facts.where} is not a primary: {facts.role_in_words}",
            checked=[f"{facts.where}: INFO, or else HELLO and ROLE"],
            remedy=remedy_for("test_redis_is_a_writable_primary", cause, primary=facts.primary),
        )


def test_redis_answers_fast_enough(redis_nodes: Sequence[Node], settings: Settings) -> None:
    """Redis answers PING within the budgets of the criteria file."""
    for facts in (node.facts for node in redis_nodes):
        slow = limits.latency_fault(facts.latency, settings.criteria)
        assert not slow, message(
            f"Redis at {facts.where} answers slowly: {slow}",
            checked=[facts.latency.words],
            remedy=remedy_for("test_redis_answers_fast_enough", "slow"),
        )


def test_redis_has_headroom(own_redis_facts: Sequence[RedisFacts], settings: Settings) -> None:
    """Redis has memory left below its limit, unless it is a cache that evicts."""
    for facts in limits.known(own_redis_facts, "used_memory", pytest.skip):
        full = limits.headroom_fault(facts, settings.criteria)
        assert not full, message(
            f"Redis at {facts.where} {full}",
            checked=[facts.memory],
            remedy=remedy_for("test_redis_has_headroom", "full"),
        )


def test_redis_saves_its_keys(own_redis_facts: Sequence[RedisFacts], settings: Settings) -> None:
    """Redis has not failed to save its keys to disk, and has done so in time."""
    for facts in limits.known(own_redis_facts, "persistence", pytest.skip):
        unsaved = limits.persistence_fault(facts, settings.criteria)
        assert not unsaved, message(
            f"Redis at {facts.where} {unsaved}",
            checked=[limits.saves(facts)],
            remedy=remedy_for("test_redis_saves_its_keys", "unsaved"),
        )


def test_redis_replicas_follow(own_redis_facts: Sequence[RedisFacts], settings: Settings) -> None:
    """The replicas of Redis follow it closely."""
    for facts in limits.known(own_redis_facts, "replicas", pytest.skip):
        behind = limits.replicas_fault(facts, settings.criteria)
        assert not behind, message(
            f"a failover of Redis at {facts.where} would lose writes: {behind}",
            checked=[each.words for each in facts.replicas or ()],
            remedy=remedy_for("test_redis_replicas_follow", "behind"),
        )


def test_redis_topology_is_whole(own_redis: RedisStage) -> None:
    """Redis stands alone, or Sentinels can replace it, or its cluster serves every slot."""
    broken = limits.topology_fault(own_redis)
    cause = "cluster" if own_redis.cluster else "sentinel"
    assert not broken, message(
        f"Redis is not whole: {broken}",
        checked=limits.topology(own_redis),
        remedy=remedy_for("test_redis_topology_is_whole", cause),
    )
