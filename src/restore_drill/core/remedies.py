"""What to do about a failure: the remedies of `remedies.toml`, by criterion and cause.

A stage or a command takes the place of the criterion where there is none: `target`, `snapshot`.
Causes share steps: a step `@criterion.cause` stands for those of that cause. `{name:sql}` is a name
as an SQL identifier, `{name:text}` an SQL literal, `{name:shell}` a word of the shell,
`{name:toml}` a string of a criteria file. The step `@older` stands for what to drill in place of a
backup that fails, which only a drill knows.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from shlex import quote
from string import Formatter

from restore_drill.core.calling import COMMAND, DRILL

QUOTED: dict[str, Callable[[str], str]] = {
    "sql": lambda name: '"' + name.replace('"', '""') + '"',
    "text": lambda text: "'" + text.replace("'", "''") + "'",
    "shell": quote,
    "toml": partial(json.dumps, ensure_ascii=False),
}
CATALOGUE = Path(__file__).with_suffix(".toml")
OLDER = "@older"
Steps = Callable[[], list[str]]
in_use: list[Steps] = []
"""What gives the steps of `@older` in this process, if anything does."""


def use_older(steps: Steps | None) -> None:
    """Have `steps` give what `@older` stands for; they are asked at the first failure."""
    in_use[:] = [cache(steps)] if steps else []


def older_steps() -> list[str]:
    """What to drill in place of a backup that fails; they may ask for remedies themselves."""
    known = in_use.copy()
    in_use.clear()
    try:
        return known[0]() if known else remedy_for("older", "unknown")
    finally:
        in_use[:] = known


@cache
def catalogue() -> dict[str, dict[str, list[str]]]:
    """Steps by criterion and cause; read at the first failure, which a green drill never sees."""
    written = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))

    def steps_of(step: str) -> list[str]:
        if step == OLDER or not step.startswith("@"):
            return [step]
        criterion, cause = step[1:].split(".")
        return [each for shared in written[criterion][cause] for each in steps_of(shared)]

    return {
        criterion: {
            cause: [each for step in steps for each in steps_of(step)]
            for cause, steps in causes.items()
        }
        for criterion, causes in written.items()
    }


def remedy_for(criterion: str, cause: str, **names: object) -> list[str]:
    """Steps for the `cause` of a failure of `criterion`, with `names` filled in."""
    found: list[str] = []
    for step in catalogue()[criterion][cause]:
        filled = Quoting().format(step, drill=DRILL, command=COMMAND, **names)
        found += older_steps() if step == OLDER else [filled]
    return found


class Quoting(Formatter):
    """Fills in names, quoted where a step asks for that."""

    def format_field(self, value: object, format_spec: str) -> str:
        """`value` quoted for what `format_spec` names."""
        quoted = QUOTED.get(format_spec)
        return quoted(str(value)) if quoted else str(super().format_field(value, format_spec))
