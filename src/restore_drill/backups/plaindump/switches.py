"""What a dump itself leaves disabled or NOT VALID, since it was so in the source."""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.names import NAME, QUALIFIED, dotted, full_name
from restore_drill.core.names import part_of

SWITCH = re.compile(
    rb"ALTER (?:FOREIGN )?TABLE (?:ONLY )?(" + QUALIFIED + rb")\s+"
    rb"(DISABLE|ENABLE REPLICA|ENABLE ALWAYS|ENABLE) (TRIGGER|RULE) (" + NAME + rb")\s*;$",
    re.IGNORECASE,
)
EVENT_SWITCH = re.compile(
    rb"ALTER (EVENT TRIGGER) (" + NAME + rb") (DISABLE|ENABLE REPLICA|ENABLE ALWAYS|ENABLE)\s*;$",
    re.IGNORECASE,
)
ADDED = re.compile(
    rb"ALTER (?:(?:FOREIGN )?TABLE (?:ONLY )?|DOMAIN )(" + QUALIFIED + rb")\s+"
    rb"(ADD|VALIDATE) CONSTRAINT (" + NAME + rb")",
    re.IGNORECASE,
)
NOT_VALID = b"NOT VALID;"
EVERY = (b"ALL", b"USER")
"""Words for all triggers of a table: data is loaded between two such statements."""
OFF = (b"DISABLE", b"ENABLE REPLICA")


class Switches:
    """Follows the statements of a dump.

    `off` holds `TRIGGER schema.table.name`, `RULE schema.table.name` and `EVENT TRIGGER name` of
    what is off when they all have run, or works only on a replica; `not_valid` the constraints that
    are NOT VALID then, as `schema.table: name` or `schema.domain: name`.
    """

    def __init__(self) -> None:
        """Start with everything on."""
        self.off: set[str] = set()
        self.not_valid: set[str] = set()

    def note(self, sql: bytes) -> None:
        """Take in one ALTER statement."""
        if added := ADDED.match(sql):
            self.note_constraint(*added.groups(), is_valid=not sql.rstrip().endswith(NOT_VALID))
            return
        switch = SWITCH.match(sql)
        event = EVENT_SWITCH.match(sql)
        if switch and switch.group(4).upper() not in EVERY:
            table, state, kind, name = switch.groups()
            of_switch = f"{full_name(table)}.{part_of(dotted(name))}"
            self.put(f"{kind.decode().upper()} {of_switch}", state)
        elif event:
            kind, name, state = event.groups()
            self.put(f"{kind.decode().upper()} {dotted(name)}", state)

    def note_constraint(self, holder: bytes, way: bytes, name: bytes, *, is_valid: bool) -> None:
        """Note that a constraint was added or validated."""
        key = f"{full_name(holder)}: {dotted(name)}"
        if is_valid or way.upper() == b"VALIDATE":
            self.not_valid.discard(key)
        else:
            self.not_valid.add(key)

    def put(self, key: str, state: bytes) -> None:
        """Note that `key` is in `state` now."""
        (self.off.add if state.upper() in OFF else self.off.discard)(key)
