"""What an error of a PostgreSQL server may say: its SQLSTATE, its condition, and names alone.

A server's message quotes whatever it is about, row data too, in words of its own language. So
nothing is taken out of messages: a message is shown only where the server's own code says, under a
condition that is about names, what stands in the SQL that was sent. The rest appears as SQLSTATE,
the condition's name and the diagnostic's own fields (schema, table, column, data type, constraint).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
from psycopg.pq import DiagnosticField

from restore_drill.core.patterns import late
from restore_drill.core.server_files import FIELD_FILES, MEANS_FILES, NAMING, NAMING_FILES

FIELDS = {
    "table": DiagnosticField.TABLE_NAME,
    "column": DiagnosticField.COLUMN_NAME,
    "data type": DiagnosticField.DATATYPE_NAME,
    "constraint": DiagnosticField.CONSTRAINT_NAME,
}
OPENING = '"»„«\N{LEFT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}「'
CLOSING = '"«»\N{LEFT DOUBLE QUOTATION MARK}”\N{RIGHT SINGLE QUOTATION MARK}」'
QUOTED = late(f"[{OPENING}]([^{CLOSING}]*)[{CLOSING}]")
"""What a message quotes, whatever its language."""
RAISED = late(rf"[^{OPENING}(]*?PL/pgSQL[^{OPENING}(]*?([\w$.]+)\(")
"""First line of the context of an error in a PL/pgSQL function, whatever its language."""
HAS_DIGIT = re.compile(r"\w*\d\w*")


@dataclass(frozen=True)
class ServerError:
    """An error or warning of a server; without `sqlstate` it is libpq's own, or the driver's.

    `message`, `context` and `internal` (the query of a function) may hold row data and are for
    judging alone; `text` gives what people may read. `fields` holds names by FIELDS and `schema`.
    `is_of_text` says that the error is about a place in the SQL that was sent, not about rows.
    """

    sqlstate: str
    message: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    source: str = ""
    context: str = ""
    internal: str = ""
    is_of_text: bool = False

    @property
    def condition(self) -> str:
        """Name of the condition, as the manual has it: `undefined_table`."""
        return condition_of(self.sqlstate)

    @property
    def group(self) -> str:
        """Class of the SQLSTATE: its first two characters."""
        return self.sqlstate[:2]

    def field(self, name: str) -> str:
        """Field `name`, empty where the server's own code has not filled it."""
        return dict(self.fields).get(name, "") if self.source in FIELD_FILES else ""

    @property
    def quoted(self) -> set[str]:
        """What the message quotes; it may be row data."""
        return set(QUOTED.findall(self.message))

    def names_alone(self, known: str) -> bool:
        """Whether the message holds nothing but words of the server and names in `known`.

        A function may run text that it has made of rows: what stands in its query and not in
        `known` is none of these names.
        """
        if self.group in ("53", "57", "58", "40", "F0") or self.sqlstate in OWN_DAMAGE:
            return self.source in MEANS_FILES or (self.source == "dfmgr.c")
        if self.sqlstate not in NAMING or self.source not in NAMING_FILES:
            return False
        names = words(known)
        if self.sqlstate == INTERNAL:  # it counts by OID
            return {word for quoted in self.quoted for word in words(quoted)} <= names
        found = words(self.message)
        doubtful = {word for quoted in self.quoted for word in words(quoted)}
        doubtful |= {word for word in found if HAS_DIGIT.fullmatch(word)}
        doubtful |= found & words(self.internal)
        return doubtful <= names

    def is_of_own(self, sql: str) -> bool:
        """Whether the message is about the text `sql`, which the team has written itself."""
        if not (sql and self.is_of_text and self.group in ("22", "42")) or self.internal:
            return False
        return {word for quoted in self.quoted for word in words(quoted)} <= words(sql)

    def text(self, known: str = "", *, own: str = "") -> str:
        """The error in one line without row data.

        `known` is the SQL that was sent, and what else of the schema's own text it may name: never
        rows. Only names that stand there are shown. What is wrong with SQL that is the team's
        `own` is shown too.
        """
        if self.sqlstate in ("", UNKNOWN):
            return " ".join(self.message.split())
        if self.names_alone(f"{known} {own}") or self.is_of_own(own):
            return self.in_full
        where = self.places()
        return f"{self.condition} (SQLSTATE {self.sqlstate})" + (f": {where}" if where else "")

    @property
    def in_full(self) -> str:
        """The error with its message, for a question that no row was read for."""
        if self.sqlstate in ("", UNKNOWN):
            return self.text()
        return f"{' '.join(self.message.split())} ({self.condition}, SQLSTATE {self.sqlstate})"

    def places(self) -> str:
        """`table public.cards, constraint cards_check`, as far as the server's fields name them."""
        schema = self.field("schema")
        found = []
        for kind in FIELDS:
            name = self.field(kind)
            if name:
                qualified = schema and kind in ("table", "data type")
                found.append(f"{kind} {schema}.{name}" if qualified else f"{kind} {name}")
        raised = RAISED.match(self.context.split("\n", 1)[0])
        if raised and not found:
            found.append(f"raised in function {raised[1]}")
        return ", ".join(found)


NO_ERROR = ServerError("")
INTERNAL = "XX000"
UNKNOWN = "?"
"""In place of the SQLSTATE of an error that came without one, in words that are safe."""
OWN_DAMAGE = ("XX001", "XX002")
"""Data or an index of the server's own files is corrupted."""


def condition_of(sqlstate: str) -> str:
    """Name of the condition with this SQLSTATE: `undefined_table` for 42P01."""
    try:
        name = psycopg.errors.lookup(sqlstate).__name__
    except KeyError:
        return "unnamed_condition"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.strip("_")).lower()


def words(text: str) -> set[str]:
    """Words of a text, as they may be part of names."""
    return set(re.findall(r"[\w$]+", text.lower()))
