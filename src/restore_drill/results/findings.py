"""Findings while the drill runs: each told in a line once, and its whole story at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

MOST_ALIKE = 20
"""So many criteria with the same message are told as they fail; the banner names all."""


@dataclass
class Findings:
    """What was told so far: how often each line, and the criteria that tell each story."""

    told: Counter[str] = field(default_factory=Counter)
    stories: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, name: str, line: str, text: str, captured: str) -> bool:
        """Note what the criterion `name` has found; whether its `line` is to be told now.

        `text` is the whole of it, which is kept with what was `captured` where it is more than the
        line. The same story is told once, for all that tell it.
        """
        self.told[line] += 1
        if text != line:
            self.stories[text + captured].append(name)
        return self.told[line] <= MOST_ALIKE
