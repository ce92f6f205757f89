"""What a dump holds: its table of contents, rows, extensions and roles, from its events."""

from __future__ import annotations

from collections.abc import Iterable

from restore_drill.backups.model import Contents, Head
from restore_drill.backups.plaindump import events as seen
from restore_drill.backups.plaindump import statements
from restore_drill.backups.plaindump.changes import RowChanges
from restore_drill.backups.plaindump.entries import entry_of
from restore_drill.backups.plaindump.faults import Faults
from restore_drill.backups.plaindump.headings import RowHeadings
from restore_drill.backups.plaindump.inserted import Filled, Inserted
from restore_drill.backups.plaindump.large_objects import CREATED, headings_of, kinds_of_rules
from restore_drill.backups.plaindump.misread import Misread
from restore_drill.backups.plaindump.needs import Needs
from restore_drill.backups.plaindump.outline import UNKNOWN_TABLE, Outline
from restore_drill.backups.plaindump.positions import Positions
from restore_drill.backups.plaindump.refusals import refusal
from restore_drill.backups.plaindump.strays import Strays
from restore_drill.backups.plaindump.switches import Switches

THROUGH_ROOT = "load via partition root "
"""Comment on a partition whose rows are loaded through its root, and may go to another one."""


class Reader(Outline):
    """Gathers `Contents` from the events of one dump."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.needs = Needs()
        self.large_objects = 0
        self.switches = Switches()
        self.headings = RowHeadings()
        self.strays = Strays()
        self.changes = RowChanges()
        self.misread = Misread()
        self.positions = Positions()
        self.found = Faults()
        self.faults = self.found.found
        self.copying = ""
        self.inserted = Inserted()

    def read(self, events: Iterable[seen.Event]) -> None:
        """Take in all events."""
        for event in events:
            if isinstance(event, seen.CopyData):
                self.parts.current.rows[self.copying] += event.rows
                self.strays.rows(event, self.copying)
            elif isinstance(event, seen.Statement):
                self.statement(event)
            elif isinstance(event, seen.Inserts):
                self.inserts(event)
            elif isinstance(event, seen.Comment):
                self.comment(event)
            elif isinstance(event, seen.LargeObjects):
                self.run_of_large_objects(event)
            else:
                self.rare(event)

    def rare(self, event: seen.CopyEnd | seen.MetaCommand | seen.Message | seen.Cut) -> None:
        """Take in an event of a kind of which there are few."""
        if isinstance(event, seen.CopyEnd):
            self.copying = ""
        elif isinstance(event, seen.MetaCommand):
            self.meta_command(event)
        elif isinstance(event, seen.Message):
            self.strays.message(event.line)
        else:
            self.found.cut(event, self.copying)

    def comment(self, comment: seen.Comment) -> None:
        """Take in one of pg_dump's comment lines."""
        self.strays.comment(comment)
        entry = entry_of(comment.text, self.session.codec)
        if entry:
            self.parts.current.entries.append(entry)
            self.headings.heading(comment.line, entry.full_name * (entry.kind == "TABLE DATA"))
            return
        text = comment.text.decode(self.session.codec, "replace")
        part = self.parts.current
        if text.startswith(THROUGH_ROOT) and part.entries:
            part.through_root.add(part.entries[-1].full_name)
        elif self.frame.comment(text):
            self.headings.end()

    def statement(self, statement: seen.Statement) -> None:
        """Take in one statement."""
        self.strays.statement(statement)
        self.frame.statement(statement.line)
        sql = self.session.in_utf8(statement.sql)
        opening = sql[:7].upper()
        if not opening.startswith(b"INSERT"):
            self.found.refuse(statement.line, refusal(sql))
        if opening.startswith(b"COPY"):
            self.copying = self.session.table_key(statements.filled_table(sql) or UNKNOWN_TABLE)
            self.parts.current.rows[self.copying] += 0
            self.headings.rows(copied=True)
        elif opening.startswith(b"INSERT"):
            filled = self.inserted.statement(sql, statement.groups)
            self.insert(filled, statement.line)
            if filled.is_query:
                self.found.refuse(statement.line, refusal(sql))
        elif opening.startswith((b"CREATE", b"ALTER", b"GRANT", b"REVOKE", b"COMMENT", b"SECURIT")):
            self.definition(sql)
            self.misread.note(sql, statement.line)
        else:
            self.session.note(sql)
            if opening.startswith(b"SET"):
                self.needs.setting(sql, is_acl=self.parts.current.last_kind.endswith("ACL"))
            self.large_objects += sql.startswith(statements.NEW_LARGE_OBJECT)
            self.changes.note(sql, statement.line)

    def inserts(self, event: seen.Inserts) -> None:
        """Take in INSERTs that are known to be of plain rows, or a piece of one."""
        if not event.is_rest:
            self.frame.statement(event.line)
        self.insert(self.inserted.piece(event, self.session.in_utf8(event.head)), event.line)
        self.strays.inserts(event, self.inserted.begun)

    def insert(self, filled: Filled, line: int) -> None:
        """Count the rows of INSERTs."""
        part = self.parts.current
        if filled.table:
            table = self.session.table_key(filled.table)
            part.rows[table] += filled.rows
            if not filled.is_listed and (part.through_root or self.positions.inheriting):
                is_rooted = part.last in part.through_root
                self.positions.rows(line, part.last, table, through_root=is_rooted)
        self.headings.rows(copied=False)

    def run_of_large_objects(self, run: seen.LargeObjects) -> None:
        """Take in a run: nothing in it is refused."""
        for heading in headings_of(run.sql):
            self.comment(seen.Comment(run.line, heading))
        self.frame.statement(run.line)
        self.large_objects += len(CREATED.findall(run.sql))
        for sql in kinds_of_rules(run.sql):
            self.definition(self.session.in_utf8(sql))

    def definition(self, sql: bytes) -> None:
        """Take in a definition: database, extension, table, roles, collation provider."""
        self.parts.note_definition(sql, self.session.schema)
        self.positions.note(sql, self.session.schema)
        self.switches.note(sql)
        self.needs.definition(sql)

    def meta_command(self, command: seen.MetaCommand) -> None:
        """Refuse every meta-command that pg_dump does not write: it would run code here."""
        if not self.connect(command):
            self.found.refuse_meta(command)

    def check_end(self) -> None:
        """Add the faults that only the end shows: only with its marker are all rows due."""
        self.found.refused_more()
        if not self.faults and (fault := self.frame.fault()):
            self.faults.append(fault)
        self.faults[:0] = self.strays.faults(ended=self.frame.ended)
        self.faults += self.headings.faults()
        self.faults += filter(None, self.positions.faults.values())

    def contents(self, *, head: Head | None = None) -> Contents:
        """All that was gathered, without a digest; `head` replaces what the events gave."""
        whole = self.parts.whole
        whole.count_all(elsewhere=whole.through_root | self.headings.lost_tables)
        return Contents(
            sha256="",
            head=head or self.make_head(),
            entries=tuple(whole.entries),
            rows=dict(whole.rows),
            extensions=tuple(whole.extensions),
            roles=tuple(self.needs.roles),
            superusers=frozenset(self.needs.superusers),
            grantors=frozenset(self.needs.grantors - self.needs.superusers),
            tablespaces=tuple(self.needs.tablespaces),
            needs_icu=self.needs.icu,
            large_objects=self.large_objects,
            switched_off=frozenset(self.switches.off),
            not_valid=frozenset(self.switches.not_valid),
            is_translated=bool(self.strays.is_translated),
            databases=tuple(self.parts.filled if self.frame.is_cluster else self.parts.databases),
            database=self.parts.database,
            left_out=self.parts.left_out,
            changes=self.changes.description,
            misread=tuple(self.misread.first),
            unsure=tuple(self.positions.unsure),
            faults=tuple(self.faults),
        )
