"""Settings of a database or a role that a dump holds and a drill does not apply, by their names."""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.statements import pattern

SETTING = pattern(
    rb"(?P<words>ALTER (?:DATABASE|ROLE|USER) <I>(?: IN DATABASE <I>)?"
    rb" SET (?:\"[^\"]*+\"|[\w.]++))",
    re.IGNORECASE,
)
MOST, LONGEST = 10, 150
"""Settings that are named of one kind, and characters of one."""


def setting_words(sql: bytes, codec: str) -> str:
    """The statement `sql` up to its value, which may be secret; empty where it sets nothing."""
    found = SETTING.match(sql)
    return " ".join(found["words"].decode(codec, "replace").split())[:LONGEST] if found else ""


def lines_on_settings(reason: str, left: list[tuple[int, str]]) -> list[str]:
    """A line on each setting in `left`, with the line of the dump: that has its value."""
    lines = [
        f"line {line:,}: {reason}; if you want it after a recovery, run: {words} TO ..."
        for line, words in left[:MOST]
    ]
    more = len(left) - MOST
    return [*lines, f"and {more:,} more settings: {reason}"] if more > 0 else lines
