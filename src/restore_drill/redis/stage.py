"""The Redis stage: the user's own Redis when REDIS_URL names it, else an embedded one.

Nothing is ever flushed; the only keys written are this run's own (see `keys`). Keys are scanned
only to be counted, by the patterns that the criteria file names, where a database is recovered.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

from restore_drill.config.settings import Settings
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.redis.connection import Server, own_redis
from restore_drill.redis.facts import read_facts, why_not_tried, write_danger
from restore_drill.redis.faults import explain
from restore_drill.redis.keys import OwnKeys
from restore_drill.redis.outcome import RedisStage


def run_stage(settings: Settings, record: Record, steps: Steps, stack: ExitStack) -> RedisStage:
    """Reach the server, read its facts and try one write; `stack` undoes what was done."""
    import redis  # noqa: PLC0415 - loads slowly

    try:
        server = stack.enter_context(server_for(settings, steps))
    except CouldNotRun as error:
        return RedisStage(error=error)
    try:
        facts = read_facts(server, record.skip)
    except redis.RedisError as error:
        return RedisStage(server, error=explain(error, server, "asking PING, INFO and DBSIZE"))
    keys = OwnKeys(server)
    stack.callback(keys.clean)
    not_tried = why_not_tried(facts)
    if not_tried:
        return RedisStage(server, replace(facts, write="not tried"), keys, not_tried=not_tried)
    refusal = write_danger(facts) or try_write(keys)
    facts = replace(facts, write=refusal.what if refusal else "ok")
    return RedisStage(server, facts, keys, write_error=refusal)


def server_for(settings: Settings, steps: Steps) -> AbstractContextManager[Server]:
    """Choose the user's own Redis, else an embedded one: in a container where an image is named."""
    if settings.redis_url is not None:
        return own_redis(settings.redis_url)
    if in_container(settings):
        from restore_drill.redis.container import container_redis  # noqa: PLC0415 - docker loads slowly

        return container_redis(str(settings.redis_image), note=steps.note)
    from restore_drill.redis.embedded import embedded_redis  # noqa: PLC0415 - redis loads slowly

    return embedded_redis(note=steps.note)


def in_container(settings: Settings) -> bool:
    """Whether it is to run in a container: only where an image was named for it."""
    return settings.target == "container" and settings.redis_image is not None


def try_write(keys: OwnKeys) -> DrillError | None:
    """Write one key; why that did not work, or None."""
    try:
        keys.probe()
    except (BackupFault, CouldNotRun) as error:
        return error
    return None
