"""The Redis stage against real servers: each fault is named, nothing of the user's is touched."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from port_for import select_random

from restore_drill.redis.facts import RedisFacts
from restore_drill.redis.latency import latency_of
from restore_drill.redis.safety import why_not_tried
from tests.helpers.redis_servers import (
    BINARIES,
    PASSWORD,
    VERSIONS,
    Drill,
    Look,
    Redis,
    Serve,
    fill,
    wait_for,
)


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
    allowed = {"SELECT", "PING", "HELLO", "INFO", "DBSIZE"}
    assert names <= allowed | {"SET", "GET", "INCR", "DEL", "EXISTS"}
    keyed = [words for words in seen if words[0].upper() not in allowed]
    assert keyed and all(words[1].startswith("restore-drill:{") for words in keyed)
    assert all({"NX", "PX"} <= set(words) for words in keyed if words[0] == "SET")
    assert len({words[1].split("}")[0] for words in keyed}) == 1


def test_replica_is_named_with_its_primary(drill: Drill, serve: Serve) -> None:
    """A read-only replica fails the write and the role, and is reported to be one."""
    primary = serve("--repl-diskless-sync-delay", "0")
    replica = serve("--replicaof", "127.0.0.1", str(primary.port))
    wait_for(lambda: replica.admin.info("replication")["master_link_status"] == "up")

    run = drill(REDIS_URL=replica.url())

    assert run.exit_code == 1
    assert run.failed == {"can_write_and_read", "is_a_writable_primary"}
    assert "is a read-only replica (READONLY)" in run.output
    assert f"not a primary: it is a replica of 127.0.0.1:{primary.port}" in run.output
    assert f"point REDIS_URL at the primary, 127.0.0.1:{primary.port}" in run.output
    assert "REPLICAOF" not in run.output
    assert primary.admin.dbsize() == 0


def test_full_redis_without_eviction_is_named(look: Look, serve: Serve) -> None:
    """A full Redis under noeviction fails the write with OOM and keeps its keys."""
    server = serve("--maxmemory-policy", "noeviction")
    fill(server, 0.9)
    server.admin.config_set("maxmemory", 1)
    keys = server.admin.dbsize()

    assert "is full and evicts nothing" in look(server.url()).write_fault
    assert server.admin.dbsize() == keys


def test_nearly_full_evicting_redis_loses_no_key(drill: Drill, serve: Serve) -> None:
    """Where a write would evict live keys none is made; that is not checked, and said."""
    server = serve("--maxmemory-policy", "allkeys-random")
    fill(server, 0.96)
    keys = server.admin.dbsize()
    assert server.admin.info("stats")["evicted_keys"] == 0

    run = drill(REDIS_URL=server.url())

    assert run.exit_code == 0, run.output
    assert "Nothing was written: a write could evict live keys (memory 3." in run.output
    assert run.redis["write"] == "not tried"
    assert server.admin.info("stats")["evicted_keys"] == 0
    assert server.admin.dbsize() == keys


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
        b"$2\r\n20\r\n": b"$4\r\n9999\r\n",
    }
    with lying_proxy(serve(), lies) as port:
        run = drill(REDIS_URL=f"redis://127.0.0.1:{port}/0")

    assert run.failed == {"can_write_and_read", "expires_keys", "deletes_keys"}
    assert "did not return what was written" in run.output
    assert "outlived its TTL of 20 ms" in run.output
    assert "DEL in Redis at" in run.output


def test_slow_redis_fails_its_budget(drill: Drill, serve: Serve, tmp_path: Path) -> None:
    """A latency above the criteria file's budget fails that criterion alone."""
    (tmp_path / "strict.toml").write_text('[redis]\nmax_latency = "0.0001ms"\n')

    run = drill("--criteria", "strict.toml", REDIS_URL=serve().url())

    assert run.failed == {"answers_fast_enough"}
    assert "answers slowly: a median of" in run.output


def test_cluster_node_is_written_under_a_prefix_of_its_own(look: Look, serve: Serve) -> None:
    """Where the shards may not be asked for, the node that is named is checked alone, as told."""
    other = "b" * 40
    nodes = (
        f"{'a' * 40} 127.0.0.1:0@0 myself,master - 0 0 1 connected 0-2047\n"
        f"{other} 127.0.0.1:{select_random()}@1 master - 0 0 2 connected 2048-16383\n"
        "vars currentEpoch 2 lastVoteEpoch 0\n"
    )
    patient = ("--cluster-node-timeout", "3600000", "--cluster-require-full-coverage", "no")
    server = serve("--cluster-enabled", "yes", *patient, files={"nodes.conf": nodes.encode()})
    wait_for(lambda: cluster_state(server) == "ok")
    server.admin.acl_setuser(
        "app", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-cluster"]
    )
    url = server.url(user="app", password="secret")

    # One prefix in eight fits at once: eight looks surely meet one that does not.
    for found in [look(url) for _ in range(8)]:
        stage = found.stage
        assert "the other shards of the cluster" in [x["what"] for x in found.record.not_checked]
        assert stage.nodes[0].write_error is None
        stage.nodes[0].keys.clean()

    assert server.admin.dbsize() == 0
    assert "errorstat_MOVED" in server.admin.info("errorstats")


def cluster_state(server: Redis) -> str:
    """State of the cluster as the node sees it."""
    info = server.admin.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    return str(info["cluster_state"])


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
        latency=latency_of([0.001]),
        used_memory=used,
        maxmemory=limit,
        maxmemory_policy=policy,
    )
    assert (why_not_tried(facts) == "") == safe
