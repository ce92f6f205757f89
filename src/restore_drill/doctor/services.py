"""What answers, or not: the container engine, and Redis."""

from __future__ import annotations

from contextlib import ExitStack, suppress

from restore_drill.backups.model import Backup
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun, DrillError
from restore_drill.doctor.model import Group
from restore_drill.redis.keys import OwnKeys
from restore_drill.redis.latency import show_latency
from restore_drill.redis.outcome import Node, RedisStage
from restore_drill.redis.own.limits import all_faults
from restore_drill.redis.own.reach import reach
from restore_drill.redis.safety import why_not_tried
from restore_drill.redis.stage import facts_of, in_container
from restore_drill.selection.chosen import Chosen

ENGINE_SECONDS = 1.0
"""How long an engine on this machine may take to let a client in."""


def image_of(settings: Settings, chosen: Chosen | None) -> str:
    """Image that the backup would be restored in."""
    release = chosen.head.source_release if isinstance(chosen, Backup) else ""
    return settings.image or f"postgres:{release or 18}"


def examine_engine(group: Group, settings: Settings, chosen: Chosen | None) -> None:
    """The container engine, which only `--target container` needs."""
    from docker.errors import ImageNotFound  # noqa: PLC0415 - docker loads slowly

    from restore_drill.servers.engine import (  # noqa: PLC0415 - likewise
        check_engine,
        engine_client,
        explained,
    )

    is_needed = settings.target == "container"
    try:
        check_engine(ENGINE_SECONDS)
        with engine_client() as client, explained("say its version"):
            group.ok(f"it answers: version {client.version().get('Version', 'unknown')}", plan=True)
            if is_needed:
                image = image_of(settings, chosen)
                is_here = False
                with suppress(ImageNotFound):
                    is_here = client.images.get(image) is not None
                group.plans(f"image {image}: {'here' if is_here else 'would be fetched'}")
    except CouldNotRun as error:
        if is_needed:
            group.error(error)
        else:
            group.note(f"{error.what}; only --target container needs one")


def examine_redis(group: Group, settings: Settings) -> None:
    """Your own Redis, which is asked and not written to; else whether one could be started."""
    if settings.redis_url is None:
        name_embedded(settings, group)
        return
    refused: list[str] = []

    def skip(what: str, why: str) -> None:
        refused.append(f"{what}: {why}")

    with ExitStack() as stack:
        try:
            reached = reach(settings.redis_url, skip, stack)
        except DrillError as error:
            group.error(error, stops=False)
            return
        facts, errors = facts_of(reached.servers, skip)
    for silent in errors:
        group.error(silent, stops=False)
    nodes = tuple(Node(server, each, OwnKeys(server)) for server, each in facts)
    found = RedisStage(nodes, watch=reached.watch, cluster=reached.cluster)
    for _, each in facts:
        latency, version = show_latency(each.latency.median), each.version or "version unknown"
        group.ok(f"{each.where} answers in {latency}: {version}", plan=True)
        group.note(f"{each.role_in_words}; {each.memory}")
    for line in filter(
        None, [*refused, *found.warnings, *(why_not_tried(each) for _, each in facts)]
    ):
        group.warn(line)
    for fault in all_faults(found, settings.criteria):
        group.bad(fault, stops=False)


def name_embedded(settings: Settings, group: Group) -> None:
    """The Redis that a drill would start where none is named."""
    if in_container(settings):
        group.plans(
            f"REDIS_URL is unset: one would be started in a container, {settings.redis_image}"
        )
        return
    from restore_drill.redis.embedded import find_server  # noqa: PLC0415 - loads slowly

    try:
        group.plans(
            f"REDIS_URL is not set: {find_server()} would be started, and yours is not checked"
        )
    except CouldNotRun as error:
        group.error(error)
