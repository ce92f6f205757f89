"""The server of the target `container`: its settings, and what shuts it in."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg
import pytest
from docker import DockerClient
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import container_wait
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.container import ContainerServer, start_container
from restore_drill.servers.container_walls import OPEN
from restore_drill.servers.lost import explained_when_lost
from tests.helpers.engine import Engine


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


def test_refused_database_is_reported(server: ContainerServer) -> None:
    """What the server says against a database is reported as could-not-run."""
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
    """Where a port has to be published it is not open to other machines, and it is reported."""
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
    """An image that wants more than it is given is run as it is wont to, and that is reported."""
    monkeypatch.setattr(container_wait, "STARTUP_TIMEOUT", 30.0)
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
    assert target.exposed.endswith(f"its container exited: {OPEN}")


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

    assert caught.value.what == "the throwaway server was stopped before it filled the disk"
