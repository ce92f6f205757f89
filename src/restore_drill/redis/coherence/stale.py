"""Keys of the user's own Redis that do not agree with a database that was recovered, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from restore_drill.core.units import show_count
from restore_drill.redis.coherence.found import DIFFERING, LACKING, OTHER, WRONG

VALUES = (DIFFERING, LACKING, WRONG, OTHER)
"""Keys whose value is not that of their row."""


def lines_on_coherence(coherence: Mapping[str, Any] | None) -> Iterator[str]:
    """A line on each rule that does not hold, with the command that removes its keys.

    `coherence` is that part of result.json. The drill removes nothing.
    """
    for each in (coherence or {}).get("live", ()):
        if each["without_key"]:
            rows = show_count(each["without_key"], "restored row")
            yield f"Redis: {rows} of {each['table']} without a key like {each['like']}"
        astray = each["without_row"] + each["misnamed"]
        wrong = sum(each[name] for name in VALUES)
        if not astray + wrong:
            continue
        what = [f"{astray:,} without a row"] * bool(astray)
        what += [f"{wrong:,} with another value than their row"] * bool(wrong)
        remove = f"to remove all keys like {each['pattern']}: {each['remove']}"
        if not each["remove"]:
            remove = f"no command to remove them can be shown: {each['why']}"
        keys = f"{show_count(each['keys'], 'key')} like {each['like']}"
        yield f"Redis: of {keys} {' and '.join(what)} in the restored database; {remove}"
