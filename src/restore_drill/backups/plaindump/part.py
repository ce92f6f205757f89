"""What a dump holds of one database: pg_dumpall writes several, one behind the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from restore_drill.backups.model import Entry
from restore_drill.backups.plaindump.names import dotted, full_name, one_line, split
from restore_drill.backups.plaindump.statements import (
    ATTACH_TABLE,
    CREATE_DATABASE,
    CREATE_EXTENSION,
    CREATE_TABLE,
)


@dataclass
class Part:
    r"""One database of a dump, or what stands before the first `\connect`.

    `created` are the tables of SQL without pg_dump's comments, `parents` those of partitions.
    """

    entries: list[Entry] = field(default_factory=list)
    created: list[Entry] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    extensions: dict[str, None] = field(default_factory=dict)
    through_root: set[str] = field(default_factory=set)
    parents: dict[str, str] = field(default_factory=dict)

    @property
    def has_tables(self) -> bool:
        """Whether it holds what a drill is for."""
        return bool(self.created) or any(entry.kind == "TABLE" for entry in self.entries)

    @property
    def last_kind(self) -> str:
        """Kind of the entry that is being read; empty before the first one."""
        return self.entries[-1].kind if self.entries else ""

    @property
    def last(self) -> str:
        """Full name of that entry."""
        return self.entries[-1].full_name if self.entries else ""

    def note_definition(self, sql: bytes, default: str) -> None:
        """Take in a definition; a table is in the schema `default` unless it names one."""
        if extension := CREATE_EXTENSION.match(sql):
            self.extensions[dotted(extension["name"])] = None
        if created := CREATE_TABLE.match(sql):
            self.note_table(created["table"], default)
        found = created or (b" ATTACH PARTITION " in sql and ATTACH_TABLE.match(sql))
        if found and found["parent"]:
            table, parent = (full_name(found[each], default) for each in ("table", "parent"))
            self.parents[table] = parent

    def note_table(self, table: bytes, default: str) -> None:
        """Take in a table that is created, in the schema `default` unless it names one.

        It has the table's own name, which a comment may only resemble: pg_dump writes a blank
        into its comments for a newline.
        """
        schema, name = split(table)
        if not self.entries:
            self.created.append(Entry("TABLE", schema or default, name, ""))
            return
        last = self.entries[-1]
        real = last._replace(schema=schema or last.schema, name=name)
        if last.kind == "TABLE" and one_line(real.full_name) == last.full_name:
            self.entries[-1] = real

    @property
    def roots(self) -> dict[str, str]:
        """Root of each partition, at whatever depth, and itself of each root."""
        found: dict[str, str] = {}
        for table in self.parents:
            root, line = table, set[str]()
            while root in self.parents and root not in line and root not in found:  # may go round
                line.add(root)
                root = self.parents[root]
            root = found.get(root, root)
            found |= dict.fromkeys((*line, root), root)
        return found

    def count_all(self, elsewhere: set[str]) -> None:
        """Count no rows for each table whose rows are announced and not there: it is empty.

        Those of the tables `elsewhere` lie under another name, or are lost.
        """
        tables = [entry.full_name for entry in self.entries if entry.kind == "TABLE"]
        real = {one_line(name): name for name in tables} | {name: name for name in tables}
        for entry in self.entries:
            if entry.kind == "TABLE DATA" and entry.full_name not in elsewhere:
                self.rows[real.get(entry.full_name, entry.full_name)] += 0


class Parts:
    """The databases of a dump by name, in their order; `current` is the one that is being read.

    `databases` are those that it creates.
    """

    def __init__(self) -> None:
        """Begin with what has no name."""
        self.current = Part()
        self.by_name = {"": self.current}
        self.databases: dict[str, None] = {}

    def note_definition(self, sql: bytes, default: str) -> None:
        """Take in a definition; a table is in the schema `default` unless it names one."""
        if database := CREATE_DATABASE.match(sql):
            self.databases[dotted(database["name"])] = None
        self.current.note_definition(sql, default)

    def change_to(self, name: str) -> None:
        """Go on with the database `name`."""
        self.current = self.by_name.setdefault(name, Part())

    @property
    def filled(self) -> list[str]:
        """Databases that have tables."""
        return [name for name, part in self.by_name.items() if part.has_tables]

    @property
    def database(self) -> str:
        """The one database that a drill restores; empty where the dump changes to none."""
        if self.filled:
            return self.filled[0] if len(self.filled) == 1 else ""
        return max(self.by_name, key=lambda name: len(self.by_name[name].entries))

    @property
    def restored(self) -> dict[str, Part]:
        """Parts that a drill restores: that database and what comes before it, by name."""
        if len(self.filled) > 1:
            return self.by_name
        return {name: part for name, part in self.by_name.items() if name in ("", self.database)}

    @property
    def is_past_head(self) -> bool:
        """Whether the data has begun, of the database that has tables where there are several."""
        return bool(self.current.rows) and (len(self.by_name) == 1 or self.current.has_tables)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Databases that a drill does not restore: they have no tables."""
        return tuple(name for name in self.by_name if name not in self.restored)

    @property
    def whole(self) -> Part:
        """All that a drill restores, as one part."""
        return merged(self.restored.values())


def merged(parts: Iterable[Part]) -> Part:
    """One part with all that the `parts` hold."""
    whole = Part()
    for part in parts:
        whole.entries += part.entries
        whole.created += part.created
        whole.extensions |= part.extensions
        whole.through_root |= part.through_root
        whole.parents |= part.parents
        for table, count in part.rows.items():
            whole.rows[table] += count
    return whole
