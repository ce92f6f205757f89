"""What is wrong with the user's own Redis by the limits of the criteria file; empty for nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from restore_drill.config.criteria import Criteria
from restore_drill.redis.facts import RedisFacts
from restore_drill.redis.latency import Latency, show_latency
from restore_drill.redis.outcome import RedisStage
from restore_drill.redis.own import replication
from restore_drill.redis.safety import FULL


def known(
    facts: Sequence[RedisFacts], name: str, otherwise: Callable[[str], object]
) -> list[RedisFacts]:
    """Those of `facts` that know their field `name`; `otherwise(why)` where none of them does."""
    found = [each for each in facts if getattr(each, name) is not None]
    if not found:
        otherwise("unknown: INFO is not permitted, renamed, or does not say")
    return found


def latency_fault(latency: Latency, criteria: Criteria) -> str:
    """Which percentile is slower than its limit."""
    for name, percentile, limit in (
        ("a median of", 50, criteria.max_redis_latency),
        ("99 % within", 99, criteria.max_redis_latency_p99),
    ):
        if limit is not None and latency.at(percentile) > limit:
            found = show_latency(latency.at(percentile))
            return f"{name} {found}, the limit is {show_latency(limit)}"
    return ""


def headroom_fault(facts: RedisFacts, criteria: Criteria) -> str:
    """How little of its memory is left; a cache that evicts may be full unless a limit is set."""
    least = criteria.min_redis_headroom
    if least is None:
        least = 0.0 if facts.evicts else 1 - FULL
    if facts.headroom is None or facts.headroom >= least:
        return ""
    return f"has {facts.headroom:.1%} of its memory left, the limit is {least:.1%}"


def persistence_fault(facts: RedisFacts, criteria: Criteria) -> str:
    """Why its keys would not survive a crash."""
    found = facts.persistence
    return found.fault(criteria.max_redis_save_age) if found else ""


def saves(facts: RedisFacts) -> str:
    """Its saves in words."""
    return facts.persistence.words if facts.persistence else "saves unknown"


def replicas_fault(facts: RedisFacts, criteria: Criteria) -> str:
    """Which replica is behind, or that too few are there."""
    lag, least = criteria.max_redis_replica_lag, criteria.min_redis_replicas
    return replication.replicas_fault(facts.replicas or (), lag, least)


def topology_fault(stage: RedisStage) -> str:
    """What the Sentinels or the cluster lack."""
    if stage.watch and stage.watch.fault:
        return stage.watch.fault
    return stage.cluster.fault if stage.cluster else ""


def topology(stage: RedisStage) -> list[str]:
    """Who said so."""
    if stage.cluster:
        return ["CLUSTER INFO, CLUSTER SLOTS and CLUSTER NODES"]
    answers = stage.watch.answers if stage.watch else {}
    return [f"Sentinel {where}: the primary is {said}" for where, said in answers.items()]


def all_faults(stage: RedisStage, criteria: Criteria) -> list[str]:
    """Every fault of the user's own Redis, as `doctor` lists them."""
    found = [f"Redis is not whole: {topology_fault(stage)}"] if topology_fault(stage) else []
    for facts in (node.facts for node in stage.nodes):
        where = f"Redis at {facts.where}"
        if not facts.is_primary and facts.role is not None:
            found.append(f"{where} is not a primary: {facts.role_in_words}")
        if slow := latency_fault(facts.latency, criteria):
            found.append(f"{where} answers slowly: {slow}")
        for fault in (headroom_fault(facts, criteria), persistence_fault(facts, criteria)):
            found += [f"{where} {fault}"] if fault else []
        if behind := replicas_fault(facts, criteria):
            found.append(f"a failover of {where} would lose writes: {behind}")
    return found
