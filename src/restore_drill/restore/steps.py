"""Work of a split restore: entries as they stand, and keys in two steps with the same end.

Where a step of our own fails, the dump's own statement runs: its error is the one to report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from restore_drill.backups.plaindump.entries import DEFERRABLE, STATISTICS_DATA
from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.names import schema_prefix
from restore_drill.backups.plaindump.statements import STATISTICS, is_definition
from restore_drill.restore.session import Session

Settings = Mapping[bytes, bytes]


class PutOff:
    """Statements that run once all indexes and keys are there, with the settings of their place."""

    def __init__(self) -> None:
        """Start with none."""
        self.waiting: list[tuple[Settings, Statement]] = []

    def add(self, settings: Settings, statements: Iterable[Statement]) -> None:
        """Put off `statements`."""
        self.waiting += [(settings, statement) for statement in statements]

    def take(self, kind: str, statements: Sequence[Statement], settings: Settings) -> bool:
        """Put off an entry of a kind that indexes and keys neither need nor change; else False."""
        if kind == STATISTICS_DATA:
            may_wait = all(STATISTICS.match(each.sql) for each in statements)
        else:
            may_wait = kind in DEFERRABLE and all(map(is_definition, statements))
        if may_wait:
            self.add(settings, statements)
        return may_wait

    def carry_out(self, session: Session) -> None:
        """Run all on `session`."""
        waiting, self.waiting = self.waiting, []
        for settings, statement in waiting:
            session.apply(settings)
            session.execute(statement)


def in_turn(statements: Iterable[Statement], settings: Settings) -> Callable[[Session], None]:
    """Work that runs `statements` one after the other."""

    def work(session: Session) -> None:
        session.apply(settings)
        for statement in statements:
            session.execute(statement)

    return work


class KeyInSteps:
    """A primary key or unique constraint: an index built first, then added USING INDEX."""

    def __init__(self, statement: Statement, key: re.Match[bytes], settings: Settings) -> None:
        """Key of `statement`, which matched `statements.CONSTRAINT` as `key`."""
        self.statement, self.settings = statement, settings
        name, table = key["name"], key["table"]
        unique = b"CREATE UNIQUE INDEX " + name + b" ON ONLY " + table
        self.create = unique + b" USING btree " + key["columns"]
        add = b"ALTER TABLE ONLY " + table + b" ADD CONSTRAINT " + name
        self.add = add + b" " + key["kind"] + b" USING INDEX " + name
        self.drop = b"DROP INDEX " + schema_prefix(table) + name
        self.is_built = False

    def build(self, session: Session) -> None:
        """Build the index, beside others of the table."""
        session.apply(self.settings)
        self.is_built = session.succeeds(self.create)

    def add_using_index(self, session: Session) -> None:
        """Add the key USING INDEX."""
        session.apply(self.settings)
        if self.is_built and session.succeeds(self.add):
            return
        if self.is_built:
            session.succeeds(self.drop)
        session.execute(self.statement)


class ForeignKeyInSteps:
    """A foreign key: added NOT VALID, without looking at the rows, then validated."""

    def __init__(self, statement: Statement, key: re.Match[bytes], settings: Settings) -> None:
        """Foreign key of `statement`, which matched `statements.FOREIGN_KEY` as `key`."""
        self.statement, self.settings = statement, settings
        self.columns = key["columns"]
        self.create = statement.sql.rstrip().removesuffix(b";") + b" NOT VALID"
        alter = b"ALTER TABLE ONLY " + key["table"]
        self.check = alter + b" VALIDATE CONSTRAINT " + key["name"]
        self.drop = alter + b" DROP CONSTRAINT " + key["name"]
        self.is_added = False
        self.by_index = False

    def add(self, session: Session) -> None:
        """Add it; both tables are locked only for a moment."""
        session.apply(self.settings)
        self.is_added = session.succeeds(self.create)
        if not self.is_added:
            session.execute(self.statement)

    def validate(self, session: Session) -> None:
        """Check the rows; a foreign key that they break is not left behind.

        Where indexes sort both tables `by_index`, reading them side by side takes a quarter of
        the time of the hash join that the server would choose.
        """
        if not self.is_added:
            return
        session.apply(self.settings)
        if self.by_index:
            session.succeeds(b"SET enable_hashjoin = off")
        is_valid = session.succeeds_for(self.statement, self.check)
        if self.by_index:
            session.succeeds(b"RESET enable_hashjoin")
        if not is_valid:
            session.succeeds(self.drop)
