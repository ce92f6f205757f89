"""What a dump holds of one database: pg_dumpall writes several, one behind the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from restore_drill.backups.model import Entry
from restore_drill.backups.plaindump.names import NAME, PART, dotted, one_line

CREATE_TABLE = re.compile(
    rb"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(" + NAME + rb"(?:\." + NAME + rb")*)",
    re.IGNORECASE,
)


@dataclass
class Part:
    r"""One database of a dump, or what stands before the first `\connect`.

    `created` are the tables of SQL without pg_dump's comments.
    """

    entries: list[Entry] = field(default_factory=list)
    created: list[Entry] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    extensions: dict[str, None] = field(default_factory=dict)
    through_root: set[str] = field(default_factory=set)

    @property
    def has_tables(self) -> bool:
        """Whether it holds what a drill is for."""
        return bool(self.created) or any(entry.kind == "TABLE" for entry in self.entries)

    def note_table(self, sql: bytes, default: str) -> None:
        """Take in a CREATE TABLE, in the schema `default` unless it names one.

        It has the table's own name, which a comment may only resemble: pg_dump writes a blank
        into its comments for a newline.
        """
        found = CREATE_TABLE.match(sql)
        if not found:
            return
        schema, name = split(found.group(1))
        if not self.entries:
            self.created.append(Entry("TABLE", schema or default, name, ""))
            return
        last = self.entries[-1]
        real = last._replace(schema=schema or last.schema, name=name)
        if last.kind == "TABLE" and one_line(real.full_name) == last.full_name:
            self.entries[-1] = real


def split(name: bytes) -> tuple[str, str]:
    """Schema, empty where there is none, and name of a qualified `name` in SQL."""
    *schema, last = [dotted(part.group()) for part in PART.finditer(name)]
    return schema[-1] if schema else "", last


def merged(parts: Iterable[Part]) -> Part:
    """One part with all that the `parts` hold."""
    whole = Part()
    for part in parts:
        whole.entries += part.entries
        whole.created += part.created
        whole.extensions |= part.extensions
        whole.through_root |= part.through_root
        for table, count in part.rows.items():
            whole.rows[table] += count
    return whole
