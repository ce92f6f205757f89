"""A container engine, and servers in it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from docker import DockerClient

from restore_drill.servers import container as container_module
from restore_drill.servers.container import ContainerServer, start_container
from restore_drill.servers.container_walls import OPEN
from restore_drill.servers.engine import engine_client
from tests.helpers.engine import Engine, require_engine


@pytest.fixture(scope="package")
def engine() -> Engine:
    """The container engine and its images."""
    return require_engine()


@pytest.fixture(scope="package")
def client(engine: Engine) -> Iterator[DockerClient]:
    """Client of the container engine."""
    assert engine
    with engine_client() as client:
        yield client


@pytest.fixture(scope="package")
def server(engine: Engine) -> Iterator[ContainerServer]:
    """A PostgreSQL server in a container."""
    server = start_container(engine.image, note=print)
    yield server
    server.stop()


@pytest.fixture(scope="package")
def open_server(engine: Engine) -> Iterator[ContainerServer]:
    """A PostgreSQL server in a container that is not shut in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container_module, "why_open", lambda: f"closed for a test: {OPEN}")
        server = start_container(engine.image, note=print)
    yield server
    server.stop()


@pytest.fixture(scope="package")
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
