"""Redis: reachable, writable, forgetting in time, and quick; only keys of this run are written."""

from __future__ import annotations

import pytest

from fixtures.redis.facts import RedisFacts, show_latency
from fixtures.redis.keys import OwnKeys
from fixtures.redis.stage import RedisStage
from fixtures.settings import Settings
from fixtures.verdict import story

pytestmark = pytest.mark.redis


def test_redis_answers_ping(redis_stage: RedisStage) -> None:
    """Redis can be reached, lets the drill in and answers PING."""
    facts = redis_stage.answer()
    assert facts.ping, f"Redis at {facts.where} answered PING with something else than PONG"


def test_redis_can_write_and_read(redis_facts: RedisFacts) -> None:
    """Redis takes a key and gives it back, and has room for it without losing a live one."""
    assert redis_facts.write_fault is None, redis_facts.write_fault


def test_redis_expires_keys(redis_keys: OwnKeys) -> None:
    """A key whose time to live has passed goes away by itself."""
    redis_keys.put("expires", ttl=100)
    assert redis_keys.vanishes("expires", within=2.0), story(
        f"a key in Redis at {redis_keys.server.where} outlived its TTL of 100 ms by 1.9 s",
        next_steps=["see whether expiry is switched off: DEBUG SET-ACTIVE-EXPIRE 1"],
    )


def test_redis_deletes_keys(redis_keys: OwnKeys) -> None:
    """A deleted key is gone."""
    redis_keys.put("deletes")
    deleted = redis_keys.delete("deletes")
    assert deleted == 1 and not redis_keys.exists("deletes"), (
        f"DEL in Redis at {redis_keys.server.where} deleted {deleted} of 1 key"
    )


def test_redis_is_a_writable_primary(redis_facts: RedisFacts) -> None:
    """Redis is a primary and follows no other, so that writes to it last."""
    assert redis_facts.is_primary, story(
        f"Redis at {redis_facts.where} is no primary: {redis_facts.role_in_words}",
        looked_at=[f"{redis_facts.where}: INFO replication"],
        next_steps=["point REDIS_URL at the primary", "or promote it: REPLICAOF NO ONE"],
    )


def test_redis_answers_fast_enough(redis_facts: RedisFacts, settings: Settings) -> None:
    """The median latency of 20 PINGs is within the budget of the criteria file."""
    median, worst = redis_facts.latency_median, redis_facts.latency_worst
    limit = settings.criteria.max_redis_latency
    assert median <= limit, story(
        f"Redis at {redis_facts.where} answers slowly: a median of {show_latency(median)}, "
        f"allowed are {show_latency(limit)}",
        looked_at=[f"20 PINGs, the slowest {show_latency(worst)}"],
        next_steps=["look for slow commands: SLOWLOG GET", "[redis] max_latency sets the budget"],
    )
