"""The container engine: found as testcontainers finds it, its refusals raised as `CouldNotRun`."""

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
from restore_drill.core.remedies import remedy_for


@contextmanager
def engine_client() -> Iterator[DockerClient]:
    """Client of the container engine, found as testcontainers finds it; raises `CouldNotRun`."""
    check_engine()
    with explained("respond"):
        client = docker_client.DockerClient().client
    try:
        yield client
    finally:
        client.close()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Report the container engine's refusal to do `what`, or its silence, as a `CouldNotRun`."""
    try:
        yield
    except APIError as error:
        raise CouldNotRun(
            f"the container engine did not {what}",
            checked=[reason(error)],
            remedy=remedy_for("container", "other_image"),
        ) from None
    except TimeoutError:
        raise CouldNotRun(
            f"the container engine did not {what} in time",
            remedy=remedy_for("container", "other_image"),
        ) from None
    except (DockerException, OSError, ValueError) as error:
        raise no_engine(error) from None


def check_engine(timeout: float = 10) -> None:
    """Look whether a local engine listens, before its client does and leaves a socket behind.

    Raises `CouldNotRun`, where it does not answer within `timeout` seconds too.
    """
    url = urlsplit(engine_url())
    if url.scheme == "unix":
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            try:
                client.connect(url.path)
            except OSError as error:
                raise no_engine(error) from None


def engine_url() -> str:
    """Address of the container engine: testcontainers' setting, DOCKER_HOST, Docker's context."""
    return docker_client.get_docker_host() or "unix:///var/run/docker.sock"


def no_engine(error: BaseException) -> CouldNotRun:
    """Report where an engine was searched for, without credentials, and why none answers."""
    url = urlsplit(engine_url())
    source = "DOCKER_HOST" if "DOCKER_HOST" in os.environ else "the default"
    while error.__context__:
        error = error.__context__
    why = getattr(error, "strerror", None) or type(error).__name__
    is_refused = isinstance(error, PermissionError)
    remedy = remedy_for("container", "no_permission") if is_refused else []
    return CouldNotRun(
        "no container engine answers",
        checked=[f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path} ({source}): {why}"],
        remedy=remedy + remedy_for("container", "no_engine"),
    )


def reason(error: APIError) -> str:
    """Quote the engine, on one line."""
    return "the engine answered: " + first_line(str(error.explanation or error))


def first_line(text: str) -> str:
    """First line of `text`, of bearable length."""
    return (text.strip().splitlines() or ["(nothing)"])[0][:300]
