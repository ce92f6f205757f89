"""The target `container`: a throwaway PostgreSQL server in a container, through testcontainers.

Import it only for this target: the engine's client is slow to load.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from docker.errors import DockerException
from psycopg import sql
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_errors import error_text
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.cleanup import RunDirectory, clean_left_overs
from restore_drill.servers.container_wait import PORT, conninfo, wait_for_server
from restore_drill.servers.container_walls import (
    OPEN,
    SETTINGS,
    make_socket_directory,
    options,
    way_to_server,
    why_open,
)
from restore_drill.servers.containers import (
    clean_left_over_containers,
    discard,
    disk_of,
    kill,
    labels,
    launch,
    removed_on_error,
)
from restore_drill.servers.engine import explained
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import SWITCHED_SINCE, Target
from restore_drill.servers.tuning import FAST, SORT_MB

SAFE = {
    # The copy must do nothing by itself: no archiving, no subscriptions, no cron jobs.
    "archive_mode": "off",
    "max_logical_replication_workers": "0",
    "cron.launch_active_jobs": "off",
}
TUNED = SAFE | FAST | {"max_wal_size": "4GB", "maintenance_work_mem": f"{2 * SORT_MB}MB"}


@dataclass(frozen=True)
class ContainerServer:
    """A PostgreSQL server in the container `container`, reached at `host`:`port`.

    `host` is the directory of its socket, in `run`, where it is shut in; else `exposed` says what
    is open, and why.
    """

    container: DockerContainer
    image: str
    host: str
    port: int
    password: str = field(repr=False)
    server_version: int
    binaries: Binaries
    watch: RoomWatch = field(repr=False)
    run: RunDirectory | None = None
    exposed: str = ""

    def create_database(self, name: str, *, encoding: str = "UTF8") -> Target:
        """Create the empty database `name`; an `encoding` other than UTF8 comes with locale C.

        Raises `CouldNotRun` when the server refuses.
        """
        locale = "" if encoding == "UTF8" else " LC_COLLATE 'C' LC_CTYPE 'C'"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}" + locale).format(
            sql.Identifier(name), sql.Literal(encoding)
        )
        try:
            with self.target("postgres").connect() as connection:
                connection.execute(statement)
        except psycopg.Error as error:
            raise CouldNotRun(
                f"the server in the container cannot create the database {name!r} ({encoding})",
                checked=[error_text(error, name)],
            ) from None
        return self.target(name)

    def target(self, name: str) -> Target:
        """Describe the database `name` of this server."""
        return Target(
            kind="container",
            conninfo=conninfo(self.host, self.port) | {"dbname": name},
            server_version=self.server_version,
            binaries=self.binaries,
            password=self.password,
            without_event_triggers=self.server_version // 10000 >= SWITCHED_SINCE,
            description=f"PostgreSQL {self.version} in a container of {self.image}",
            isolated=self.run is not None,
            exposed=self.exposed,
            why_ended=self.watch.error,
        )

    @property
    def version(self) -> str:
        """Version as people write it: `16.4`."""
        return f"{self.server_version // 10000}.{self.server_version % 10000}"

    def is_running(self) -> bool:
        """Whether it still runs, as far as the engine says so."""
        with suppress(DockerException, OSError):
            self.container.reload()
            return bool(self.container.status == "running")
        return False

    def stop(self) -> None:
        """Remove the container with its data; harmless when called twice."""
        self.watch.stop()
        discard(self.container)
        if self.run:
            self.run.remove()


def start_container(
    image: str, *, note: Callable[[str], None], production_settings: bool = False
) -> ContainerServer:
    """Start a PostgreSQL server from `image` (fetched if absent) and wait until it answers.

    With `production_settings` it has the image's own settings, else it is tuned for a restore. It
    is isolated where that is possible. Removes left-overs of dead runs first. Raises `CouldNotRun`.
    """
    for line in [*clean_left_over_containers(), *clean_left_overs()]:
        note(f"Cleaned up after an earlier run: {line}")
    settings = SAFE if production_settings else TUNED
    exposed = why_open()
    if not exposed:
        run = make_socket_directory()
        try:
            return start_in(image, settings | SETTINGS, note, run=run)
        except BaseException as error:
            run.remove()
            if not isinstance(error, CouldNotRun):
                raise
            exposed = f"{error.what}: {OPEN}"
    return start_in(image, settings, note, exposed=exposed)


def start_in(
    image: str,
    settings: dict[str, str],
    note: Callable[[str], None],
    *,
    run: RunDirectory | None = None,
    exposed: str = "",
) -> ContainerServer:
    """Start a server with `settings`: shut in, its socket in `run`, else with a published port."""
    password = secrets.token_urlsafe(24)
    with explained(f"run the image {image}"):
        container = PostgresContainer(
            image,
            username="postgres",
            password=password,
            dbname="postgres",
            driver=None,
            command=["postgres", *(f"-c{name}={value}" for name, value in settings.items())],
        )
        # Parallel index builds keep their work in shared memory, of which Docker gives 64 MB.
        shut_in = options(run) if run else {}
        container.with_kwargs(shm_size="1g", labels=labels(), **shut_in)
    with removed_on_error(container):
        if run:
            container.ports.clear()
        launch(container, None if run else PORT, note=note)
        host, port, version = wait_for_server(container, password, run)
        binaries = find_binaries(version // 10000, note=note)
        host = str(way_to_server(run)) if run else host
        watch = RoomWatch(disk_of(container.get_docker_client().client), lambda: kill(container))
    name = container.image
    return ContainerServer(
        container, name, host, port, password, version, binaries, watch, run, exposed
    )
