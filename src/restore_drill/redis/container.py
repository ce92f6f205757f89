"""A Redis in a container of our own, for `--target container`.

Import it only for this target: the engine's client is slow to load.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import redis
from testcontainers.community.redis import RedisContainer
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.connection import Server, connect_started
from restore_drill.redis.throwaway import Throwaway
from restore_drill.servers.containers import (
    address,
    clean_left_over_containers,
    discard,
    labels,
    last_log_lines,
    launch,
    removed_on_error,
)
from restore_drill.servers.engine import explained

PORT = 6379
STARTUP_TIMEOUT = 30.0
"""Seconds for the server in a new container to answer."""

# The password goes in by the environment and a pipe: an argument could be read by anyone.
START = """printf 'requirepass %s\\nsave ""\\n' "$REDIS_PASSWORD" | exec redis-server -"""


class NoWait(WaitStrategy):
    """Leaves the waiting to `wait_for_redis`, which sees when a container ends."""

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Do not wait."""


@contextmanager
def container_redis(image: str, *, note: Callable[[str], None]) -> Iterator[Server]:
    """Run a Redis of `image` (fetched if absent) in a container, which is removed afterwards.

    Left-overs of dead runs are removed first. Raises `CouldNotRun`.
    """
    for line in clean_left_over_containers():
        note(f"Cleaned up after an earlier run: {line}")
    password = secrets.token_hex(16)
    with explained(f"run the image {image}"):
        container = RedisContainer(image, port=PORT, password=password, labels=labels())
    container.with_env("REDIS_PASSWORD", password).with_command(["sh", "-c", START])
    container.waiting_for(NoWait())
    with ExitStack() as stack:
        with removed_on_error(container):
            launch(container, PORT, note=note)
            server = wait_for_redis(container, password)
        stack.callback(discard, container)
        stack.callback(server.client.close)
        yield replace(server, throwaway=Throwaway(stack, container=container))


def wait_for_redis(container: RedisContainer, password: str) -> Server:
    """Wait until Redis answers in `container`; raises `CouldNotRun` when it ends or does not."""
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while True:
        with explained(f"run the image {container.image}"):
            container.reload()
            ended = container.status not in ("created", "running")
            try:
                server = connect_started(*address(container, PORT), password)
                server.client.ping()
            except (redis.RedisError, TimeoutError, ConnectionError):
                pass
            else:
                return server
        if ended or time.monotonic() > deadline:
            how = "its container exited" if ended else f"no answer within {STARTUP_TIMEOUT:.0f} s"
            raise CouldNotRun(
                f"image {container.image} did not start a Redis server: {how}",
                checked=last_log_lines(container, password),
                remedy=remedy_for("container", "other_image"),
            )
        time.sleep(0.05)
