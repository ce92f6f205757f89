"""The container engine: found as testcontainers finds it, its refusals told as `CouldNotRun`."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from docker import DockerClient
from docker.errors import APIError, DockerException
from testcontainers.core import docker_client

from restore_drill.core.errors import CouldNotRun

NO_ENGINE = (
    "start one: `systemctl start docker`, Docker Desktop or Podman",
    "name one that runs: DOCKER_HOST, or `docker context use NAME`",
    "drill without containers: --target embedded",
)
NO_IMAGE = (
    "check its name, and load it: `docker pull IMAGE` or `docker load`",
    "name another one: --image (DRILL_IMAGE), --redis-image (DRILL_REDIS_IMAGE)",
    "drill without containers: --target embedded",
)


@contextmanager
def engine_client() -> Iterator[DockerClient]:
    """Client of the container engine, found as testcontainers finds it; raises `CouldNotRun`."""
    check_engine()
    with explained("talk to us"):
        client = docker_client.DockerClient().client
    try:
        yield client
    finally:
        client.close()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Tell the container engine's refusal to do `what`, or its silence, as a `CouldNotRun`."""
    try:
        yield
    except APIError as error:
        raise CouldNotRun(
            f"the container engine did not {what}",
            checked=[reason(error)],
            remedy=NO_IMAGE[1:],
        ) from None
    except TimeoutError:
        raise CouldNotRun(
            f"the container engine did not {what} in time", remedy=NO_IMAGE[1:]
        ) from None
    except (DockerException, OSError, ValueError) as error:
        raise no_engine(error) from None


def check_engine() -> None:
    """Look whether a local engine listens, before its client does and leaves a socket behind.

    Raises `CouldNotRun`.
    """
    url = urlsplit(engine_url())
    if url.scheme == "unix":
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            try:
                client.connect(url.path)
            except OSError as error:
                raise no_engine(error) from None


def engine_url() -> str:
    """Address of the container engine: testcontainers' setting, DOCKER_HOST, Docker's context."""
    return docker_client.get_docker_host() or "unix:///var/run/docker.sock"


def no_engine(error: BaseException) -> CouldNotRun:
    """Tell where an engine was looked for, without credentials, and why none answers."""
    url = urlsplit(engine_url())
    source = "DOCKER_HOST" if "DOCKER_HOST" in os.environ else "the default"
    while error.__context__:
        error = error.__context__
    why = getattr(error, "strerror", None) or type(error).__name__
    steps = [*NO_ENGINE]
    if isinstance(error, PermissionError):
        steps.insert(0, "let this user use it (group docker), or run as one who may")
    return CouldNotRun(
        "no container engine answers",
        checked=[f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path} ({source}): {why}"],
        remedy=steps,
    )


def reason(error: APIError) -> str:
    """Quote the engine, on one line."""
    return "the engine said: " + first_line(str(error.explanation or error))


def first_line(text: str) -> str:
    """First line of `text`, of bearable length."""
    return (text.strip().splitlines() or ["(nothing)"])[0][:300]
