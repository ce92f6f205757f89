"""Where REDIS_URL leads: what answers there, or does not, is named."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
import redis
from port_for import select_random

from restore_drill.redis.connection import server_of
from restore_drill.redis.faults import meaning
from restore_drill.redis.own.address import url_error
from tests.helpers.redis_servers import Drill, Look, Serve


def test_unreachable_port_is_a_failed_criterion(drill: Drill) -> None:
    """Where nothing listens the drill fails at once, with host and port and no traceback."""
    run = drill(REDIS_URL=f"redis://user:hidden@127.0.0.1:{select_random()}/3")

    assert run.exit_code == 1
    assert "is not listening: the connection was refused" in run.output
    assert "Traceback" not in run.output
    assert "hidden" not in run.output
    assert run.record["stages"][0]["seconds"] < 2


def test_wrong_database_number_is_named(look: Look, serve: Serve) -> None:
    """A database that the server does not have fails, with its number."""
    server = serve()

    story = look(server.url(database=99)).fault

    assert f"Redis at 127.0.0.1:{server.port}/99 has no database with this number" in story


def test_empty_database_beside_a_full_one_is_pointed_out(drill: Drill, serve: Serve) -> None:
    """An existing but empty database passes with the hint that another one holds the keys."""
    server = serve()
    server.admin.mset({f"user:{number}": "x" for number in range(7)})

    run = drill(REDIS_URL=server.url(database=3))

    assert run.exit_code == 0, run.output
    assert "database 3 is empty, but database 0 holds 7 keys" in run.output
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

    assert "did not answer in time; the port may not speak TLS" in story
    assert "use rediss:// only if the port speaks TLS" in story


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed the connection without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak the Redis protocol"),
    ],
    ids=["closes", "http"],
)
def test_port_of_something_else_is_named(look: Look, answer: bytes, reason: str) -> None:
    """A port that closes at once, as a TLS port does, or speaks HTTP is reported as such."""
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
        "redis://host/0?socket_timeout=0",
        "redis://host/0?socket_timeout=-1",
        "redis://host/0?socket_connect_timeout=nan",
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
def test_url_is_reported_without_credentials(url: str, where: str) -> None:
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
