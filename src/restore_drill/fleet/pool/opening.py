"""Opens a cluster of Dask distributed: that of a scheduler, or one in this process."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from restore_drill.core.calling import installs
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.fleet.pool.cluster import CLOSE, Cluster
from restore_drill.fleet.pool.folders import PREFIX
from restore_drill.fleet.pool.machines import HERE, this_machine
from restore_drill.fleet.pool.secure import refuse_no_certificate, refuse_unencrypted
from restore_drill.servers.owned import make_owned

LOGGERS = ("distributed", "tornado", "bokeh", "asyncio")
NO_LOG = logging.CRITICAL + 1

Reopen = Callable[[float], Cluster]
"""Opens the cluster anew, which has so many seconds to answer; CouldNotRun."""


@dataclass(frozen=True)
class Patience:
    """Seconds that a run waits.

    For the scheduler at first (`connect`) and when it is lost (`again`), for `workers` where there
    are none, for a `larger` one where a drill fits on none, for interrupted drills (`cleanup`).
    """

    connect: float = 15.0
    again: float = 300.0
    workers: float = 120.0
    larger: float = 10.0
    cleanup: float = 90.0


NO_PAGES: dict[str, list[str]] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
NOBODY = "127.0.0.1:0"
"""Dask begins a web server with each scheduler and worker, on all interfaces if it is not asked.

Ours have no pages, and other machines cannot reach them.
"""


def distributed() -> Any:
    """Dask distributed, and nothing from it on the terminal; CouldNotRun where it is missing."""
    try:
        found = import_module("distributed")
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("distributed", "dask"):
            raise
        raise CouldNotRun(
            "a fleet needs the library distributed (Dask), which is not installed",
            remedy=remedy_for("place", "extra", install=installs("fleet")),
        ) from None
    for name in LOGGERS:
        logging.getLogger(name).setLevel(NO_LOG)
        for each in [key for key in logging.root.manager.loggerDict if key.startswith(f"{name}.")]:
            logging.getLogger(each).setLevel(NO_LOG)
    return found


def open_cluster(scheduler: str | None, workers: int | None, seconds: float) -> Cluster:
    """The workers of `scheduler`, which has so many seconds to answer; without one, of our own.

    That one is in this process: a thread for each drill at once. Raises CouldNotRun.
    """
    dask = distributed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dask's own on versions, ports and memory
        if scheduler is None:
            return own_cluster(dask, workers)
        try:
            refuse_unencrypted(dask, scheduler)
            refuse_no_certificate(dask, scheduler)
            client = connected(dask, scheduler, seconds)
        except CouldNotRun:
            raise
        except Exception as error:  # noqa: BLE001 - of Dask, of tornado, of the system
            raise CouldNotRun(
                f"the scheduler of the fleet does not answer: {scheduler}",
                checked=[f"{type(error).__name__}: {error}".partition("\n")[0]],
                remedy=remedy_for("fleet", "no_scheduler", address=scheduler),
            ) from None
    return Cluster(client, scheduler)


def connected(dask: Any, scheduler: str, seconds: float) -> Any:
    """A client of `scheduler`, which has so many seconds to answer.

    One that fails is closed at once: at the end of the process it would wait for nothing, and say
    so by a traceback.
    """
    client = dask.Client.__new__(dask.Client)
    try:
        client.__init__(scheduler, timeout=seconds, set_as_default=False)
    except BaseException:
        with suppress(Exception):
            client.close(timeout=CLOSE)
        raise
    return client


def own_cluster(dask: Any, workers: int | None) -> Cluster:
    """A cluster in this process: one worker, all of this machine shared by its threads."""
    many, resources = this_machine(workers)
    folder, lock = make_owned(Path(tempfile.gettempdir()), PREFIX)
    with import_module("dask.config").set({"temporary-directory": str(folder), **NO_PAGES}):
        local = dask.LocalCluster(
            n_workers=1, threads_per_worker=many, processes=False, dashboard_address=None,
            worker_dashboard_address=NOBODY, silence_logs=False, memory_limit=0,
            resources=resources,
            security=dask.Security(require_encryption=False),  # nothing of it has a port
            scheduler_kwargs={"allowed_failures": 0, "dashboard_address": NOBODY},
        )  # fmt: skip
    return Cluster(dask.Client(local, set_as_default=False), HERE, local, (folder, lock))
