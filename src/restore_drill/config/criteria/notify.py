"""`[notify]` of the criteria file: of which ends of a drill people hear, and on which channels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from restore_drill.config.criteria.kinds import Names, Schema, Text
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.sections import Key, Section

EVENTS = ("failed", "could-not-run", "recovered", "missed", "passed")
"""What people may hear of: a red drill, the pass after it, a drill that did not come, any pass."""

VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


@dataclass(frozen=True)
class Notify:
    """The events that are sent, and the names of the variables that hold the channels' URLs.

    `name` is what messages and issues call the database; empty: the series of its backups.
    """

    events: tuple[str, ...] = EVENTS[:-1]
    channels: tuple[str, ...] = ()
    name: str = ""


class Events(Names):
    """A list of EVENTS."""

    def read(self, place: Place, value: Any) -> Any:
        """The events."""
        events = super().read(place, value)
        for each in events:
            if each not in EVENTS:
                raise place.error(f"{each!r} is not an event; choose from {', '.join(EVENTS)}")
        return tuple(events)

    def schema(self) -> Schema:
        """A list of them."""
        return {"type": "array", "items": {"enum": list(EVENTS)}}


class Variables(Names):
    """A list of names of environment variables; what is none may be a URL, and is not repeated."""

    def read(self, place: Place, value: Any) -> Any:
        """The names."""
        names = super().read(place, value)
        if not all(re.fullmatch(VARIABLE, each) for each in names):
            raise place.error(
                f"{place.name} must be a list of {self.of} (not shown: a channel's URL is a "
                "secret); put the URL into a variable, and name that"
            )
        return tuple(names)

    def schema(self) -> Schema:
        """A list of names."""
        return {"type": "array", "items": {"type": "string", "pattern": f"^{VARIABLE}$"}}


NOTIFY = Section(
    {
        "events": Key(
            Events("events"),
            "what is sent (default: all but passed): " + ", ".join(EVENTS),
        ),
        "channels": Key(
            Variables("names of environment variables"),
            "names of variables with apprise URLs, beside DRILL_NOTIFY",
        ),
        "name": Key(
            Text("a name"), "what messages call the database (default: the backups' series)"
        ),
    },
    "[notify]",
    build=lambda _place, values: Notify(**values),
)
