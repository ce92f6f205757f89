"""The user's own Redis against the rows of a database that is recovered: what would have to go.

Nothing is deleted: the command that removes the keys of a rule is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from restore_drill.config.criteria import Rule
from restore_drill.redis.cached import together
from restore_drill.redis.coherence.found import Found
from restore_drill.redis.coherence.reading import Limits
from restore_drill.redis.coherence.template import glob_of
from restore_drill.redis.connection import Server
from restore_drill.redis.removal import removal

SHARED = Limits(keys=20_000_000, size=1_000_000_000)
"""What the server of a database that others use, too, is given at most."""
LIMITS = replace(SHARED, seconds=60.0)
"""What the user's own Redis is asked for at most while a database is recovered."""
OTHERS = "{} also matches keys that the rule leaves out (except)"


def live_part(found: Found, servers: Sequence[Server]) -> dict[str, Any]:
    """Part `live` of result.json: what a rule has found, and the command that removes its keys."""
    pattern = glob_of(found.rule).decode()
    found.redis = f"your own Redis, {', '.join(server.where for server in servers)}"
    if found.rule.but:
        command: dict[str, str | None] = {"remove": None, "why": OTHERS.format(pattern)}
    else:
        command = together([removal(each, pattern, found.rule.database) for each in servers])
    return found.as_json() | {"pattern": pattern} | command


def what_is_asked(rule: Rule) -> str:
    """What is not known where a rule is not compared with the user's own Redis."""
    return f"whether keys like {rule.keys} in your own Redis agree with the restored rows"
