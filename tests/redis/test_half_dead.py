"""A Redis that hangs, is busy, or refuses: named with a remedy, within seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from restore_drill.config.criteria import Criteria
from restore_drill.redis import connection
from restore_drill.redis.own import limits
from tests.helpers.redis_servers import PASSWORD, Look, Redis, Serve, wait_for

Answer = Callable[[bytes], bytes | None]


@contextmanager
def listener(answer: Answer) -> Iterator[str]:
    """URL of a server that answers each command by `answer`; with None it never does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        ended = threading.Event()
        clients: list[socket.socket] = []

        def serve_all() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    client = server.accept()[0]
                    clients.append(client)
                    threading.Thread(target=serve_one, args=(client,)).start()

        def serve_one(client: socket.socket) -> None:
            with suppress(OSError):
                while command := client.recv(10_000):
                    if (said := answer(command)) is not None:
                        client.sendall(said)

        thread = threading.Thread(target=serve_all)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            for client in clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
                client.close()
            thread.join()


@pytest.mark.parametrize("when", [b"PING", b"INFO", b"SET"], ids=["ping", "info", "set"])
def test_server_that_stops_answering_is_named_in_time(
    look: Look, serve: Serve, monkeypatch: pytest.MonkeyPatch, when: bytes
) -> None:
    """From the first command on, or at a later one: one wait, and none more at the end."""
    monkeypatch.setattr(connection, "TIMEOUT", 0.4)
    real = socket.create_connection(("127.0.0.1", serve().port))
    hangs = threading.Event()

    def forward(command: bytes) -> bytes | None:
        if hangs.is_set() or when in command:
            hangs.set()
            return None
        real.sendall(command)
        return real.recv(100_000)

    began = time.monotonic()
    with listener(forward) as url, real:
        found = look(url)
        story = found.write_fault if when == b"SET" else found.fault
        found.undo()
    assert "did not answer in time" in story
    assert "1. check host, port and firewall" in story
    assert time.monotonic() - began < 4  # one wait, and one at the end; the rest is the machine


def test_slow_server_is_not_asked_a_thousand_times(
    look: Look, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Round trips end when their time is over; what was measured is told."""
    monkeypatch.setattr("restore_drill.redis.latency.SECONDS", 0.3)
    real = socket.create_connection(("127.0.0.1", serve().port))

    def slowly(command: bytes) -> bytes:
        time.sleep(0.02)
        real.sendall(command)
        return real.recv(100_000)

    with listener(slowly) as url, real:
        (node,) = look(url).stage.nodes
    assert 3 < node.facts.latency.round_trips < 20
    assert 0.02 <= node.facts.latency.median < 0.1


def busy(server: Redis) -> None:
    """Have the server run a script without end."""
    with redis.Redis(port=server.port, socket_timeout=0.2) as client, suppress(redis.RedisError):
        client.eval("while true do end", 0)


def test_busy_server_is_named(look: Look, serve: Serve) -> None:
    """A script holds it up: BUSY, with what ends that."""
    server = serve("--busy-reply-threshold", "50")
    busy(server)

    story = look(server.url()).fault

    assert "is busy with a script or function (BUSY)" in story
    assert "SCRIPT KILL" in story


def test_replica_without_its_primary_is_named(look: Look, serve: Serve) -> None:
    """MASTERDOWN, where it may not serve stale data; else a link that is down is in its role."""
    lonely = ("--replicaof", "127.0.0.1", "1")
    strict = serve(*lonely, "--replica-serve-stale-data", "no", ready=False)
    assert "has lost its primary (MASTERDOWN)" in look(strict.url()).fault

    (node,) = look(serve(*lonely).url()).stage.nodes
    assert "it is a replica of 127.0.0.1:1, and its link to it " in node.facts.role_in_words


@pytest.mark.parametrize(
    ("password", "given", "reason", "step"),
    [
        ("s3cret", "", "asks for a password (NOAUTH)", "put it into REDIS_URL"),
        ("", "s3cret", "has no password, but REDIS_URL gives one", "leave the password out"),
        ("s3cret", PASSWORD, "refused the user name or password", "compare REDIS_URL"),
        ("", "", "accepts no more clients (maxclients)", "CLIENT LIST"),
    ],
    ids=["noauth", "needless", "wrong", "maxclients"],
)
def test_refused_client_learns_why(
    look: Look, serve: Serve, password: str, given: str, reason: str, step: str
) -> None:
    """The words of the server are understood, each with what to do."""
    server = serve(*([] if password or given else ["--maxclients", "1"]), password=password)

    story = look(server.url(password=given)).fault

    assert reason in story and step in story
    assert "s3cret" not in story and PASSWORD not in story


def test_protected_mode_is_named(look: Look, serve: Serve) -> None:
    """It speaks before it is asked, which redis-py does not read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward, suppress(OSError):
        outward.connect(("192.0.2.1", 9))  # sends nothing: only asks for the way
        here = outward.getsockname()[0]
    server = serve("--protected-mode", "yes", "--bind", "*", ready=False)

    story = look(f"redis://{here}:{server.port}/0").fault

    assert "is in protected mode and refuses clients from other machines" in story


def test_server_that_cannot_save_is_red(look: Look, serve: Serve) -> None:
    """A failed BGSAVE stops writes and PING (MISCONF); where it does not, it is a fault itself."""
    server = serve("--dbfilename", "absent.rdb")
    server.admin.set("card:1", "x")
    server.admin.config_set("save", "3600 1")
    folder = str(server.admin.config_get("dir")["dir"])
    Path(folder, "absent.rdb").mkdir()  # nothing can be renamed onto it
    server.admin.bgsave()
    wait_for(lambda: server.admin.info("persistence")["rdb_last_bgsave_status"] == "err")

    assert "cannot save to disk (MISCONF)" in look(server.url()).fault
    server.admin.config_set("stop-writes-on-bgsave-error", "no")
    stage = look(server.url()).stage
    (fault,) = limits.all_faults(stage, Criteria(Path()))
    assert "could not save its keys to disk the last time" in fault
