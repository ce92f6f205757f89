"""What happens to the fleet in the middle of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.force.fleet.world import World

UNNOTICED = 4.0
"""Seconds without network after which Dask has noticed nothing yet."""
NOTICED = 50.0
"""Seconds after which it surely has: its limit for a connection is 30."""
FULL = 20.0
"""Seconds for which a disk is full."""
NANNY, WORKER = "distributed.cli.dask_worker", "spawn_main"
SCHEDULER = "distributed.cli.dask_scheduler"


@dataclass(frozen=True)
class Injection:
    """A fault: `act` does it to the world, and to the machine of the given name."""

    name: str
    act: Callable[[World, str], None]


def worker_killed(world: World, name: str) -> None:
    """As the kernel does where memory runs out: Dask's nanny starts another one."""
    world.machines[name].service.kill(WORKER)


def both_killed(world: World, name: str) -> None:
    """Nanny and worker: the service manager starts them anew."""
    service = world.machines[name].service
    service.kill(NANNY)
    service.kill(WORKER)


def machine_lost(world: World, name: str) -> None:
    """Its power is cut, and comes back: nothing of it had time to clean up."""
    service = world.machines[name].service
    service.lose()
    time.sleep(5)
    service.start()


def scheduler_killed(world: World, _: str) -> None:
    """It is started again."""
    world.scheduler.kill(SCHEDULER)


def all_killed(world: World, name: str) -> None:
    """The scheduler and a machine at the same time."""
    world.scheduler.kill(SCHEDULER)
    machine_lost(world, name)


def cut(seconds: float) -> Callable[[World, str], None]:
    """The cable of a machine is pulled out for so long."""

    def act(world: World, name: str) -> None:
        world.network.cut(name)
        time.sleep(seconds)
        world.network.heal(name)

    return act


def disk_full(world: World, name: str) -> None:
    """Not a byte more fits on the disk of a machine, for a while."""
    disk = world.machines[name].disk
    until = time.monotonic() + FULL
    while time.monotonic() < until:
        disk.fill()  # what a drill cleans up makes room
        time.sleep(0.1)
    disk.heal()


def disk_stays_full(world: World, name: str) -> None:
    """Likewise, until the run has ended."""
    world.machines[name].disk.fill()


NOTHING = Injection("no fault", lambda *_: None)
QUICK = Injection("machine lost", machine_lost)
"""What every run of the tests injects."""
ALL = (
    NOTHING,
    Injection("worker killed", worker_killed),
    Injection("nanny and worker killed", both_killed),
    QUICK,
    Injection("scheduler killed", scheduler_killed),
    Injection("scheduler killed and machine lost", all_killed),
    Injection(f"network cut for {UNNOTICED:.0f} s", cut(UNNOTICED)),
    Injection(f"network cut for {NOTICED:.0f} s", cut(NOTICED)),
    Injection(f"disk full for {FULL:.0f} s", disk_full),
    Injection("disk full", disk_stays_full),
)
