"""The settings that the drill of a database has, before it is a process of its own."""

from __future__ import annotations

import os
from pathlib import Path

from restore_drill.config.environment import ENVIRONMENT, Layer
from restore_drill.config.given import gather, texts_of
from restore_drill.config.options import OPTIONS
from restore_drill.config.settings import Settings, check
from restore_drill.core.calling import SUITE
from restore_drill.fleet.jobs import environment_of, inherited
from restore_drill.fleet.model import Database


def settings_of(database: Database) -> Settings:
    """The settings that the drill of `database` would have here. Raises UsageError."""
    options: dict[str, str | None] = dict.fromkeys(OPTIONS)
    by_flag = {flag: option for option in OPTIONS.values() for flag in option.flags}
    for word in database.options:
        flag, _, text = word.partition("=")
        options[by_flag[flag].name] = "yes" if by_flag[flag].is_flag else text
    options |= {"target": database.target, "series": database.series or options["series"]}
    options |= database.budgets
    environment = inherited(os.environ) | environment_of(database)
    given = texts_of(gather(options, [Layer(ENVIRONMENT, environment)]))
    return check(given, database.rules, here=Path.cwd(), root=SUITE)
