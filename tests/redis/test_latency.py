"""Percentiles of round trips, what the page draws of them, and limits of the criteria file."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.config.criteria import Criteria, load_criteria
from restore_drill.redis.latency import CURVE, latency_of, measure
from restore_drill.redis.own import limits
from restore_drill.redis.own.persistence import persistence_of
from restore_drill.results.redis_card import latencies_of, redis_card
from tests.helpers.redis_servers import Look, Serve, wait_for


def test_percentiles_are_round_trips_that_were_measured() -> None:
    """Of 1,000 different ones, and of a single one."""
    found = latency_of([number / 1000 for number in range(1000, 0, -1)])
    assert (found.median, found.at(99), found.at(99.9)) == (0.501, 0.99, 0.999)
    assert (found.curve[0], found.worst, found.round_trips) == (0.001, 1.0, 1000)
    assert set(latency_of([0.5]).curve) == {0.5}
    calls: list[int] = []
    assert measure(lambda: calls.append(1), 20).round_trips == len(calls) == 20


def test_page_shows_facts_in_words_and_draws_the_latencies(look: Look, serve: Serve) -> None:
    """Of the user's own Redis alone: of a stand-in they say nothing."""
    server = serve("--maxmemory", "100mb")
    server.admin.set("card:1", "x")
    redis = look(server.url()).stage.as_json()

    shown = dict(redis_card(redis))
    assert shown["saves"] == "no save since it was started (1 change since), AOF off"
    assert shown["memory left"].startswith("9") and shown["round trips"] == "1,000"
    assert not any("curve" in label for label in shown)
    (line,) = latencies_of(redis)
    assert "1,000 PINGs to" in line.drawing and line.drawing.count("M") > len(CURVE)
    assert latencies_of(redis | {"own": False}) == []
    assert not redis_card(None) and not latencies_of(None)


def test_saves_are_measured_against_their_limit(serve: Serve, look: Look) -> None:
    """By age and changes; an AOF is a save of each change."""
    server = serve()
    server.admin.set("card:1", "x")
    strict = Criteria(Path(), max_redis_save_age=0.0001)

    (fault,) = limits.all_faults(look(server.url()).stage, strict)
    assert "a crash would lose 1 change; the limit is " in fault
    server.admin.config_set("appendonly", "yes")
    wait_for(lambda: server.admin.info("persistence")["aof_rewrite_in_progress"] == 0)
    assert limits.all_faults(look(server.url()).stage, strict) == []


@pytest.mark.parametrize(
    ("told", "fault", "warning"),
    [
        ({"rdb_last_bgsave_status": "err"}, "could not save its keys", ""),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, "could not write to its append", ""),
        ({"aof_enabled": 1, "aof_last_bgrewrite_status": "err"}, "", "could not rewrite"),
        ({"rdb_changes_since_last_save": 7}, "", "has not saved for 2 d: a crash would lose 7"),
        ({"rdb_changes_since_last_save": 0}, "", ""),
        ({"aof_enabled": 1, "rdb_changes_since_last_save": 7}, "", ""),
    ],
)
def test_what_persistence_means(told: dict[str, object], fault: str, warning: str) -> None:
    """Failed writes are red; what may be meant so, as in a cache, is pointed out."""
    old = {"rdb_last_save_time": 1_000_000, "server_time_usec": (1_000_000 + 2 * 86_400) * 10**6}
    found = persistence_of(old | told)
    assert found
    assert found.fault(None).startswith(fault) and bool(found.fault(None)) == bool(fault)
    assert found.warning.startswith(warning) and bool(found.warning) == bool(warning)


def test_limits_stand_in_the_criteria_file(tmp_path: Path, serve: Serve, look: Look) -> None:
    """Each is read, and one that is exceeded is named with what was found."""
    path = tmp_path / "criteria.toml"
    path.write_text(
        '[redis]\nmax_latency_p99 = "0.0001ms"\nmin_headroom = 1.0\nmax_save_age = "1d"\n'
        'max_replica_lag = "2s"\nmin_replicas = 2\n'
    )
    criteria = load_criteria(path)
    assert (criteria.max_redis_save_age, criteria.max_redis_replica_lag) == (86_400, 2)

    faults = limits.all_faults(look(serve("--maxmemory", "50mb").url()).stage, criteria)

    for words in (
        "answers slowly: 99 % within ",
        "of its memory left, the limit is 100.0%",
        "it has 0 replicas, at least 2 are required",
    ):
        assert sum(words in fault for fault in faults) == 1, faults
