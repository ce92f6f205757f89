"""After a fault: what the next run names, and what one command takes away."""

from __future__ import annotations

import random
import re
import shlex
import time
from collections.abc import Sequence

from tests.force.cases import Case
from tests.force.judge import SWAPPED, UNTOUCHED, state_of
from tests.force.left import LeftOver, left_over
from tests.force.running import Running, drill_command, other_command, run
from tests.force.world import World

TRIES = 3
"""How often the way back is tried: a repetition has to be enough."""
BY_DRILL, WAY_BACK = 0.3, 0.3
"""Part of the cases in which the next drill cleans, and in which a promotion is undone."""
COMMAND = re.compile(r"\brollback (\S+ --confirm-reset \S+|--confirm \S+ --journal \S+)")


class Recovery:
    """What is done after a case, by its outputs alone; `number` is that of the old database."""

    def __init__(
        self, world: World, case: Case, name: str, number: int, chance: random.Random
    ) -> None:
        """Nothing is done yet."""
        self.world, self.case, self.name, self.number = world, case, name, number
        self.chance = chance
        self.environment = world.environment(name, "postgres" if case.is_superuser else "drill")
        self.outputs: list[str] = []
        self.silent: list[str] = []
        self.lies: list[str] = []
        self.is_cleaned = True

    @property
    def output(self) -> str:
        """Everything that the commands have written."""
        return "".join(f"\n---- then: {each}" for each in self.outputs)

    def run(self, running: Running, found: Sequence[LeftOver]) -> None:
        """Do what has to be done, and look at what is left then."""
        if self.case.way.name == "rollback":
            self.repeat_way_back()
        if any("journal reset_" in each.what for each in found):
            self.roll_back_snapshot()
        elif found or self.chance.random() < 1 / 5:
            self.clean()
        named = "\n".join(self.outputs)
        self.silent += [
            f"{each.what} is left, and the next run does not name it"
            for each in found
            if each.mark not in named
        ]
        if self.case.way.name == "promote" and self.chance.random() < WAY_BACK:
            self.undo(running)
        if rest := left_over(self.world, self.name):
            self.is_cleaned = False
            self.silent += [f"{each.what} is still left" for each in rest]

    def do(self, command: list[str]) -> Running:
        """Run a command, and keep its output."""
        done = run(command, self.environment)
        self.outputs.append(f"{shlex.join(command[1:])}\n{done.output}")
        return done

    def clean(self) -> None:
        """Clean, by the command or by the next drill."""
        if self.chance.random() < BY_DRILL:
            done = self.do(drill_command(self.world.folder / "report"))
        else:
            done = self.do(other_command("clean"))
        if done.process.returncode != 0:
            self.lies.append(f"the next run has the exit code {done.process.returncode}")

    def repeat_way_back(self) -> None:
        """Run the way back until the old database has its name again."""
        for _ in range(TRIES):
            if self.what == UNTOUCHED:
                return
            self.do(other_command("rollback", f"--confirm={self.name}"))
            time.sleep(0.1)
        if self.what != UNTOUCHED:
            self.lies.append(f"the way back, repeated, does not lead back ({self.what})")

    def roll_back_snapshot(self) -> None:
        """Clean, and run the command that is named where the database was reset."""
        done = self.do(other_command("clean"))
        if COMMAND.search(done.output):
            self.obey(done.output, "")

    def undo(self, running: Running) -> None:
        """Where it was promoted: run the way back that is printed."""
        if self.what == SWAPPED:
            self.obey(running.output + self.output, "no way back is printed")
            if self.what != UNTOUCHED:
                self.lies.append(f"the way back does not lead back ({self.what})")

    def obey(self, output: str, otherwise: str) -> None:
        """Run the command in `output` that goes back."""
        if not (found := COMMAND.search(output)):
            self.lies.append(otherwise)
            return
        done = self.do(other_command("rollback", *shlex.split(found[1])))
        if done.process.returncode != 0:
            self.lies.append(f"the way back has the exit code {done.process.returncode}")

    @property
    def what(self) -> str:
        """What the live database is now."""
        return state_of(self.world, self.name, self.number).what
