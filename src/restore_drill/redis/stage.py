"""The Redis stage: the user's own Redis when REDIS_URL names it, else an embedded one.

Nothing is ever flushed; the only keys written are this run's own (see `keys`). Keys are scanned
only to be counted, by the patterns that the criteria file names, where a database is recovered.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from restore_drill.config.settings import Settings
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.redis.asking import Skip
from restore_drill.redis.connection import Server
from restore_drill.redis.facts import RedisFacts, read_facts
from restore_drill.redis.faults import explain
from restore_drill.redis.keys import OwnKeys
from restore_drill.redis.latency import FEW, ROUND_TRIPS
from restore_drill.redis.outcome import Node, Reached, RedisStage
from restore_drill.redis.safety import why_not_tried

MOST_SILENT = 3
"""So many shards that do not answer are waited for; each may take seconds."""


def run_stage(settings: Settings, record: Record, steps: Steps, stack: ExitStack) -> RedisStage:
    """Reach the servers, read their facts and try one write on each; `stack` undoes it."""
    try:
        reached = servers_for(settings, steps, record.skip, stack)
    except (BackupFault, CouldNotRun) as error:
        return RedisStage(error=error)
    first = reached.servers[0]
    found = RedisStage(reached=first, watch=reached.watch, cluster=reached.cluster)
    facts, errors = facts_of(reached.servers, record.skip, ROUND_TRIPS if first.own else FEW)
    if errors:
        return replace(found, error=together(errors))
    nodes = tuple(tried(*each, stack) for each in facts)
    for node in nodes[1:]:  # of the first alone its criteria tell
        if node.not_tried:
            record.skip(f"writes to Redis at {node.server.where}", node.not_tried)
    return replace(found, nodes=nodes)


def servers_for(settings: Settings, steps: Steps, skip: Skip, stack: ExitStack) -> Reached:
    """The user's own servers, else an embedded one: in a container where an image is named."""
    if settings.redis_url is not None:
        from restore_drill.redis.own.reach import reach  # noqa: PLC0415 - where one is named

        return reach(settings.redis_url, skip, stack)
    if in_container(settings):
        from restore_drill.redis.container import container_redis  # noqa: PLC0415 - docker loads slowly

        image = str(settings.redis_image)
        return Reached((stack.enter_context(container_redis(image, note=steps.note)),))
    from restore_drill.redis.embedded import embedded_redis  # noqa: PLC0415 - redis loads slowly

    return Reached((stack.enter_context(embedded_redis(note=steps.note)),))


def in_container(settings: Settings) -> bool:
    """Whether it is to run in a container: only where an image was named for it."""
    return settings.target == "container" and settings.redis_image is not None


def facts_of(
    servers: Sequence[Server], skip: Skip, round_trips: int = FEW
) -> tuple[list[tuple[Server, RedisFacts]], list[DrillError]]:
    """Facts of each of `servers`, and the errors of those that do not answer.

    PING is timed `round_trips` times.
    """
    import redis  # noqa: PLC0415 - loads slowly

    found, errors = [], []
    for server in servers:
        try:
            found.append((server, read_facts(server, skip, round_trips, len(servers))))
        except redis.RedisError as error:
            errors.append(explain(error, server, "asking PING, INFO and DBSIZE"))
        if len(errors) == MOST_SILENT:
            break
    return found, errors


def together(errors: Sequence[DrillError]) -> DrillError:
    """One error for those of several shards."""
    first, *others = errors
    if not others:
        return first
    checked = [*first.checked, *(each.what for each in others)]
    return type(first)(first.what, checked=checked, remedy=first.remedy)


def tried(server: Server, facts: RedisFacts, stack: ExitStack) -> Node:
    """Write one key, where that is safe, which `stack` deletes; what came of it."""
    keys = OwnKeys(server)
    stack.callback(keys.clean)
    if not_tried := why_not_tried(facts):
        return Node(server, facts, keys, not_tried=not_tried)
    refusal = try_write(keys)
    facts = replace(facts, write=refusal.what if refusal else "ok")
    return Node(server, facts, keys, refusal)


def try_write(keys: OwnKeys) -> DrillError | None:
    """Write one key; why that did not work, or None."""
    try:
        keys.probe()
    except (BackupFault, CouldNotRun) as error:
        return error
    return None
