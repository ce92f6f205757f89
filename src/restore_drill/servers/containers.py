"""Containers of this run: launched, removed, and those of dead runs found again by their labels."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

import psutil
from docker import DockerClient
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container
from testcontainers.core.container import DockerContainer
from testcontainers.core.exceptions import ContainerStartException

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.engine import engine_client, explained, reason

OWNER_LABEL = "org.restore-drill.owner"
HOST_LABEL = "org.restore-drill.host"
"""Who made a container: process id and start time, and the machine on which they mean something."""
KEPT = "restore-drill-kept-"
"""Begins the name of one that outlives its drill: its owner follows, for a label cannot change."""


def launch(container: DockerContainer, port: int | None, *, note: Callable[[str], None]) -> None:
    """Fetch the image if it is absent, and start `container`, `port` reached from here alone.

    For any testcontainers container; waits for its own wait strategy only. Raises `CouldNotRun`.
    """
    # testcontainers' own cleaner is a container whose image not every registry has.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    fetch(container.get_docker_client().client, container.image, note=note)
    with explained(f"run the image {container.image}"):
        if port and (host := bind_address(container)):
            # docker-py takes (address, port), port None being any free one.
            container.ports[str(port)] = (host, None)  # type: ignore[assignment]
        with removed_by_name(container):
            # Not PostgresContainer's start: its wait puts the password on a command line.
            DockerContainer.start(container)


@contextmanager
def removed_by_name(container: DockerContainer) -> Iterator[None]:
    """Remove `container` also where Ctrl-C came before the engine's answer (seen under load)."""
    name = f"restore-drill-{token_hex(8)}"
    container.with_name(name)
    try:
        yield
    except BaseException:
        with suppress(Exception), engine_client() as client:
            try:
                container.get_wrapped_container()
            except ContainerStartException:
                client.containers.get(name).remove(force=True, v=True)
        raise


def bind_address(container: DockerContainer) -> str | None:
    """Host address to bind ports to: the narrowest one by which testcontainers gets there.

    None stands for all addresses, as for an engine on another machine.
    """
    engine = container.get_docker_client()
    mode = engine.get_connection_mode().name
    if mode == "docker_host" and engine.host() in ("localhost", "127.0.0.1"):
        return "127.0.0.1"
    if mode == "gateway_ip":
        for config in engine.client.networks.get("bridge").attrs["IPAM"]["Config"]:
            # A gateway that is not reported is the one that the engine chose: the first address.
            return str(config.get("Gateway") or ip_network(config["Subnet"])[1])
    return None


def address(container: DockerContainer, port: int) -> tuple[str, int]:
    """Host and port at which `port` of `container` is reached; TimeoutError when it ended."""
    host = container.get_container_host_ip()
    return "127.0.0.1" if host == "localhost" else host, container.get_exposed_port(port)


def last_log_lines(container: DockerContainer, password: str) -> list[str]:
    """Read the last lines that `container` logged, without the password."""
    with suppress(Exception):  # the failure that is being reported matters more than its log
        text = container.get_wrapped_container().logs(tail=8).decode("utf-8", "replace")
        lines = [line.rstrip() for line in text.replace(password, "***").splitlines()]
        return [f"container log: {line}" for line in lines if line]
    return []


def fetch(client: DockerClient, image: str, *, note: Callable[[str], None]) -> None:
    """Make sure that the engine has `image`, pulling it if need be; raises `CouldNotRun`."""
    with explained(f"look up the image {image}"):
        with suppress(ImageNotFound):
            client.images.get(image)
            return
        note(f"fetching the image {image}")
        try:
            client.images.pull(image)
        except APIError as error:
            raise CouldNotRun(
                f"image {image} is not here and could not be fetched",
                checked=[reason(error)],
                remedy=remedy_for("container", "no_image"),
            ) from None


def labels() -> dict[str, str]:
    """Labels by which a later run finds a container of this one when this one died."""
    return {OWNER_LABEL: this_process(), HOST_LABEL: platform.node()}


def this_process() -> str:
    """How a container names this process as its owner."""
    process = psutil.Process()
    return f"{process.pid}-{process.create_time():.2f}"


def kept_name() -> str:
    """Name of a container that this process keeps, a random part behind its owner."""
    return f"{KEPT}{this_process()}-{token_hex(2)}"


def owner_of(container: Container) -> str:
    """Who owns the `container` of ours: its keeper, else the drill that made it."""
    name = str(container.name)
    if name.startswith(KEPT):
        return name.removeprefix(KEPT).rpartition("-")[0]
    return str(container.labels[OWNER_LABEL])


def clean_left_over_containers() -> list[str]:
    """Remove the containers of dead runs on this machine; what was done, in words.

    Raises `CouldNotRun` when no engine answers.
    """
    done = []
    with engine_client() as client, explained("clean up"):
        ours = [OWNER_LABEL, f"{HOST_LABEL}={platform.node()}"]
        found = client.containers.list(all=True, ignore_removed=True, filters={"label": ours})
        for container in found:
            owner = owner_of(container)
            if is_alive(owner):
                continue
            # APIError: another run is removing it at this moment.
            with suppress(APIError):
                container.remove(force=True, v=True)
                done.append(f"removed the container {container.name} of a run that died ({owner})")
    return done


def is_alive(owner: str) -> bool:
    """Whether the process of the label `owner` lives; also when the label cannot be read."""
    pid, _, started = owner.partition("-")
    try:
        # The start time that is reckoned from the boot moves a little when the clock is set.
        return abs(float(psutil.Process(int(pid)).create_time()) - float(started)) < 5
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, ValueError):
        return True


@contextmanager
def removed_on_error(container: DockerContainer) -> Iterator[None]:
    """Remove `container` when what runs inside fails or is interrupted."""
    try:
        yield
    except BaseException:
        with suppress(Exception):  # the failure that is under way matters more
            discard(container)
        raise


def discard(container: DockerContainer) -> None:
    """Remove `container` with its volumes; harmless when it is gone."""
    with explained("remove a container"), suppress(NotFound):
        container.stop()


def disk_of(client: DockerClient) -> Path:
    """Directory on the disk that the engine's containers fill; our own for an engine elsewhere."""
    with suppress(Exception):  # an engine need not know it
        place = Path(str(client.info()["DockerRootDir"]))
        if place.is_dir():
            return place
    return Path(gettempdir())


def kill(container: DockerContainer) -> None:
    """End what runs in `container` at once, from any thread."""
    with suppress(Exception):  # it may have ended
        container.get_wrapped_container().kill()
