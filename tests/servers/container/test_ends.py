"""Containers are gone with their run, also where it is killed or cannot start."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import DockerClient
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import container as container_module
from restore_drill.servers import container_wait
from restore_drill.servers.container import ContainerServer, start_container
from restore_drill.servers.container_walls import OPEN
from restore_drill.servers.containers import (
    HOST_LABEL,
    OWNER_LABEL,
    clean_left_over_containers,
    is_alive,
    labels,
    removed_by_name,
)
from restore_drill.servers.engine import no_engine
from tests.helpers.containers import everything, ours
from tests.helpers.engine import Engine

ROOT = Path(__file__).parents[3]


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
        clean_left_over_containers()
        left = everything(client)
    finally:
        foreign.remove(v=True)

    assert orphan.id not in left
    assert {foreign.id, server.container.get_container_id()} <= left


def test_what_was_removed_is_said(engine: Engine, client: DockerClient) -> None:
    """By its name; a few tries, since the drill of another test may be the one to remove it."""
    dead = {OWNER_LABEL: "1-1.00", HOST_LABEL: platform.node()}
    for _ in range(5):
        orphan = client.containers.create(engine.image, labels=dead)
        said = clean_left_over_containers()
        assert orphan.id not in everything(client)
        if found := [line for line in said if f"{orphan.name} of a run that died (1-1.00)" in line]:
            return
    assert found


def test_interrupted_start_leaves_no_container(
    client: DockerClient, build: Callable[..., str]
) -> None:
    """Ctrl-C while the server starts removes its container."""
    image = build('ENTRYPOINT ["sh", "-c", "sleep 60"]')
    before = everything(client, image)  # tests beside this one start others
    with start_other_process(image) as other:
        deadline = time.monotonic() + 30
        while not everything(client, image) - before:
            assert time.monotonic() < deadline, "no container was started"
            time.sleep(0.05)
        other.send_signal(signal.SIGINT)
        _, errors = other.communicate(timeout=30)

    assert "KeyboardInterrupt" in errors
    assert everything(client, image) == before


def test_what_the_engine_made_unnoticed_is_removed(
    client: DockerClient, build: Callable[..., str]
) -> None:
    """Ctrl-C between the order and the engine's answer."""
    image = build('ENTRYPOINT ["sh", "-c", "sleep 60"]')
    container = DockerContainer(image)

    def interrupted() -> None:
        with removed_by_name(container):
            client.containers.create(image, name=container._name)
            assert len(everything(client, image)) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert everything(client, image) == set()


def test_image_whose_server_ends_is_reported_with_its_log(
    client: DockerClient, build: Callable[..., str]
) -> None:
    """A container that ends at once is reported with its last words, without the password."""
    words = "echo no room for $POSTGRES_PASSWORD; exit 3"
    image = build(f'ENTRYPOINT ["sh", "-c", "{words}"]')
    before = ours(client)

    with pytest.raises(CouldNotRun) as caught:
        start_container(image, note=print)
    assert "did not start a PostgreSQL server: its container exited" in str(caught.value)
    assert "container log: no room for ***\n" in str(caught.value)
    assert "--image" in str(caught.value)
    assert ours(client) == before


def test_image_that_never_answers_is_given_up(
    client: DockerClient, build: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container without a server is given up in time, and removed."""
    image = build('ENTRYPOINT ["sh", "-c", "sleep 60"]')
    monkeypatch.setattr(container_wait, "STARTUP_TIMEOUT", 1.0)
    before = ours(client)

    with pytest.raises(CouldNotRun, match="no answer within 1 s"):
        start_container(image, note=print)
    assert ours(client) == before


def test_image_that_is_no_postgresql_is_reported(build: Callable[..., str]) -> None:
    """An image without the command `postgres` is named with the engine's own words."""
    image = build("ENV PATH=/bin", "ENTRYPOINT []")

    with pytest.raises(CouldNotRun, match=rf"did not run the image {image}(?s:.*)postgres"):
        start_container(image, note=print)


@pytest.mark.parametrize("image", ["127.0.0.1:1/none:1", "NOT an image"])
def test_image_that_is_not_available_is_named(engine: Engine, image: str) -> None:
    """An image that no registry gives is named, with the option that names another."""
    assert engine
    with pytest.raises(CouldNotRun) as caught:
        start_container(image, note=print)
    assert image in caught.value.what
    assert "the engine answered:" in str(caught.value)
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
def test_missing_engine_is_reported_in_one_line(
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


def test_forbidden_engine_is_reported_with_the_group() -> None:
    """A user who may not open the socket learns which group may."""
    error = PermissionError(13, "Permission denied")

    assert "Permission denied" in str(no_engine(error))
    assert "1. give this user access to it (group docker)" in str(no_engine(error))


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
