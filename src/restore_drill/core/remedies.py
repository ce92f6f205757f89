"""What to do about a failure: the remedies of `remedies.toml`, by criterion and cause.

A stage or a command takes the place of the criterion where none speaks: `target`, `snapshot`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from restore_drill.core.calling import COMMAND, DRILL

CATALOGUE = Path(__file__).with_suffix(".toml")


@cache
def catalogue() -> dict[str, dict[str, list[str]]]:
    """Steps by criterion and cause; read at the first failure, which a green drill never sees."""
    return tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))


def remedy_for(criterion: str, cause: str, **names: object) -> list[str]:
    """Steps against the `cause` of a failure of `criterion`, with `names` in their places."""
    steps = catalogue()[criterion][cause]
    return [step.format(drill=DRILL, command=COMMAND, **names) for step in steps]
