"""What was found: facts in groups, each with what to do, and what a drill would not check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from restore_drill.core.errors import DrillError


class Fact(NamedTuple):
    """One fact: `kind` is that of a step line (`ok`, `note`, `warn`, `bad`).

    One that `stops` a drill keeps it from restoring and verifying the backup. `kin` is shared by
    facts of which people are shown the first ones; `is_plan` says that it is what a drill would do
    or use, `is_usage` that a drill would refuse it as an error of the user's (exit code 4).
    """

    kind: str
    text: str
    checked: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    stops: bool = False
    kin: str = ""
    is_plan: bool = False
    is_usage: bool = False


class Open(NamedTuple):
    """What a drill would not check, why, and what to do to get it checked."""

    what: str
    why: str
    todo: tuple[str, ...] = ()


@dataclass
class Group:
    """Facts about one thing; `name` is what machines call it."""

    name: str
    title: str
    facts: list[Fact] = field(default_factory=list)

    def ok(self, text: str, *, plan: bool = False) -> None:
        """As it should be; with `plan` it is what a drill would do or use."""
        self.facts.append(Fact("ok", text, is_plan=plan))

    def note(self, text: str) -> None:
        """Good to know."""
        self.facts.append(Fact("note", text))

    def warn(self, text: str, *todo: str) -> None:
        """To be known before a drill: it runs nevertheless."""
        self.facts.append(Fact("warn", text, (), todo))

    def plans(self, text: str) -> None:
        """Good to know, and part of what a drill would do."""
        self.facts.append(Fact("note", text, is_plan=True))

    def one_of(self, kin: str, text: str, *todo: str) -> None:
        """One of many that are to be known."""
        self.facts.append(Fact("warn", text, (), todo, kin=kin))

    def bad(self, text: str, *todo: str, stops: bool = True, kin: str = "") -> None:
        """What keeps a drill from running, or with `stops` off from passing."""
        self.facts.append(Fact("bad", text, (), todo, stops, kin))

    def refuse(self, text: str, *todo: str) -> None:
        """What a drill refuses as an error in options, environment or criteria file."""
        self.facts.append(Fact("bad", text, (), todo, stops=True, is_usage=True))

    def error(self, error: DrillError, *, stops: bool = True) -> None:
        """What the drill itself would report."""
        found = (tuple(error.checked), tuple(error.remedy))
        self.facts.append(Fact("bad", error.what, *found, stops))
