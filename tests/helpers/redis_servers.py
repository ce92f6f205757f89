"""Redis servers as users run them, and a drill of the Redis stage alone."""

from __future__ import annotations

import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from port_for import select_random

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.record import Record
from restore_drill.redis.connection import client_options
from restore_drill.redis.embedded import candidates, version_text
from restore_drill.redis.outcome import RedisStage

ROOT = Path(__file__).parents[2]
PORTS = range(20_000, 32_000)
"""A cluster talks to others by a port that is 10,000 higher, and does not start without one."""


PASSWORD = "p@ss/w#rd:%2F?&é"


BINARIES = [path for path in candidates() if version_text(path)]


VERSIONS = [" ".join((version_text(path) or "").split()[:3:2]) for path in BINARIES]


CONFTEST = """
import json

STAGES = ("run", "options", "verdict", "redis")
pytest_plugins = [f"fixtures.{name}" for name in STAGES]

def pytest_sessionfinish(session):
    from fixtures.run import record_key
    record = session.config.stash[record_key]
    found = {"redis": record.redis, "not_checked": record.not_checked, "stages": record.stages}
    (session.config.rootpath / "record.json").write_text(json.dumps(found))
"""


INI = """
[pytest]
addopts = --import-mode=importlib --strict-markers --strict-config
filterwarnings =
    error
    ignore::pytest.PytestAssertRewriteWarning
    ignore::DeprecationWarning:testcontainers.*
"""


@dataclass(frozen=True)
class Run:
    """One drill of the Redis stage alone: exit code, all output, outcomes, and its record."""

    exit_code: int
    output: str
    record: dict[str, Any]

    @property
    def failed(self) -> set[str]:
        """Names of the criteria that failed or erred, from the summary lines."""
        lines = [line for line in self.output.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return {line.split("::")[1].split(" ")[0].removeprefix("test_redis_") for line in lines}

    @property
    def redis(self) -> dict[str, Any]:
        """Part `redis` of the record."""
        found = self.record["redis"]
        assert isinstance(found, dict)
        return found


Drill = Callable[..., Run]


@dataclass
class Looked:
    """The stage run in this process, without pytest around it: quick, for what it finds."""

    stage: RedisStage
    record: Record
    undo: Callable[[], None]

    @property
    def fault(self) -> str:
        """Message of the error that kept the stage from its facts: the user's own Redis failed."""
        assert isinstance(self.stage.error, BackupFault)
        return str(self.stage.error)

    @property
    def write_fault(self) -> str:
        """Message of the error that kept the stage from writing."""
        assert self.stage.error is None
        errors = [node.write_error for node in self.stage.nodes if node.write_error]
        assert isinstance(errors[0], BackupFault)
        return str(errors[0])

    @property
    def could_not_run(self) -> str:
        """Story of our own means failing."""
        assert isinstance(self.stage.error, CouldNotRun)
        return str(self.stage.error)


Look = Callable[..., Looked]


@dataclass(frozen=True)
class Redis:
    """A server of a test: `url` without credentials and database, and an administrator's client."""

    port: int
    admin: redis.Redis

    def url(self, *, user: str = "", password: str = "", database: int = 0) -> str:
        """Build a REDIS_URL, credentials percent-encoded."""
        login = f"{user}:{quote(password, safe='')}@" if password else ""
        return f"redis://{login}127.0.0.1:{self.port}/{database}"

    def snapshot(self) -> dict[str, Any]:
        """All keys of database 0 with their values and whether they have a TTL."""
        keys = sorted(map(str, self.admin.keys("*")))
        return {key: (self.admin.get(key), self.admin.ttl(key) > 0) for key in keys}


Serve = Callable[..., Redis]


@contextmanager
def running(
    binary: str,
    options: tuple[str, ...],
    password: str,
    *,
    ready: bool = True,
    files: dict[str, bytes] | None = None,
    port: int | None = None,
) -> Iterator[Redis]:
    """Run `binary` in a directory of its own, which holds `files`, at `port`, else any."""
    port = port or select_random(set(random.sample(PORTS, 50)))
    with tempfile.TemporaryDirectory(prefix="rd-test-") as folder:
        secret = f'requirepass "{password}"\n' if password else ""
        Path(folder, "redis.conf").write_text(f'save ""\n{secret}', encoding="utf-8")
        for name, content in (files or {}).items():
            Path(folder, name).write_bytes(content)
        place = ["--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
        process = subprocess.Popen(
            [binary, f"{folder}/redis.conf", *place, *options], stdout=subprocess.DEVNULL
        )
        admin = redis.Redis("127.0.0.1", port, password=password or None, **client_options())
        try:
            wait_for(lambda: answers(admin, loading_too=not ready))
            yield Redis(port, admin)
        finally:
            admin.close()
            process.kill()
            process.wait()


def answers(client: redis.Redis, *, loading_too: bool = False) -> bool:
    """Whether the server behind `client` answers."""
    try:
        return bool(client.ping())
    except (redis.BusyLoadingError, redis.exceptions.MasterDownError):
        return loading_too
    except redis.ConnectionError:
        return False


def wait_for(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until `holds()`, and fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        time.sleep(0.01)


def fill(server: Redis, share: float, *, limit: int = 4_000_000) -> None:
    """Fill the server with live keys up to `share` of a memory limit that is then set."""
    server.admin.config_set("maxmemory", limit)
    number = 0
    while server.admin.info("memory")["used_memory"] < limit * share:
        server.admin.set(f"live:{number}", "x" * 2000)
        number += 1


def port_answers(where: str) -> bool:
    """Whether something listens at `host:port/database`."""
    host, port = where.partition("/")[0].split(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False
