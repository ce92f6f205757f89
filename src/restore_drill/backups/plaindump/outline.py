"""What the head of a dump holds: versions, encoding, table of contents. Nothing in it is judged."""

from __future__ import annotations

from collections.abc import Iterable

from restore_drill.backups.model import Entry, Head
from restore_drill.backups.plaindump import events as seen
from restore_drill.backups.plaindump import statements
from restore_drill.backups.plaindump.entries import entry_of
from restore_drill.backups.plaindump.frame import Frame
from restore_drill.backups.plaindump.names import connected_database
from restore_drill.backups.plaindump.part import Parts
from restore_drill.backups.plaindump.settings import SessionSettings

UNKNOWN_TABLE = b'"an unknown table"'


class Outline:
    """Gathers a `Head` from the events of one dump."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.frame = Frame()
        self.session = SessionSettings()
        self.parts = Parts()

    def read_head(self, events: Iterable[seen.Event]) -> None:
        """Take in the events up to where the data begins."""
        for event in events:
            if isinstance(event, seen.Comment):
                self.entry(event)
            elif isinstance(event, seen.Statement):
                self.outline(event.sql)
            elif isinstance(event, seen.MetaCommand):
                self.connect(event)
            elif isinstance(event, seen.Inserts):
                self.data(event.head)
            if self.parts.is_past_head:
                return

    def entry(self, comment: seen.Comment) -> Entry | None:
        """Take in a comment; the entry that it heads, if it does."""
        entry = entry_of(comment.text, self.session.codec)
        if entry:
            self.parts.current.entries.append(entry)
        else:
            self.frame.comment(comment.text.decode(self.session.codec, "replace"))
        return entry

    def outline(self, raw: bytes) -> None:
        """Take in one statement."""
        sql = self.session.in_utf8(raw)
        opening = sql[:7].upper()
        if opening.startswith(b"SET"):
            self.session.note(sql)
        elif opening.startswith((b"CREATE", b"ALTER")):
            self.parts.note_definition(sql, self.session.schema)
        elif opening.startswith((b"COPY", b"INSERT")):
            self.data(sql)

    def data(self, sql: bytes) -> None:
        """The rows of a table begin."""
        table = statements.filled_table(sql) or UNKNOWN_TABLE
        self.parts.current.rows[self.session.table_key(table)] += 0

    def connect(self, command: seen.MetaCommand) -> bool:
        r"""Go on with another database of a whole server, where `command` is a `\connect`."""
        if not command.text.startswith(b"\\connect "):
            return False
        name = connected_database(self.session.in_utf8(command.text))
        self.parts.change_to(name if self.frame.is_cluster else "")  # else all is of one
        return True

    def make_head(self) -> Head:
        """Head facts so far."""
        databases, whole = tuple(self.parts.databases), self.parts.whole
        return Head(
            database=self.parts.database or (databases[0] if len(databases) == 1 else ""),
            encoding=self.session.encoding,
            dumped_at=self.frame.dumped_at,
            entries=tuple(whole.entries or whole.created),
            roots=whole.roots,
            **self.frame.versions,
        )
