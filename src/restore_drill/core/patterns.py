"""Regular expressions that most drills never use: compiled when they are first used."""

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
