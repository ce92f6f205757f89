"""What to do about a failure: the remedies of `remedies.toml`, by criterion and cause.

A stage or a command takes the place of the criterion where there is none: `target`, `snapshot`.
Causes share steps: a step `@criterion.cause` stands for those of that cause. `{name:sql}` is a name
as an SQL identifier, `{name:text}` an SQL literal, `{name:shell}` a word of the shell.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from shlex import quote
from string import Formatter

from restore_drill.core.calling import COMMAND, DRILL

QUOTED = {
    "sql": lambda name: '"' + name.replace('"', '""') + '"',
    "text": lambda text: "'" + text.replace("'", "''") + "'",
    "shell": quote,
}
CATALOGUE = Path(__file__).with_suffix(".toml")


@cache
def catalogue() -> dict[str, dict[str, list[str]]]:
    """Steps by criterion and cause; read at the first failure, which a green drill never sees."""
    written = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))

    def steps_of(step: str) -> list[str]:
        if not step.startswith("@"):
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
    steps = catalogue()[criterion][cause]
    return [Quoting().format(step, drill=DRILL, command=COMMAND, **names) for step in steps]


class Quoting(Formatter):
    """Fills in names, quoted where a step asks for that."""

    def format_field(self, value: object, format_spec: str) -> str:
        """`value` quoted for what `format_spec` names."""
        quoted = QUOTED.get(format_spec)
        return quoted(str(value)) if quoted else str(super().format_field(value, format_spec))
