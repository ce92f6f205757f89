"""REDIS_URL of a cluster, of Sentinels and of a socket: all that holds keys is checked."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis
from port_for import select_random

from restore_drill.config.criteria import Criteria
from restore_drill.redis import latency
from restore_drill.redis.own import limits
from restore_drill.redis.own.address import url_error
from restore_drill.redis.own.sentinel import Watch
from tests.helpers.redis_servers import BINARIES, VERSIONS, Drill, Look, Redis, Serve, wait_for

SLOTS = ((0, 5460), (5461, 16382), (16383, 16383))
"""Of three shards; the last one has a single slot."""

CARDS = """
import pytest

@pytest.mark.redis
def test_cards(redis_client):
    '''Each card is there.'''
    assert [redis_client.get(f"card:{number}") for number in (1, 2, 3, 4)] == ["x"] * 4
"""


def cluster_of(serve: Serve, binary: str, slots: Sequence[tuple[int, int]] = SLOTS) -> list[Redis]:
    """A cluster whose nodes know each other from their files: no time is spent on meeting."""
    ports = [port for port in range(21_000, 31_000, 7) if is_free(port) and is_free(port + 10_000)]
    ports = ports[os.getpid() % 100 :: 101][: len(slots)]
    names = [f"{number:x}" * 40 for number in range(1, len(slots) + 1)]
    nodes = []
    for me, port in zip(names, ports, strict=True):
        lines = [
            f"{name} 127.0.0.1:{at}@{at + 10_000} {'myself,' if name == me else ''}master "
            f"- 0 0 {number} connected {first}-{last}"
            for number, (name, at, (first, last)) in enumerate(
                zip(names, ports, slots, strict=True), start=1
            )
        ]
        lines += ["vars currentEpoch 9 lastVoteEpoch 0", ""]
        files = {"nodes.conf": "\n".join(lines).encode()}
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        nodes.append(serve(*options, binary=binary, files=files, port=port))
    for node in nodes:
        wait_for(lambda node=node: state_of(node) == "ok")  # type: ignore[misc]
    return nodes


def owns(node: Redis, name: str) -> bool:
    """Whether keys of this name lie there."""
    try:
        node.admin.exists(name)
    except redis.exceptions.MovedError:
        return False
    return True


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0


def state_of(node: Redis) -> str:
    """State of the cluster as the node sees it."""
    info = node.admin.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    return str(info["cluster_state"])


@pytest.mark.parametrize("binary", BINARIES, ids=VERSIONS)
def test_each_shard_of_a_cluster_is_checked(drill: Drill, serve: Serve, binary: str) -> None:
    """Facts and writes of all three, also of the one with a single slot; then all are clean."""
    nodes = cluster_of(serve, binary)

    run = drill(REDIS_URL=nodes[1].url())

    assert run.exit_code == 0, run.output
    assert "Cluster of 3 shards, state ok" in run.output
    found = run.redis["nodes"]
    assert {each["where"] for each in found} == {f"127.0.0.1:{node.port}/0" for node in nodes}
    assert all(each["write"] == "ok" and each["role"] == "master" for each in found)
    assert all(each["round_trips"] == 1000 for each in found)
    assert all(node.admin.info("stats")["total_commands_processed"] > 1000 for node in nodes)
    assert all(node.admin.info("commandstats")["cmdstat_set"]["calls"] >= 5 for node in nodes)
    assert all(node.admin.info("errorstats") == {} for node in nodes)
    assert [node.admin.dbsize() for node in nodes] == [0, 0, 0]


def test_own_criteria_reach_every_shard(drill: Drill, serve: Serve, tmp_path: Path) -> None:
    """The client that they are given asks the shard of each key."""
    nodes = cluster_of(serve, BINARIES[0])
    for name in ("card:1", "card:2", "card:3", "card:4"):
        owner = next(node for node in nodes if owns(node, name))
        owner.admin.set(name, "x")
    (tmp_path / "drill" / "test_cards.py").write_text(CARDS)

    run = drill("-k", "test_cards", REDIS_URL=nodes[0].url())

    assert run.exit_code == 0, run.output


def test_cluster_that_is_not_whole_is_named(look: Look, serve: Serve) -> None:
    """Slots that no node serves are counted, and a shard that does not answer is an error."""
    nodes = cluster_of(serve, BINARIES[0])
    nodes[2].admin.execute_command("CLUSTER", "DELSLOTS", "16383")  # type: ignore[no-untyped-call]
    stage = look(nodes[2].url()).stage
    assert limits.topology_fault(stage) == "no node serves 1 of its 16,384 slots"

    nodes[0].admin.shutdown(nosave=True)
    story = look(nodes[1].url()).fault

    assert f"Redis at 127.0.0.1:{nodes[0].port}/0 is not listening" in story
    assert f"(a shard of the cluster of 127.0.0.1:{nodes[1].port}/0)" in story


def sentinel_of(serve: Serve, quorum: int = 1, **watched: int) -> Redis:
    """A Sentinel that watches the primaries of these names, at these ports."""
    lines = [f"sentinel monitor {name} 127.0.0.1 {at} {quorum}\n" for name, at in watched.items()]
    return serve("--sentinel", files={"redis.conf": "".join(lines).encode()})


def test_sentinel_is_asked_for_the_primary(drill: Drill, serve: Serve) -> None:
    """By name, the first that answers; the primary is checked, and a silent Sentinel told."""
    primary = serve("--repl-diskless-sync-delay", "0", password="s3cret")
    primary.admin.select(2)
    primary.admin.set("card:1", "x")
    sentinel = sentinel_of(serve, shop=primary.port)

    places = f"127.0.0.1:{select_random()},127.0.0.1:{sentinel.port}"
    run = drill(REDIS_URL=f"redis+sentinel://:s3cret@{places}/shop/2")

    assert run.exit_code == 0, run.output
    assert f"Primary shop, by 1 Sentinel: 127.0.0.1:{primary.port}" in run.output
    assert run.redis["where"] == f"127.0.0.1:{primary.port}/2"
    assert run.redis["keys"] == 1
    assert run.redis["sentinel"]["quorum"] == "ok"
    assert "one of several Sentinels does not answer" in run.output
    assert "s3cret" not in run.output
    assert primary.admin.dbsize() == 1


@pytest.mark.parametrize("number", [0, 5])
def test_plain_url_of_a_sentinel_leads_to_its_primary(
    number: int, look: Look, serve: Serve
) -> None:
    """Also with a number of a database, which a Sentinel refuses."""
    primary = serve()
    sentinel = sentinel_of(serve, shop=primary.port)

    stage = look(sentinel.url(database=number)).stage

    (node,) = stage.nodes
    assert node.server.where == f"127.0.0.1:{primary.port}/{number}"
    assert node.facts.write == "ok"
    assert limits.all_faults(stage, Criteria(Path())) == []


def test_sentinels_that_cannot_help_are_named(look: Look, serve: Serve) -> None:
    """Unknown names, several of them, none that answers, and no quorum."""
    primary = serve()
    sentinel = sentinel_of(serve, 2, shop=primary.port, news=primary.port + 1)
    place = f"127.0.0.1:{sentinel.port}"

    story = look(f"redis+sentinel://{place}/stop/0").fault
    assert f"Sentinel at {place} watches no primary called stop" in story
    assert "primaries that it watches: news, shop" in story
    assert "which watches several primaries (news, shop)" in look(sentinel.url()).fault
    dead = f"redis+sentinel://127.0.0.1:{select_random()}/shop/0"
    assert "is not listening: the connection was refused" in look(dead).fault
    stage = look(f"redis+sentinel://{place}/shop/0").stage
    assert "could not replace the primary shop" in limits.topology_fault(stage)


def test_shards_share_the_time_for_round_trips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster of a thousand far shards ends, too."""
    monkeypatch.setattr(latency, "ALL", 0.2)
    assert latency.measure(lambda: time.sleep(0.01), 1000, servers=4).round_trips < 20


def test_replica_that_sentinels_do_not_reach_is_pointed_out() -> None:
    """It fails nothing: a Sentinel keeps the names of replicas that are gone for good."""
    watch = Watch("shop", ("h", 1), {"a:1": "h:1"}, gone=("h:2",))
    assert watch.warnings == ["Redis: the Sentinels do not reach replicas of shop: h:2"]
    assert watch.fault == ""
    apart = Watch("shop", ("h", 1), {"a:1": "h:1", "b:1": "h:2"})
    assert apart.fault.endswith("do not agree on the primary shop: a:1 names h:1, b:1 names h:2")


def test_replica_that_has_stopped_is_behind(serve: Serve, look: Look) -> None:
    """Its lag grows, and is measured against the limit; how many must follow is one, too."""
    primary = serve("--repl-diskless-sync-delay", "0")
    criteria = Criteria(Path(), max_redis_replica_lag=1, min_redis_replicas=1)
    assert "it has 0 replicas, at least 1 are required" in faults(
        look(primary.url()).stage, criteria
    )
    replica = serve("--replicaof", "127.0.0.1", str(primary.port))
    wait_for(lambda: primary.admin.info("replication").get("slave0", {}).get("state") == "online")
    wait_for(lambda: primary.admin.info("replication")["slave0"]["lag"] == 0)
    assert faults(look(primary.url()).stage, criteria) == ""

    pid = replica.admin.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: primary.admin.info("replication")["slave0"]["lag"] > 1)

    story = faults(look(primary.url()).stage, criteria)
    assert f"127.0.0.1:{replica.port} is 2 s and" in story
    assert "the limit is 1" in story


def faults(stage: object, criteria: Criteria) -> str:
    """What is wrong by `criteria`."""
    return "; ".join(limits.all_faults(stage, criteria))  # type: ignore[arg-type]


def test_socket_leads_to_its_server(look: Look, serve: Serve, short: Path) -> None:
    """By path and number of the database; one that may not be opened or is not there is named."""
    path = short / "redis.sock"
    server = serve("--unixsocket", str(path), "--unixsocketperm", "777")

    (node,) = look(f"unix://{path}?db=3").stage.nodes

    assert node.server.where == f"{path}/3"
    assert node.facts.write == "ok"
    assert list(server.admin.info("keyspace")) == ["db3"]
    assert "is not listening" in look(f"unix://{short}/absent.sock").fault


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("redis+sentinel://:hush@a,[::1]:7/shop/2", None),
        ("rediss+sentinel://a/shop?sentinel_password=x&ssl_ca_certs=/ca", None),
        ("valkeys://a:7/2", None),
        ("redis+sentinel://a:26379", "names no primary for its Sentinels to find: write "),
        ("redis+sentinel:///shop", "names no Sentinel: write "),
        ("redis+sentinel://a/shop/cache", "does not end with a database number, as in /0"),
        ("redis+sentinel://a:x/shop", "has no readable host and port"),
        ("redis+sentinel://a/shop#hush", "has an unescaped # or @"),
        ("redis+sentinel://a/shop?sentinel_hush=1", "has an unknown option after its ?"),
    ],
)
def test_forms_of_the_url(url: str, error: str | None) -> None:
    """What can be meant is taken, and what cannot is refused without repeating it."""
    found = url_error(url)
    assert (found or "").startswith(error or "") and bool(found) == bool(error)
    assert "hush" not in (found or "")
