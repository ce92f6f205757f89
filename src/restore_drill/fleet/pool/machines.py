"""The workers of a fleet, what they have, and which drills fit on them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from restore_drill.core.units import show_bytes, show_count
from restore_drill.fleet.model import Needs
from restore_drill.servers.bounds import SPARED
from restore_drill.servers.cleanup import bases
from restore_drill.servers.place import available_memory

HERE = "this machine"
"""Name of the worker that a run without a scheduler has."""


@dataclass(frozen=True)
class Machine:
    """A worker at `address`: it runs `threads` drills at once, within its `resources`.

    Those are bytes of `disk` and `memory`, and `cores`; one that it says nothing of is not counted.
    """

    address: str
    name: str
    threads: int
    resources: Mapping[str, float]

    def asked(self, needs: Needs) -> dict[str, float]:
        """What a drill with `needs` takes of the resources that it counts."""
        return {name: number for name, number in numbers(needs).items() if name in self.resources}

    def has_room(self, needs: Needs, running: Sequence[Needs] = ()) -> bool:
        """Whether a drill with `needs` fits beside those that are `running` on it."""
        if len(running) >= self.threads:
            return False
        taken = [self.asked(each) for each in running]
        return all(
            number + sum(each[name] for each in taken) <= self.resources[name]
            for name, number in self.asked(needs).items()
        )


def numbers(needs: Needs) -> dict[str, float]:
    """Bytes of disk and memory, and cores, by their names."""
    return {"disk": needs.disk or 0, "memory": needs.memory or 0, "cores": needs.cores or 0}


def fits_nowhere(needs: Needs, machines: Iterable[Machine]) -> str:
    """Why no worker can ever run a drill with `needs`, by numbers; empty where one can."""
    there = list(machines)
    if any(each.has_room(needs) for each in there):
        return ""
    if not there:
        return "there is no worker"
    lacking = {
        each.name: [name for name, number in each.asked(needs).items()
                    if number > each.resources[name]]
        for each in there
    }  # fmt: skip
    # The one that lacks least, and of those the one that has most.
    largest = min(
        there,
        key=lambda each: (len(lacking[each.name]), -min(
            (each.resources[name] for name in lacking[each.name]), default=0)),
    )  # fmt: skip
    has = in_words({name: largest.resources[name] for name in largest.asked(needs)})
    return (
        f"it fits on no worker: it needs {in_words(numbers(needs))}; the largest worker "
        f"({largest.name}) has {has}"
    )


def in_words(found: Mapping[str, float]) -> str:
    """`3.0 GB of disk, 812 MB of memory, 2 cores`."""
    words = [
        show_count(int(number), "core") if name == "cores" else f"{show_bytes(number)} of {name}"
        for name, number in found.items()
    ]
    return ", ".join(words)


def this_machine(workers: int | None) -> tuple[int, dict[str, float]]:
    """How many drills run here at once, and what they share; as many as `workers`, or as cores.

    The disk is the one that servers live on, of which a part is spared as each drill does.
    """
    cores = own_cores()
    many = workers or cores
    disk = shutil.disk_usage(bases()[0]).free * (1 - SPARED)
    return many, {"disk": disk, "memory": available_memory(), "cores": max(cores, many)}


def own_cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
