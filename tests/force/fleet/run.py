"""Runs a fleet, injects one fault, and judges what came of it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.force.fleet.databases import PASSED
from tests.force.fleet.injections import NOTHING, Injection
from tests.force.fleet.judge import in_history, judged, noted_in, unsure
from tests.force.fleet.machines import PYTHON, until
from tests.force.fleet.world import World
from tests.helpers.fleet_runs import called

LIMIT = 1800
"""Seconds after which a run is given up."""


@dataclass
class Result:
    """What one run came to; `moment` is how many verdicts there were at the fault, -1: none."""

    injection: str
    databases: int = 0
    moment: int = -1
    tried_again: int = 0
    wrong: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left_at_once: int = 0
    seconds: float = 0.0
    output: str = ""

    @property
    def faults(self) -> list[str]:
        """All that is not as it must be."""
        return [*self.wrong, *self.left, *self.changed]

    def as_json(self) -> dict[str, Any]:
        """For a file of results."""
        return asdict(self)


class Run:
    """The command `fleet run`, in a process of its own."""

    def __init__(self, world: World, report: Path, *arguments: str) -> None:
        """Start it."""
        self.report, self.log = report, report.with_suffix(".log")
        command = ["-m", "drill", "fleet", "run", "--scheduler", world.address, *arguments]
        environment = called(world.folder, **world.environment, **PYTHON)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, "--report-dir", str(report)],
                cwd=world.folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text(errors="replace")

    @property
    def verdicts(self) -> int:
        """How many databases it has told of."""
        words = ("PASSED ", "FAILED ", "COULD NOT RUN ", "NOT BEGUN ")
        return sum(line.startswith(words) for line in self.output.splitlines())

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def end(self) -> int:
        """Wait for its end; its exit code."""
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def run_one(world: World, injection: Injection, number: int, seed: int) -> Result:
    """The run `number` of this world, with one fault at a moment that `seed` chooses."""
    chance = random.Random(f"{seed} {injection.name}")  # noqa: S311 - moments, no secrets
    history, began = f"run-{number}", time.monotonic()
    result = Result(injection.name, len(world.databases))
    world.inventory(history)
    world.start()
    run = Run(world, world.folder / history)
    try:
        inject(world, run, injection, chance, result)
        code = run.end()
    finally:
        run.process.kill()
    result.output, result.seconds = run.output, time.monotonic() - began
    result.wrong = list(judged(run.report, run.output, code, world.databases))
    noted = noted_in(world.url, history)
    result.wrong += in_history(noted, world.databases)
    result.unsure = list(unsure(noted, world.databases))
    result.tried_again = tried_again(run.report)
    result.left_at_once = len(world.found())
    if injection is not NOTHING:
        world.start()
        result.wrong += next_run(world, number)
    result.left = world.left()
    now = world.objects()
    keys = {*world.before, *now}
    result.changed = [f"changed in the bucket: {key}" for key in sorted(keys)
                      if world.before.get(key) != now.get(key)]  # fmt: skip
    return result


def inject(
    world: World, run: Run, injection: Injection, chance: random.Random, result: Result
) -> None:
    """Wait until so many have their verdict and a drill runs on the victim; then do it."""
    if injection is NOTHING:
        return
    name, machines = chance.choice(sorted(world.machines)), world.machines
    moment = chance.randrange(len(world.databases) // 2)
    until(lambda: run.is_over or run.verdicts >= moment, LIMIT)
    until(lambda: run.is_over or machines[name].is_drilling, LIMIT)
    time.sleep(chance.random() * 3)
    if not run.is_over:
        result.moment = run.verdicts
        injection.act(world, name)


def next_run(world: World, number: int) -> list[str]:
    """What is wrong with a run of two healthy databases, one on each machine, after the fault."""
    healthy = [each for each in world.databases if each.right == PASSED][:2]
    world.inventory(f"run-{number}-next")
    run = Run(world, world.folder / f"next-{number}", "--only", *(each.name for each in healthy))
    code = run.end()
    wrong = list(judged(run.report, run.output, code, healthy))
    idle = set(world.machines) - {str(each["worker"]) for each in databases_in(run.report)}
    wrong += [f"nothing was drilled on machine {name}" for name in sorted(idle)]
    return [f"the next run: {each}" for each in wrong]


def tried_again(report: Path) -> int:
    """How many databases were tried more than once."""
    return sum(each["tries"] > 1 for each in databases_in(report))


def databases_in(report: Path) -> list[dict[str, Any]]:
    """What fleet.json in the folder `report` has of each database; nothing where there is none."""
    try:
        return list(json.loads((report / "fleet.json").read_text())["databases"])
    except (OSError, ValueError):
        return []
