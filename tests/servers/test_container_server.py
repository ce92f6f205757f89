"""The server of the target `container`, against a real container engine."""

from __future__ import annotations

import dataclasses
import io
import os
import platform
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
from docker import DockerClient
from psycopg import sql
from testcontainers.core.config import ConnectionMode, testcontainers_config

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import container as container_module
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.container import ContainerServer, start_container
from restore_drill.servers.container_walls import OPEN
from restore_drill.servers.containers import (
    HOST_LABEL,
    OWNER_LABEL,
    clean_left_over_containers,
    is_alive,
    labels,
)
from restore_drill.servers.engine import engine_client, no_engine
from restore_drill.servers.lost import explained_when_lost
from tests.helpers.engine import Engine, require_engine

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The container engine and its images."""
    return require_engine()


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[DockerClient]:
    """Client of the container engine."""
    assert engine
    with engine_client() as client:
        yield client


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[ContainerServer]:
    """A PostgreSQL server in a container."""
    server = start_container(engine.image, note=print)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def open_server(engine: Engine) -> Iterator[ContainerServer]:
    """A PostgreSQL server in a container that is not shut in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container_module, "why_open", lambda: f"closed for a test: {OPEN}")
        server = start_container(engine.image, note=print)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def build(client: DockerClient, engine: Engine) -> Iterator[Callable[..., str]]:
    """Function that builds an image of Dockerfile lines on the PostgreSQL image; gives its id."""
    built: list[str] = []

    def build(*lines: str) -> str:
        recipe = "\n".join([f"FROM {engine.image}", *lines]).encode()
        image, _ = client.images.build(fileobj=io.BytesIO(recipe), rm=True)
        built.append(str(image.id))
        return built[-1]

    yield build
    for image in set(built):
        client.images.remove(image, force=True)


def ours(client: DockerClient) -> set[str]:
    """Ids of the containers that carry this process's label."""
    label = f"{OWNER_LABEL}={labels()[OWNER_LABEL]}"
    found = client.containers.list(all=True, filters={"label": label})
    return {str(container.id) for container in found}


def everything(client: DockerClient) -> set[str]:
    """Ids of all containers, running or not."""
    return {str(container.id) for container in client.containers.list(all=True)}


def test_server_answers_with_settings_for_a_throwaway_copy(server: ContainerServer) -> None:
    """The server runs with the settings that make it fast and keep the copy from acting."""
    with server.target("postgres").connect() as connection:
        rows = connection.execute("SELECT name, setting FROM pg_settings").fetchall()
    found = dict(rows)

    assert found["fsync"] == found["autovacuum"] == found["archive_mode"] == "off"
    assert found["wal_level"] == "minimal"
    assert found["max_logical_replication_workers"] == "0"
    assert server.server_version == int(found["server_version_num"])


def test_binaries_are_not_older_than_the_server(engine: Engine, server: ContainerServer) -> None:
    """The client tools that come with the target can talk to its server."""
    assert server.server_version // 10000 == engine.major
    assert server.binaries.major >= engine.major


def test_databases_are_created_empty_with_any_name_and_encoding(server: ContainerServer) -> None:
    """A database takes the name and the encoding of the backup's own."""
    target = server.create_database('Rock "n" roll', encoding="LATIN1")

    with target.connect() as connection:
        found = connection.execute(
            "SELECT current_database(), current_setting('server_encoding'),"
            " count(*) FILTER (WHERE schemaname = 'public') FROM pg_tables"
        ).fetchone()
    assert found == ('Rock "n" roll', "LATIN1", 0)
    assert target.kind == "container" and target.throwaway


def test_refused_database_is_told(server: ContainerServer) -> None:
    """What the server says against a database is told as could-not-run."""
    with pytest.raises(CouldNotRun, match=r"cannot create the database 'postgres'(?s:.*)exists"):
        server.create_database("postgres")


def test_wrong_password_is_refused(open_server: ContainerServer) -> None:
    """The server does not trust whoever reaches its port."""
    target = dataclasses.replace(open_server.target("postgres"), password="guess")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        target.connect()


def test_password_is_on_no_command_line(engine: Engine) -> None:
    """While a server starts, no process shows its password, and neither does its repr."""
    seen: set[str] = set()
    started = threading.Event()

    def watch() -> None:
        while not started.is_set():
            for process in psutil.process_iter(["cmdline"]):
                seen.update(process.info["cmdline"] or ())

    with ThreadPoolExecutor() as pool:
        watcher = pool.submit(watch)
        try:
            server = start_container(engine.image, note=print)
        finally:
            started.set()
        watcher.result()
    server.stop()
    assert "-cfsync=off" in seen
    assert not [argument for argument in seen if server.password in argument]
    assert server.password not in repr(server)


def test_port_is_bound_to_one_local_address(
    client: DockerClient, open_server: ContainerServer
) -> None:
    """Where a port has to be published it is not open to other machines, and that it is is told."""
    ports = client.containers.get(open_server.container.get_container_id()).ports

    assert [binding["HostIp"] for binding in ports["5432/tcp"] or ()] == [open_server.host]
    assert open_server.host != "0.0.0.0"  # noqa: S104
    assert open_server.target("postgres").isolated is False
    assert open_server.target("postgres").exposed == f"closed for a test: {OPEN}"


INSIDE = """
    ip=$(cat /proc/net/dev | grep -c eth); echo interfaces $ip
    grep -E 'CapEff|NoNewPrivs' /proc/self/status | tr '\\t' ' '
    cat /proc/self/oom_score_adj
    grep -c restore-drill /proc/mounts
    rm -f /restore-drill/.s.PGSQL.5432 && echo socket removed
    touch /restore-drill/made && echo made
    true"""


def test_what_runs_in_the_container_is_shut_in(
    client: DockerClient, server: ContainerServer
) -> None:
    """No network, no capability, no way to gain one, and a limit of processes and memory."""
    if server.exposed:
        pytest.skip(f"this engine's containers cannot be shut in: {server.exposed}")
    host = client.containers.get(server.container.get_container_id()).attrs["HostConfig"]
    with server.create_database("inside").connect() as connection:
        connection.execute("CREATE TABLE said (line text)")
        query = sql.SQL("COPY said FROM PROGRAM {}").format(sql.Literal(INSIDE))
        connection.execute(query)
        said = [line for (line,) in connection.execute("SELECT line FROM said")]

    assert said[0] == "interfaces 0"
    assert "CapEff: 0000000000000000" in said
    assert "NoNewPrivs: 1" in said
    assert "1000" in said
    assert host["NetworkMode"] == "none" and host["PidsLimit"] > 1000 and host["Memory"] > 0
    assert server.target("postgres").isolated is True
    # Whatever it did to its socket, we still get to it, and to no other one.
    with server.target("inside").connect() as connection:
        assert connection.execute("SELECT count(*) FROM said").fetchone() == (len(said),)


def test_image_that_does_not_start_shut_in_is_started_open(
    build: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that wants more than it is given is run as it is wont to, and that is told."""
    monkeypatch.setattr(container_module, "STARTUP_TIMEOUT", 30.0)
    image = build(
        'ENTRYPOINT ["sh", "-c", "grep -q eth0 /proc/net/dev || exit 3; '
        'exec docker-entrypoint.sh \\"$0\\" \\"$@\\""]',
        'CMD ["postgres"]',
    )
    server = start_container(image, note=print)
    target = server.target("postgres")
    with target.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()

    assert target.isolated is False
    assert target.exposed.endswith(f"its container ended: {OPEN}")


def test_container_that_fills_the_disk_is_ended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its data grow no further than leaves room for what else writes to the disk."""
    monkeypatch.setattr(RoomWatch, "least_of", lambda _, free: free - 200_000_000)
    server = start_container(engine.image, note=print)
    fill = "CREATE TABLE t AS SELECT repeat(md5(n::text), 9) FROM generate_series(1, 90000000) n"
    target = server.target("postgres")

    def restore() -> None:
        with explained_when_lost(target, "the restore"), target.connect() as connection:
            connection.execute(fill)

    try:
        with pytest.raises(CouldNotRun) as caught:
            restore()
    finally:
        server.stop()

    assert caught.value.what == "the throwaway server was ended before it filled the disk"


def test_stopped_server_leaves_no_container_and_no_volume(
    engine: Engine, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping removes the container with its data, and stopping twice does no harm."""
    # As on a machine that is no container itself: the loopback address, whatever this one is.
    monkeypatch.setattr(
        testcontainers_config, "connection_mode_override", ConnectionMode.docker_host
    )
    monkeypatch.setattr(container_module, "why_open", lambda: OPEN)
    before = ours(client)
    server = start_container(engine.image, note=print)
    (identity,) = ours(client) - before
    mounts = client.containers.get(identity).attrs["Mounts"]
    server.stop()
    server.stop()

    assert server.host == "127.0.0.1"
    assert ours(client) == before
    assert mounts
    assert not {mount["Name"] for mount in mounts} & {each.name for each in client.volumes.list()}


SCRIPT = """
    import sys
    from restore_drill.servers.container import start_container

    server = start_container(sys.argv[1], note=print)
    print("started", server.container.get_container_id(), flush=True)
    sys.stdin.read()
"""


def start_other_process(image: str, **environment: str) -> subprocess.Popen[str]:
    """Another Python process that starts a server from `image` and then waits."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), image],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_container_of_a_killed_run_is_removed_by_the_next_one(
    engine: Engine, client: DockerClient, server: ContainerServer
) -> None:
    """Only containers of dead owners on this machine go; the default image's short name works."""
    with start_other_process(f"postgres:{engine.major}", **engine.environment) as other:
        assert other.stdout
        identity = other.stdout.readline().removeprefix("started ").strip()
        clean_left_over_containers()
        orphan = client.containers.get(identity)
        other.kill()
    foreign_label = {OWNER_LABEL: "1-1.00", HOST_LABEL: platform.node() + "-other"}
    foreign = client.containers.create(engine.image, labels=foreign_label)
    try:
        done = clean_left_over_containers()
        left = everything(client)
    finally:
        foreign.remove(v=True)

    assert [line for line in done if f"{orphan.name} of a run that died" in line]
    assert orphan.id not in left
    assert {foreign.id, server.container.get_container_id()} <= left


def test_interrupted_start_leaves_no_container(
    client: DockerClient, build: Callable[..., str]
) -> None:
    """Ctrl-C while the server starts removes its container."""
    image = build('ENTRYPOINT ["sh", "-c", "sleep 60"]')
    before = everything(client)
    with start_other_process(image) as other:
        deadline = time.monotonic() + 30
        while not {each.id for each in client.containers.list()} - before:
            assert time.monotonic() < deadline, "no container was started"
            time.sleep(0.05)
        other.send_signal(signal.SIGINT)
        _, errors = other.communicate(timeout=30)

    assert "KeyboardInterrupt" in errors
    assert everything(client) == before


def test_image_whose_server_ends_is_told_with_its_log(
    client: DockerClient, build: Callable[..., str]
) -> None:
    """A container that ends at once is told with its last words, without the password."""
    words = "echo no room for $POSTGRES_PASSWORD; exit 3"
    image = build(f'ENTRYPOINT ["sh", "-c", "{words}"]')
    before = ours(client)

    with pytest.raises(CouldNotRun) as caught:
        start_container(image, note=print)
    assert "did not give a PostgreSQL server: its container ended" in str(caught.value)
    assert "container log: no room for ***\n" in str(caught.value)
    assert "--image" in str(caught.value)
    assert ours(client) == before


def test_image_that_never_answers_is_given_up(
    client: DockerClient, build: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container without a server is given up in time, and removed."""
    image = build('ENTRYPOINT ["sh", "-c", "sleep 60"]')
    monkeypatch.setattr(container_module, "STARTUP_TIMEOUT", 1.0)
    before = ours(client)

    with pytest.raises(CouldNotRun, match="no answer within 1 s"):
        start_container(image, note=print)
    assert ours(client) == before


def test_image_that_is_no_postgresql_is_told(build: Callable[..., str]) -> None:
    """An image without the command `postgres` is named with the engine's own words."""
    image = build("ENV PATH=/bin", "ENTRYPOINT []")

    with pytest.raises(CouldNotRun, match=rf"did not run the image {image}(?s:.*)postgres"):
        start_container(image, note=print)


@pytest.mark.parametrize("image", ["127.0.0.1:1/none:1", "NOT an image"])
def test_image_that_cannot_be_had_is_named(engine: Engine, image: str) -> None:
    """An image that no registry gives is named, with the option that names another."""
    assert engine
    with pytest.raises(CouldNotRun) as caught:
        start_container(image, note=print)
    assert image in caught.value.what
    assert "the engine said:" in str(caught.value)
    assert "--image" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("unix:///nowhere/docker.sock", "unix:///nowhere/docker.sock (DOCKER_HOST): No such file"),
        ("tcp://u:hidden@127.0.0.1:1", "tcp://127.0.0.1:1 (DOCKER_HOST): "),
        ("http://127.0.0.1:99999", "http://127.0.0.1:99999 (DOCKER_HOST): "),
        ("hidden", "(DOCKER_HOST)"),
    ],
)
def test_missing_engine_is_told_in_one_line(
    url: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an engine the error says where it was looked for and what to do instead."""
    monkeypatch.setenv("DOCKER_HOST", url)

    with pytest.raises(CouldNotRun) as caught:
        start_container("postgres:15", note=print)
    assert caught.value.what == "no container engine answers"
    assert shown in str(caught.value)
    assert ":hidden@" not in str(caught.value)
    assert "--target embedded" in str(caught.value)


def test_forbidden_engine_is_told_with_the_group() -> None:
    """A user who may not open the socket learns which group may."""
    error = PermissionError(13, "Permission denied")

    assert "Permission denied" in str(no_engine(error))
    assert "1. let this user use it (group docker)" in str(no_engine(error))


@pytest.mark.parametrize(
    ("owner", "alive"),
    [
        (labels()[OWNER_LABEL], True),
        (f"{os.getpid()}-1.00", False),
        ("4194304-1.00", False),
        ("nonsense", True),
    ],
    ids=["ours", "reused", "gone", "unreadable"],
)
def test_only_a_process_that_is_surely_gone_is_dead(owner: str, alive: bool) -> None:  # noqa: FBT001
    """A reused process id is dead, a label that cannot be read is not."""
    assert is_alive(owner) is alive
