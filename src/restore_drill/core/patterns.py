"""Regular expressions that most drills never use: compiled when they are first used.

Python before 3.11.5 (Debian 12 has 3.11.2) reads on from where the last repetition of a possessive
group broke off, and so swallows what it had read of it (gh-106052): whole statements were missing.
`|(?!)` as the last alternative of such a group takes it back to where that repetition began;
`tests/house/test_patterns.py` asks for it wherever a repetition may break off in its midst.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, AnyStr, Generic, cast


class Late(Generic[AnyStr]):
    """Stands for the compiled pattern of `text`, and has its attributes."""

    def __init__(self, text: AnyStr, flags: int) -> None:
        """Only remember what is to be compiled."""
        self.text: AnyStr = text
        self.flags = flags

    @cached_property
    def compiled(self) -> re.Pattern[AnyStr]:
        """The pattern itself."""
        return re.compile(self.text, self.flags)

    def __getattr__(self, name: str) -> Any:
        """The pattern's own attribute, which is found without this way from now on."""
        found = getattr(self.compiled, name)
        setattr(self, name, found)
        return found


def late(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Pattern of `text`; to compile all of them took 15 ms of every start."""
    return cast("re.Pattern[AnyStr]", Late(text, flags))
