"""One case, from a new live database to the comparison at its end."""

from __future__ import annotations

import random
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.force.application import Application
from tests.force.cases import Case
from tests.force.clock import with_clock
from tests.force.injections import CLOCK, Scene
from tests.force.judge import damage, lies, state_of
from tests.force.left import LeftOver, left_over
from tests.force.moments import await_moment
from tests.force.promoted import promote
from tests.force.recovery import Recovery
from tests.force.running import Running, drill_command, other_command
from tests.force.world import World


@dataclass
class Result:
    """What a case came to; `lost`, `silent` and `lies` must be empty."""

    number: int
    name: str
    way: str
    injection: str
    reached: bool = False
    code: int = 0
    state: str = ""
    left: list[str] = field(default_factory=list)
    is_cleaned: bool = True
    writes: int = 0
    lost: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    seconds: float = 0.0
    output: str = ""

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words."""
        return [*self.lost, *self.silent, *self.lies]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON, with everything that was written."""
        return asdict(self)


def run_case(world: World, case: Case, seed: int) -> Result:
    """Carry out `case`."""
    chance = random.Random(f"{seed} {case.name} {case.number}")  # noqa: S311 - times, no secrets
    began = time.monotonic()
    result = Result(case.number, case.name, case.way.name, case.injection.name)
    name = world.make_live()
    number = state_of(world, name, 0).numbers[name]
    application = Application(world.server, name)
    try:
        await_writes(application, result)
        if case.way.name == "rollback":
            promote(world, name)
        before = state_of(world, name, number)
        # Only a superuser's drill keeps out what connects again and again; others refuse to reset.
        is_stopped = case.way.name == "in place" and not case.is_superuser and chance.random() < 0.8
        with application.paused() if is_stopped else nullcontext():
            running = inject(world, case, name, chance, result)
        world.heal()
        after = state_of(world, name, number)
        result.code, result.state, result.output = (
            running.process.returncode,
            after.what,
            running.output,
        )
        result.lies += lies(running, before, after, case.way.name)
        found = left_over(world, name)
        result.left = [each.what for each in found]
        result.silent += kept_to_itself(running, found)
        recovery = Recovery(world, case, name, number, chance)
        recovery.run(running, found)
        result.silent += recovery.silent
        result.lies += recovery.lies
        result.is_cleaned = recovery.is_cleaned
        result.output += recovery.output
        await_writes(application, result)
    finally:
        application.stop()
    result.writes = application.count
    result.lost += damage(world, name, before, state_of(world, name, number), application)
    world.clear()
    result.seconds = round(time.monotonic() - began, 1)
    return result


def inject(world: World, case: Case, name: str, chance: random.Random, result: Result) -> Running:
    """Run the command, and do the fault in the middle; gives the command when it has ended."""
    environment = world.environment(name, "postgres" if case.is_superuser else "drill")
    if case.injection in CLOCK:
        environment = with_clock(world, environment)
    options = [each.replace("{name}", name) for each in case.way.options]
    command = drill_command(world.folder / "report", *options)
    if case.way.name == "rollback":
        command = other_command("rollback", f"--confirm={name}")
    running = Running(command, environment)
    scene = Scene(world, name, running, chance, [])
    result.reached = await_moment(case.moment, world, name, running, chance)
    if result.reached:
        case.injection.do(scene)
    running.wait()
    for other in scene.others:
        other.wait()
        result.lies += [
            f"another drill: exit code {other.process.returncode}, hung"
        ] * other.has_hung
    return running


def kept_to_itself(running: Running, found: list[LeftOver]) -> list[str]:
    """What a command that was not killed has left and not named.

    A journal that could not be closed is settled, and named, by the next run.
    """
    if running.is_killed:
        return []
    return [
        f"{each.what} is left, and the command does not name it"
        for each in found
        if each.kind != "journal" and each.mark not in running.output
    ]


def await_writes(application: Application, result: Result) -> None:
    """The application has to be able to write: now, or soon."""
    wanted, deadline = application.count + 4, time.monotonic() + 20
    while application.count < wanted:
        if time.monotonic() > deadline:
            result.lost.append("the application cannot write any more")
            return
        time.sleep(0.01)
