"""Findings while the drill runs: each shown in a line once, and its whole message at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from restore_drill.core.errors import CHECKED
from restore_drill.core.units import show_count

MOST_ALIKE = 20
"""So many criteria with one message, and messages of one criterion, are shown as they come."""

MOST_DETAILS = 20
"""So many of its lines does a message have on the terminal; reports have the whole."""


def shortened(text: str) -> str:
    """A message for the terminal: what was found and the remedy, the first details between them."""
    lines = text.split("\n")
    begin = next((at for at, line in enumerate(lines) if line.startswith(CHECKED)), len(lines))
    end = begin
    while end < len(lines) and (end == begin or lines[end].startswith(" " * len(CHECKED))):
        end += 1
    shown = lines[begin : min(end, begin + MOST_DETAILS)]
    if (more := end - begin - len(shown)) > 0:
        shown.append(f"{'':{len(CHECKED)}}and {show_count(more, 'line')} more, in the reports")
    return "\n".join([*lines[:begin], *shown, *lines[end:]])


@dataclass
class Findings:
    """What was shown so far: how often each line, and the criteria that have each message.

    `different` counts the lines of each criterion over tables, `left_out` the tables whose
    messages stand in the reports alone.
    """

    shown: Counter[str] = field(default_factory=Counter)
    messages: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    different: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, line: str, text: str, captured: str) -> bool:
        """Note what the criterion `name` has found; whether its `line` is to be shown now.

        `text` is the whole of it, which is kept with what was `captured` where it is more than the
        line. The same message is shown once, for all that have it.
        """
        criterion, bracket, _ = name.partition("[")
        is_new = bool(bracket) and not self.shown[line]
        if is_new and self.different[criterion] == MOST_ALIKE:
            self.left_out[criterion] += 1
            return False
        self.different[criterion] += is_new
        self.shown[line] += 1
        if text != line:
            self.messages[text + captured].append(name)
        return self.shown[line] <= MOST_ALIKE
