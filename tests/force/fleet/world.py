"""All of it: a bucket with the backups, the scheduler, and two machines with a worker each."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from obstore.store import S3Store

from restore_drill.core.errors import CouldNotRun
from restore_drill.fleet.pool.cluster import Lost
from restore_drill.fleet.pool.opening import open_cluster
from tests.force.fleet.databases import AGE_KEY, DUMPS, WRONG, Database
from tests.force.fleet.machines import Machine, Service, scheduler, until
from tests.force.fleet.making import Maker
from tests.force.fleet.network import Network
from tests.helpers.buckets import BUCKET, WRITER, keys_of, put, s3_server, writer

PORT = 8786
HISTORY = "history"
CRITERIA = "[tables]\ncards = { min_rows = 201 }\n"
"""One row more than the shop has."""
TRIES, AT_ONCE = 3, 4


class World:
    """The `databases` in a bucket at `url`, and `a` and `b`, which drill them."""

    def __init__(self, folder: Path, network: Network, url: str, maker: Maker,
                 databases: Sequence[Database]) -> None:  # fmt: skip
        """Put the backups there; nothing is switched on."""
        self.folder, self.network, self.url, self.databases = folder, network, url, databases
        identity = str(maker.identity)
        self.environment = keys_of(url, WRITER) | {
            AGE_KEY: identity, WRONG: "not-it", "DRILL_OFFLINE": "1",
        }  # fmt: skip
        for each in databases:
            for name, data in each.make(maker).items():
                put(url, f"{DUMPS}/{each.name}/{name}", data)
        self.before = self.objects()
        self.scheduler = scheduler(network.host, PORT, folder, self.environment)
        self.machines = {
            name: Machine.make(name, network.join(name), self.address, folder, self.environment)
            for name in "ab"
        }

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return f"tcp://{self.network.host}:{PORT}"

    @property
    def services(self) -> list[Service]:
        """The scheduler and what runs on the machines."""
        return [self.scheduler, *(each.service for each in self.machines.values())]

    def objects(self) -> dict[str, str]:
        """Hash of each object of the bucket, by its key, but for histories."""
        store: S3Store = writer(self.url)
        keys = [each["path"] for page in store.list(prefix=DUMPS) for each in page]
        return {key: hashlib.sha256(store.get(key).bytes()).hexdigest() for key in sorted(keys)}

    def inventory(self, history: str, tries: int = TRIES) -> Path:
        """Write the inventory, whose drills are noted in `history`."""
        (self.folder / "criteria.toml").write_text(CRITERIA)
        lines = [
            "[defaults]",
            f'environment = {{ DRILL_HISTORY = "s3://{BUCKET}/{HISTORY}/{history}" }}',
            *(line for each in self.databases for line in each.inventory()),
            "[run]", f"tries = {tries}", f"at_once = {AT_ONCE}",
        ]  # fmt: skip
        (path := self.folder / "fleet.toml").write_text("\n".join(lines) + "\n")
        return path

    def start(self) -> None:
        """Switch on what is off, mend what was broken, and wait until both workers are there."""
        for each in self.services:
            if each.process is None:
                each.start()
        for name, machine in self.machines.items():
            self.network.heal(name)
            machine.disk.heal()
        assert until(lambda: self.workers() == set(self.machines), 120), "a worker is missing"

    def workers(self) -> set[str]:
        """Names of the workers that the scheduler knows."""
        try:
            cluster = open_cluster(self.address, None, 10.0)
        except CouldNotRun:
            return set()
        try:
            return {each.name for each in cluster.machines()}
        except Lost:
            return set()
        finally:
            cluster.close()

    def left(self) -> list[str]:
        """What drills have left on the machines, once what runs has had time to end."""
        until(lambda: not self.found(), 30)
        return self.found()

    def found(self) -> list[str]:
        """What lies there now."""
        return [line for each in self.machines.values() for line in each.left()]

    def remove(self) -> None:
        """Switch all off, and take it away."""
        for service in self.services:
            service.lose()
        for each in self.machines.values():
            each.disk.remove()


@contextmanager
def new_world(databases: Sequence[Database]) -> Iterator[World]:
    """A world with these databases, which is taken away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="proof-"))
    folder.chmod(0o755)
    network = Network()
    try:
        network.make()
        (folder / "s3").mkdir()
        with s3_server(folder / "s3", network.host) as url:
            maker = Maker(folder / "made")
            try:
                world = World(folder, network, url, maker, databases)
            finally:
                maker.close()
            try:
                yield world
            finally:
                world.remove()
    finally:
        network.remove()
        shutil.rmtree(folder, ignore_errors=True)
