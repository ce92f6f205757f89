"""A container that outlives its drill: by the name that it gets, other runs see whose it is now."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack, suppress

from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from requests.exceptions import RequestException

from restore_drill.servers.containers import disk_of, kept_name
from restore_drill.servers.engine import engine_client
from restore_drill.servers.processes import PATIENCE

LATER = 60.0
"""Seconds after its time at which the server ends by itself, should its keeper be dead by then."""
NO_ANSWER = (DockerException, RequestException, OSError)
"""What the client of an engine raises that is gone, or busy."""


class KeptContainer:
    """The container `identity`, which is to run for so many seconds."""

    def __init__(self, identity: str, seconds: float) -> None:
        """Take it over: this process is its owner from now on. CouldNotRun, DockerException."""
        self.open = ExitStack()
        self.client = self.open.enter_context(engine_client())
        self.identity = identity
        found = self.client.containers.get(identity)
        found.rename(kept_name())
        self.place = disk_of(self.client)
        with suppress(*NO_ANSWER):
            set_timer(found, seconds + LATER)

    def is_up(self) -> bool:
        """Whether it runs, as far as the engine says so."""
        try:
            return bool(self.client.containers.get(self.identity).status == "running")
        except NotFound:
            return False
        except NO_ANSWER:
            return True

    def end(self) -> None:
        """Remove it with its data; an engine that does not answer is asked for a while."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                self.client.containers.get(self.identity).remove(force=True, v=True)
            except NotFound:
                return
            except NO_ANSWER:
                time.sleep(0.5)


def set_timer(container: Container, seconds: float) -> None:
    """Let the server in `container` end by itself after so many seconds.

    A process of the server's account does that: no other may, without capabilities.
    """
    _, account = container.exec_run(["stat", "-c", "%u", "/proc/1"])
    script = f"sleep {math.ceil(seconds)}; kill -INT 1"
    container.exec_run(["sh", "-c", script], detach=True, user=account.decode().strip())
