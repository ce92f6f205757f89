"""A server in a container of our own that loads a backup, for `--target container`.

Import it only for this target: the engine's client is slow to load. What is loaded is copied in:
the engine may be on another machine, and no account of the image owns our files.
"""

from __future__ import annotations

import re
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import redis
from testcontainers.community.redis import RedisContainer

from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.configuration import config_of
from restore_drill.redis.backup.ended import Loading
from restore_drill.redis.backup.model import Placed
from restore_drill.redis.backup.place import PIECE
from restore_drill.redis.backup.server import ANSWERS, keep_what_expires
from restore_drill.redis.backup.tools import VERSION, Binary
from restore_drill.redis.connection import Server, connect_started
from restore_drill.redis.container import PORT, NoWait
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

INSIDE = "restore-drill-redis"
HOME = f"/tmp/{INSIDE}"  # noqa: S108 - of a container that is ours alone
GO = "go"
"""Name of an empty file that comes last: everything is there then."""
START = f"until [ -e {HOME}/{GO} ]; do sleep 0.05; done; exec redis-server {HOME}/redis.conf"
POLL = 0.1
BY_SIGNAL = 128
"""What the engine adds to the number of a signal that has ended a container."""


class ContainerLoader(Loading):
    """A server in `container`, which waits for what is `placed`; it is asked by `password`."""

    def __init__(
        self, container: RedisContainer, binary: Binary, placed: Placed, password: str
    ) -> None:
        """Nothing is copied yet."""
        super().__init__(binary)
        self.container, self.placed, self.password = container, placed, password
        host, port = address(container, PORT)
        self.server = connect_started(host, port, password, socket_timeout=ANSWERS)

    def start(self) -> None:
        """Copy everything in; then it begins."""
        ways = ["bind 0.0.0.0", "protected-mode no", f"port {PORT}", f"dir {HOME}"]
        ways.append(f"requirepass {self.password}")
        config = config_of(self.placed, self.binary, ways, debug="yes").encode()
        with explained("take in the backup of Redis"):
            archive = tar_of(self.placed, config)
            self.container.get_wrapped_container().put_archive("/tmp", archive)  # noqa: S108 - see above

    def wait(self) -> None:
        """Wait until it has loaded all; raises what became of it where it has not."""
        with at_work(lambda: f"{self.binary.words} loads the backup of Redis"):
            while True:
                with suppress(redis.RedisError, OSError):
                    if self.server.client.ping():
                        return
                with explained(f"run the image {self.container.image}"):
                    self.container.reload()
                    state = self.container.get_wrapped_container().attrs["State"]
                if state["Status"] not in ("created", "running"):
                    code = int(state["ExitCode"])
                    raise self.why_ended(BY_SIGNAL - code if code > BY_SIGNAL else code)
                time.sleep(POLL)

    def text(self) -> str:
        """All that it has logged."""
        with explained("give the log of a container"):
            log: bytes = self.container.get_wrapped_container().logs()
        return log.decode("utf-8", "replace").replace(self.password, "***")


def load_in_container(
    image: str, placed: Placed, note: Callable[[str], None], stack: ExitStack
) -> tuple[ContainerLoader, Server]:
    """Have a server of `image` load what is `placed`; `stack` removes its container.

    Unreadable where it does not know the version of the file. Raises CouldNotRun, BackupFault.
    """
    for line in clean_left_over_containers():
        note(f"Cleaned up after an earlier run: {line}")
    password = secrets.token_hex(16)
    with explained(f"run the image {image}"):
        container = RedisContainer(image, port=PORT, labels=labels())
    container.with_command(["sh", "-c", START]).waiting_for(NoWait())
    with removed_on_error(container):
        launch(container, PORT, note=note)
        with explained(f"run the image {image}"):
            binary = program_in(container, password)
            loader = ContainerLoader(container, binary, placed, password)
        loader.start()
        loader.wait()
    own = stack.enter_context(ExitStack())  # who keeps it takes nothing else off the stack
    own.callback(discard, container)
    own.callback(loader.server.client.close)
    keep_what_expires(loader.server)
    return loader, replace(loader.server, throwaway=Throwaway(own, container=container))


def program_in(container: RedisContainer, password: str) -> Binary:
    """The server in the `container`, by its own account."""
    done = container.get_wrapped_container().exec_run(["redis-server", "--version"])
    text = done.output.decode("utf-8", "replace")
    number = re.search(VERSION, text)
    if done.exit_code or number is None:
        raise CouldNotRun(
            f"image {container.image} holds no Redis server",
            checked=last_log_lines(container, password),
            remedy=remedy_for("container", "other_image"),
        )
    family = "Valkey" if "valkey" in text.lower() else "Redis"
    return Binary(container.image, family, tuple(map(int, number.groups())))


def tar_of(placed: Placed, config: bytes) -> Iterator[bytes]:
    """What is `placed`, with its `config`, as a tar archive, in pieces."""
    yield header_of(INSIDE, 0, tarfile.DIRTYPE)
    yield from member(f"{INSIDE}/redis.conf", config)
    files: Sequence[Path | None] = [placed.rdb or placed.aof]
    if placed.aof and placed.is_multi_part:
        yield header_of(f"{INSIDE}/{placed.aof.parent.name}", 0, tarfile.DIRTYPE)
        files = sorted(placed.aof.parent.iterdir())
    for each in filter(None, files):
        yield from member(f"{INSIDE}/{each.relative_to(placed.folder)}", each)
    yield from member(f"{INSIDE}/{GO}", b"")
    yield bytes(2 * tarfile.BLOCKSIZE)


def member(name: str, content: bytes | Path) -> Iterator[bytes]:
    """One file of a tar archive."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    yield header_of(name, size, tarfile.REGTYPE)
    if isinstance(content, bytes):
        yield content
    else:
        with content.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
    yield bytes(-size % tarfile.BLOCKSIZE)


def header_of(name: str, size: int, kind: bytes) -> bytes:
    """The header of a member, for its owner alone."""
    found = tarfile.TarInfo(name)
    found.size, found.type = size, kind
    found.mode = 0o700 if kind == tarfile.DIRTYPE else 0o600
    return found.tobuf(tarfile.GNU_FORMAT)
