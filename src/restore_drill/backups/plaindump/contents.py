"""What a dump holds: its table of contents, rows, extensions and roles, from its events."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.backups.formats import READ_ERRORS, open_plain
from restore_drill.backups.model import REFUSED, Contents, Entry, Head
from restore_drill.backups.plaindump.codec import UTF8, codec_of
from restore_drill.backups.plaindump.events import (
    Comment,
    CopyData,
    CopyEnd,
    Cut,
    Event,
    Message,
    MetaCommand,
    Statement,
)
from restore_drill.backups.plaindump.headings import RowHeadings, heading_of
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.lines import LONGEST
from restore_drill.backups.plaindump.names import (
    NAME,
    PART,
    connected_database,
    copy_table,
    dotted,
    one_line,
)
from restore_drill.backups.plaindump.part import Part, merged, split
from restore_drill.backups.plaindump.refusals import MOST, refusal
from restore_drill.backups.plaindump.roles import roles_in, superuser_in
from restore_drill.backups.plaindump.strays import Strays
from restore_drill.backups.plaindump.switches import Switches
from restore_drill.core.names import joined
from restore_drill.core.units import show_bytes

END_MARKERS = {
    "PostgreSQL database dump complete": False,
    "PostgreSQL database cluster dump complete": True,
}
"""The last comment of pg_dump's output, and of pg_dumpall's (True)."""
THROUGH_ROOT = "load via partition root "
"""Comment on a partition whose rows are loaded through its root, and may go to another one."""
CLUSTER_START = "PostgreSQL database cluster dump"
HEAD_LINES = {
    "Dumped from database version ": "source_version",
    "Dumped by pg_dump version ": "dumped_by",
    "Dumped by pg_dumpall version ": "dumped_by",
}
ENCODING = re.compile(rb"SET client_encoding = '([^']+)'")
CREATE_DATABASE = re.compile(rb"CREATE DATABASE (" + NAME + rb")", re.IGNORECASE)
SEARCH_PATH = re.compile(rb"SET search_path\s*(?:=|TO)\s*([^;]*+);", re.IGNORECASE)
BECOME = re.compile(rb"SET (?:SESSION AUTHORIZATION|ROLE) ", re.IGNORECASE)
TABLESPACE = re.compile(rb"(?:SET default_tablespace =|CREATE TABLESPACE) (" + NAME + rb")")
CREATE_EXTENSION = re.compile(
    rb"CREATE EXTENSION (?:IF NOT EXISTS )?(" + NAME + rb")", re.IGNORECASE
)
INSERT = re.compile(
    rb"INSERT\s+INTO\s+(" + NAME + rb"(?:\." + NAME + rb")*)\s*(\()?"
    rb'(?(2)(?:[^()"]*+(?:"[^"]*+"[^()"]*+)*+\)\s*+)?)'
    rb"(?:OVERRIDING\s+\w+\s+VALUE\s+)?(VALUES\b|DEFAULT\b)?",
    re.IGNORECASE,
)
"""An INSERT: its table, whether it lists columns, and whether rows follow, not a query."""
ICU = re.compile(rb"provider = icu|LOCALE_PROVIDER = icu|-x-icu\"", re.IGNORECASE)
LARGE_OBJECT = b"SELECT pg_catalog.lo_create("
HARMLESS_META = (b"\\restrict ", b"\\unrestrict ", b"\\connect ", b"\\encoding SQL_ASCII ")
"""pg_dump's own meta-commands: read by us, never given to psql; the last one comes before odd names
of databases."""


class Reader:
    """Gathers `Contents` from the events of one dump."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.head: dict[str, str] = {}
        self.codec = UTF8
        self.dumped_at: datetime | None = None
        self.part = Part()
        self.parts = {"": self.part}
        self.roles: dict[str, None] = {}
        self.superusers: dict[str, None] = {}
        self.grantors: dict[str, None] = {}
        self.tablespaces: dict[str, None] = {}
        self.databases: dict[str, None] = {}
        self.needs_icu = False
        self.large_objects = 0
        self.switches = Switches()
        self.headings = RowHeadings()
        self.faults: list[str] = []
        self.strays = Strays()
        self.refused = 0
        self.ended = False
        self.appended = 0
        self.is_cluster = False
        self.statements = 0
        self.copying = ""
        self.schema = "public"
        self.keys: dict[bytes, str] = {}

    def read(self, events: Iterable[Event], *, head_only: bool = False) -> None:
        """Take in all events; with `head_only` stop where the data begins."""
        for event in events:
            if isinstance(event, CopyData):
                self.part.rows[self.copying] += event.data.count(b"\n")
                self.strays.rows(event, self.copying)
            elif isinstance(event, Statement):
                self.statement(event)
                if head_only and self.is_past_head:
                    return
            elif isinstance(event, Comment):
                self.comment(event)
            elif isinstance(event, CopyEnd):
                self.copying = ""
            elif isinstance(event, MetaCommand):
                self.meta_command(event)
            elif isinstance(event, Message):
                self.strays.message(event.line)
            else:
                self.cut(event)

    def comment(self, comment: Comment) -> None:
        """Take in one of pg_dump's comment lines."""
        self.strays.comment(comment)
        text = comment.text.decode(self.codec, "replace")
        heading = heading_of(comment.text)
        if heading:
            name, kind, schema, owner = (part.decode(self.codec, "replace") for part in heading[1:])
            kind = f"{kind} DATA" if heading.is_data and not kind.endswith(" DATA") else kind
            entry = Entry(kind, schema, name, "" if owner == "-" else owner)
            self.part.entries.append(entry)
            self.headings.heading(comment.line, entry.full_name if kind == "TABLE DATA" else "")
        elif text.startswith(THROUGH_ROOT) and self.part.entries:
            self.part.through_root.add(self.part.entries[-1].full_name)
        elif text == CLUSTER_START:
            self.is_cluster = True
        elif text in END_MARKERS:
            self.ended = END_MARKERS[text] == self.is_cluster
            self.headings.end()
        elif text.startswith("Started on "):
            self.dumped_at = time_of(text.removeprefix("Started on "))
        else:
            for opening, key in HEAD_LINES.items():
                if text.startswith(opening):
                    self.head.setdefault(key, text.removeprefix(opening))

    def statement(self, statement: Statement) -> None:
        """Take in one statement."""
        self.statements += 1
        self.strays.statement(statement)
        if self.ended:
            self.ended, self.appended = False, statement.line
        sql = self.in_utf8(statement.sql)
        opening = sql[:7].upper()
        if not opening.startswith(b"INSERT"):
            self.refuse(statement.line, refusal(sql))
        if opening.startswith(b"COPY"):
            self.copying = self.table_key(copy_table(sql))
            self.part.rows[self.copying] += 0
            self.headings.rows(copied=True)
        elif opening.startswith(b"INSERT"):
            self.insert(sql, statement)
            self.headings.rows(copied=False)
        elif opening.startswith(b"SET"):
            self.setting(sql)
        elif opening.startswith((b"CREATE", b"ALTER", b"GRANT", b"REVOKE", b"COMMENT", b"SECURIT")):
            self.definition(sql)
        elif sql.startswith(LARGE_OBJECT):
            self.large_objects += 1

    def in_utf8(self, raw: bytes) -> bytes:
        """A piece of the dump, which is in the encoding that it names itself, in UTF-8."""
        if self.codec == UTF8 or raw.isascii():
            return raw
        return raw.decode(self.codec, "replace").encode()

    def insert(self, sql: bytes, statement: Statement) -> None:
        """Count the rows of an INSERT: its outermost parentheses, less the list of columns."""
        target = INSERT.match(sql)
        if target:
            table = self.table_key(target.group(1))
            self.part.rows[table] += max(statement.groups - bool(target.group(2)), 0)
            if b" DEFAULT VALUES" in sql[-20:]:
                self.part.rows[table] += 1
        if not (target and target.group(3)):
            self.refuse(statement.line, refusal(sql))

    def setting(self, sql: bytes) -> None:
        """Take in a SET: the encoding, or a role."""
        encoding = ENCODING.match(sql)
        if encoding:
            name = encoding.group(1).decode("utf-8", "replace")
            self.head.setdefault("encoding", name)
            self.codec = codec_of(name)
        elif path := SEARCH_PATH.match(sql):
            names = [dotted(name.group()) for name in PART.finditer(path.group(1))]
            found = [name for name in names if name not in ("", "pg_catalog", "$user")]
            self.schema = found[0] if found else "public"
            self.keys.clear()
        self.use_roles(sql)
        self.use_tablespace(sql)

    def definition(self, sql: bytes) -> None:
        """Take in a definition: database, extension, roles, collation provider."""
        database = CREATE_DATABASE.match(sql)
        extension = CREATE_EXTENSION.match(sql)
        if database:
            self.databases[dotted(database.group(1))] = None
        if extension:
            self.part.extensions[dotted(extension.group(1))] = None
        self.part.note_table(sql, self.schema)
        self.needs_icu = self.needs_icu or bool(ICU.search(sql))
        self.switches.note(sql)
        self.use_roles(sql)
        self.use_tablespace(sql)

    def use_roles(self, sql: bytes) -> None:
        """Remember the roles that a statement needs, and those that must be superusers for it."""
        named = dict.fromkeys(roles_in(sql))
        self.roles |= named
        is_acl = self.part.entries and self.part.entries[-1].kind.endswith("ACL")
        if BECOME.match(sql):
            # A superuser's grants would be the owner's; what it makes, no other might be able to.
            (self.grantors if is_acl else self.superusers).update(named)
        elif owner := superuser_in(sql):
            self.superusers[owner] = None

    def use_tablespace(self, sql: bytes) -> None:
        """Remember the tablespace that a statement needs."""
        found = TABLESPACE.match(sql)
        if found and (name := dotted(found.group(1))):
            self.tablespaces[name] = None

    def meta_command(self, command: MetaCommand) -> None:
        """Refuse every meta-command that pg_dump does not write: it would run code here."""
        if command.text.startswith(b"\\connect "):
            # Elsewhere than in pg_dumpall's output all goes into one database.
            name = connected_database(self.in_utf8(command.text)) if self.is_cluster else ""
            self.part = self.parts.setdefault(name, Part())
        elif not (command.text + b" ").startswith(HARMLESS_META):
            word = command.text.split()[0].decode("utf-8", "replace")[:20]
            self.refuse(command.line, f"psql meta-command {word!r}, which could run programs here")

    def refuse(self, line: int, what: str) -> None:
        """Note a statement that no dump may hold and `what` it is, unless that is empty."""
        if what:
            self.refused += 1
            if self.refused <= MOST:
                self.faults.append(f"line {line:,}: {what}; no pg_dump writes it{REFUSED}")

    def cut(self, cut: Cut) -> None:
        """The stream ended in the middle."""
        where = f"{cut.where} of {self.copying}" if self.copying else cut.where
        if cut.is_endless:
            self.faults.append(
                f"line {cut.line:,}: {where} is longer than {show_bytes(LONGEST)}, which no "
                "PostgreSQL takes in: the file is damaged, or was made to fill a memory"
            )
            return
        self.faults.append(f"it ends inside {where}, which begins at line {cut.line:,}")

    def check_end(self) -> None:
        """Add the faults that only the end shows.

        pg_dump ends each dump with a marker, and only then are all its rows due.
        """
        if self.refused > MOST:
            self.faults.append(f"and {self.refused - MOST:,} more of the kind{REFUSED}")
        if not (self.faults or self.ended):
            if not self.statements:
                self.faults.append("it holds no statement at all")
            elif self.appended:
                self.faults.append(
                    f"line {self.appended:,}: more follows behind pg_dump's end marker, and no "
                    "second marker: was another dump begun, or something appended?"
                )
            elif self.head.get("dumped_by"):
                self.faults.append(
                    "pg_dump's end marker is missing (-- PostgreSQL database dump complete): "
                    "the dump was cut or its job died"
                )
        self.faults[:0] = self.strays.faults(ended=self.ended)
        self.faults += self.headings.faults()

    @property
    def is_past_head(self) -> bool:
        """Whether the data has begun, of the database that has tables where there are several."""
        has_begun = bool(self.copying or self.part.rows)
        return has_begun and (len(self.parts) == 1 or self.part.has_tables)

    @property
    def filled(self) -> list[str]:
        """Databases that have tables."""
        return [name for name, part in self.parts.items() if part.has_tables]

    @property
    def database(self) -> str:
        """The one database that a drill restores; empty where the dump changes to none."""
        if self.filled:
            return self.filled[0] if len(self.filled) == 1 else ""
        return max(self.parts, key=lambda name: len(self.parts[name].entries))

    @property
    def restored(self) -> dict[str, Part]:
        """Parts that a drill restores: that database and what comes before it, by name."""
        if len(self.filled) > 1:
            return self.parts
        return {name: part for name, part in self.parts.items() if name in ("", self.database)}

    @property
    def entries(self) -> list[Entry]:
        """Table of contents of what a drill restores."""
        return merged(self.restored.values()).entries

    def make_head(self) -> Head:
        """Head facts so far."""
        databases = tuple(self.databases)
        whole = merged(self.restored.values())
        return Head(
            database=self.database or (databases[0] if len(databases) == 1 else ""),
            dumped_at=self.dumped_at,
            entries=tuple(whole.entries or whole.created),
            **self.head,
        )

    def table_key(self, name: bytes) -> str:
        """`schema.table` of a name in SQL; pg_dump before 10.3 leaves the schema to search_path."""
        if name not in self.keys:
            schema, table = split(name)
            self.keys[name] = joined(schema or self.schema, table)
        return self.keys[name]

    def contents(self, *, sha256: str, head: Head | None = None, read_bytes: int = 0) -> Contents:
        """All that was gathered; `head` replaces what the events said of it."""
        whole = merged(self.restored.values())
        elsewhere = whole.through_root | self.headings.lost_tables
        tables = [entry.full_name for entry in whole.entries if entry.kind == "TABLE"]
        real = {one_line(name): name for name in tables} | {name: name for name in tables}
        for entry in whole.entries:
            if entry.kind == "TABLE DATA" and entry.full_name not in elsewhere:
                whole.rows[real.get(entry.full_name, entry.full_name)] += 0
        return Contents(
            sha256=sha256,
            head=head or self.make_head(),
            entries=tuple(whole.entries),
            rows=dict(whole.rows),
            extensions=tuple(whole.extensions),
            roles=tuple(self.roles),
            superusers=frozenset(self.superusers),
            grantors=frozenset(self.grantors.keys() - self.superusers.keys()),
            tablespaces=tuple(self.tablespaces),
            needs_icu=self.needs_icu,
            large_objects=self.large_objects,
            switched_off=frozenset(self.switches.off),
            unproved=frozenset(self.switches.unproved),
            is_translated=bool(self.strays.is_translated),
            databases=tuple(self.filled if self.is_cluster else self.databases),
            database=self.database,
            left_out=tuple(name for name in self.parts if name not in self.restored),
            faults=tuple(self.faults),
            read_bytes=read_bytes,
        )


def time_of(text: str) -> datetime | None:
    """Time as pg_dump writes it (`2026-11-23 18:22:20 UTC`); the local zone where it names none."""
    found = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: (\w+))?", text.strip())
    if not found:
        return None
    try:
        naive = datetime.fromisoformat(found.group(1))
    except ValueError:
        return None
    if found.group(2) in ("UTC", "GMT"):
        return naive.replace(tzinfo=UTC)
    return naive.astimezone()


def read_plain_head(path: Path, compression: str) -> Head:
    """Head of a plain dump, read up to its first data; empty where it cannot be read."""
    reader = Reader()
    try:
        with open_plain(path, compression) as stream:
            reader.read(PlainReader(stream).events(), head_only=True)
    except READ_ERRORS:
        pass
    return reader.make_head()
