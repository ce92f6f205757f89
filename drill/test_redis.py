"""Redis: reachable, writable, fast, and keys expire; only keys of this run are written."""

from __future__ import annotations

import pytest

from restore_drill.config.settings import Settings
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.facts import RedisFacts, show_latency
from restore_drill.redis.keys import OwnKeys

pytestmark = pytest.mark.redis


def test_redis_answers_ping(redis_facts: RedisFacts) -> None:
    """Redis can be reached, accepts the login and answers PING."""
    assert redis_facts.ping, message(
        f"Redis at {redis_facts.where} did not answer PING with PONG",
        remedy=remedy_for("test_redis_answers_ping", "unexpected"),
    )


def test_redis_can_write_and_read(redis_keys: OwnKeys) -> None:
    """Redis stores a key and returns it, with room for it beside the live ones."""
    redis_keys.put("reads", "written by the drill")
    found = redis_keys.get("reads")
    assert found == "written by the drill", message(
        f"Redis at {redis_keys.server.where} did not return what was written",
        checked=[f"a key of the drill: wrote 'written by the drill', read {found!r}"],
        remedy=remedy_for("test_redis_can_write_and_read", "another_value"),
    )


def test_redis_expires_keys(redis_keys: OwnKeys) -> None:
    """A key expires when its time to live has passed."""
    redis_keys.put("expires", ttl=20)
    assert redis_keys.vanishes("expires", within=2.0), message(
        f"a key in Redis at {redis_keys.server.where} outlived its TTL of 20 ms by 2 s",
        remedy=remedy_for("test_redis_expires_keys", "outlived"),
    )


def test_redis_deletes_keys(redis_keys: OwnKeys) -> None:
    """A deleted key is gone."""
    redis_keys.put("deletes")
    deleted = redis_keys.delete("deletes")
    assert deleted == 1 and not redis_keys.exists("deletes"), message(
        f"DEL in Redis at {redis_keys.server.where} deleted {deleted} of 1 key",
        remedy=remedy_for("test_redis_deletes_keys", "still_there"),
    )


def test_redis_is_a_writable_primary(redis_facts: RedisFacts) -> None:
    """Redis is a primary, not a replica, so that writes to it persist."""
    if redis_facts.role is None:
        pytest.skip(redis_facts.role_in_words)
    primary = redis_facts.primary
    cause = "sentinel" if redis_facts.is_sentinel else "replica" if primary else "unknown"
    assert redis_facts.is_primary, message(
        f"Redis at {redis_facts.where} is not a primary: {redis_facts.role_in_words}",
        checked=[f"{redis_facts.where}: INFO, or else ROLE"],
        remedy=remedy_for("test_redis_is_a_writable_primary", cause, primary=primary),
    )


def test_redis_answers_fast_enough(redis_facts: RedisFacts, settings: Settings) -> None:
    """The median latency of 20 PINGs is within the budget of the criteria file."""
    median, worst = redis_facts.latency_median, redis_facts.latency_worst
    limit = settings.criteria.max_redis_latency
    assert median <= limit, message(
        f"Redis at {redis_facts.where} answers slowly: a median of {show_latency(median)}, "
        f"the limit is {show_latency(limit)}",
        checked=[f"20 PINGs, the slowest {show_latency(worst)}"],
        remedy=remedy_for("test_redis_answers_fast_enough", "slow"),
    )
