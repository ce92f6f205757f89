"""The workers of a fleet by Dask distributed: who is there, who does what, who is to end it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, BinaryIO
from uuid import uuid4

from restore_drill import __version__
from restore_drill.fleet.model import Job
from restore_drill.fleet.pool.book import Flight
from restore_drill.fleet.pool.drilling import Drill, attempt
from restore_drill.fleet.pool.leash import interrupt
from restore_drill.fleet.pool.machines import HERE, Machine
from restore_drill.servers.owned import remove_owned

ANSWER = 10.0
"""Seconds for an answer of the scheduler or of a worker."""
CLOSE = 2.0
"""Seconds for a connection to close."""
VERSION = "restore_drill:__version__"
"""What a worker is asked for: by a function of Python, which each has, whatever is installed."""


class Lost(Exception):
    """The scheduler does not answer, or it is another one by now."""


class Cluster:
    """Workers that are reached through the Dask client `client`; `local` is a cluster of our own.

    `refused` says by address why a worker that is there is given nothing.
    """

    def __init__(
        self, client: Any, where: str, local: Any = None, own: tuple[Path, BinaryIO] | None = None
    ) -> None:
        """Take what `open_cluster` has opened; its `own` folder is removed when it is closed."""
        self.client, self.where, self.local, self.own = client, where, local, own
        self.refused: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.there: set[str] = set()
        """Addresses of all workers, also of those that take nothing new."""

    def machines(self) -> list[Machine]:
        """The workers that can be given drills now, by name; raises Lost."""
        self.check()
        try:
            there = self.client.sync(
                self.client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER
            )["workers"]
        except Exception as error:  # noqa: BLE001 - of Dask, of tornado, of the system
            raise Lost(type(error).__name__) from None
        self.there = set(there)
        found = [
            Machine(address, name_of(address, each, is_local=self.local is not None),
                    int(each["nthreads"]), dict(each["resources"]))
            for address, each in there.items() if each.get("status") == "running"
        ]  # fmt: skip
        if self.where not in self.versions:
            self.take_version(self.where, f"scheduler {self.where}", self.scheduler_version())
        if self.where in self.refused:
            return []
        self.compare_versions([each for each in found if each.address not in self.versions])
        good = [each for each in found if self.versions.get(each.address) == __version__]
        return sorted(good, key=lambda each: each.name)

    def compare_versions(self, machines: Sequence[Machine]) -> None:
        """Refuse those of `machines` that have another version of restore-drill, or none."""
        if not machines:
            return
        addresses = [each.address for each in machines]
        found = self.run(resolve_name, VERSION, workers=addresses)
        for each in machines:
            self.take_version(each.address, f"worker {each.name}", found.get(each.address))

    def take_version(self, address: str, what: str, version: object) -> None:
        """Refuse `what` where it has another version than we; one that did not answer waits."""
        known = "none" if isinstance(version, ImportError) else version
        if isinstance(known, str):
            self.versions[address] = known
            if known != __version__:
                self.refused[address] = (
                    f"{what} has restore-drill {known}, and this machine {__version__}"
                )

    def scheduler_version(self) -> object:
        """Version of restore-drill that the scheduler has, which reads what it hands out."""
        try:
            return self.client.sync(
                self.client._run_on_scheduler, resolve_name, VERSION,  # noqa: SLF001 - as in `run`
                callback_timeout=ANSWER,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - of Dask, of tornado, of the system
            return error

    def run(self, function: Callable[..., object], *given: object, workers: list[str]) -> Any:
        """What `function` gives on each of the `workers`, by address; errors are among it."""
        try:
            return self.client.sync(
                self.client._run,  # noqa: SLF001 - `run` by itself waits for ever
                function, *given, workers=workers, on_error="return", callback_timeout=ANSWER,
            )  # fmt: skip
        except Exception:  # noqa: BLE001 - one of them or the scheduler has gone: seen elsewhere
            return {}

    def submit(self, function: Drill, job: Job, number: int, machine: Machine,
               woken: Callable[[], None]) -> Flight:  # fmt: skip
        """Hand the `job` to `machine`, and call `woken` when it has ended; raises Lost.

        That worker alone may run it: when it dies we know, whatever the scheduler allows.
        """
        key = f"drill-{uuid4().hex}"
        try:
            future = self.client.submit(
                attempt, function, job, key=key, workers=[machine.address], pure=False,
                resources=machine.asked(job.needs), retries=0,
            )  # fmt: skip
            future.add_done_callback(lambda _: woken())
        except Exception as error:  # noqa: BLE001 - of Dask, of tornado, of the system
            raise Lost(type(error).__name__) from None
        return Flight(number, machine, key, future)

    def check(self) -> None:
        """Raise Lost where the connection is not what it was."""
        if self.client.status != "running":
            raise Lost(self.client.status)

    def interrupt(self, flights: Sequence[Flight]) -> None:
        """End the drills of these flights: they clean up, and their tasks end then."""
        addresses = list({each.machine.address for each in flights})
        if addresses:
            self.run(interrupt, [each.key for each in flights], workers=addresses)

    def close(self) -> None:
        """Let go of all; what still runs notices that, ends and cleans up. Takes CLOSE and more."""
        for each in filter(None, (self.client, self.local)):
            with suppress(Exception):
                each.close(timeout=CLOSE)
        if self.own is not None:
            folder, lock = self.own
            remove_owned(folder)
            lock.close()


def name_of(address: str, worker: dict[str, Any], *, is_local: bool) -> str:
    """How a worker is called: by its own name where it has one, else by its address."""
    return HERE if is_local else str(worker.get("name") or address)
