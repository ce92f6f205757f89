"""Waiting for the PostgreSQL server in a new container to answer."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from testcontainers.core.container import DockerContainer

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.container_walls import LENT
from restore_drill.servers.containers import address, last_log_lines
from restore_drill.servers.engine import explained, first_line

PORT = 5432
STARTUP_TIMEOUT = 120.0
"""Seconds for the server in a new container to answer."""


def conninfo(host: str, port: int) -> dict[str, str]:
    """Keywords of libpq for the server's superuser, without database and password."""
    return {"host": host, "port": str(port), "user": "postgres", "sslmode": "prefer"}


def wait_for_server(
    container: DockerContainer, password: str, run: RunDirectory | None
) -> tuple[str, int, int]:
    """Wait until PostgreSQL answers in `container`: host, port, version (160004 for 16.4)."""
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while True:
        answer = ""
        with explained(f"run the image {container.image}"):
            container.reload()
            ended = container.status not in ("created", "running")
            try:
                host, port = (str(run.path / LENT), PORT) if run else address(container, PORT)
                return host, port, ask_version(conninfo(host, port), password)
            except (psycopg.OperationalError, TimeoutError, ConnectionError) as error:
                answer = first_line(str(error))
        if ended or time.monotonic() > deadline:
            how = "its container exited" if ended else f"no answer within {STARTUP_TIMEOUT:.0f} s"
            raise CouldNotRun(
                f"image {container.image} did not start a PostgreSQL server: {how}",
                checked=last_log_lines(container, password) + ([] if ended else [answer]),
                remedy=remedy_for("container", "other_image"),
            )
        time.sleep(0.1)


def ask_version(keywords: dict[str, str], password: str) -> int:
    """Version number of the server at `keywords`; raises psycopg.OperationalError."""
    login: dict[str, Any] = {**keywords, "dbname": "postgres", "password": password}
    with psycopg.connect(**login, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('listen_addresses')"
        ).fetchone()
    if row is None or not row[1]:
        raise psycopg.OperationalError("the image is still setting up its data")
    return int(row[0])
