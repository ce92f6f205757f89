"""Known causes of an error that the server reports; their remedies are in the catalogue.

Recognised by SQLSTATE alone: a server may speak any language, and its messages may hold rows (see
`core/server_errors.py`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_error import OWN_DAMAGE, ServerError


class Cause(NamedTuple):
    """A known cause: SQLSTATEs that mean it, its name, its key in the catalogue of remedies.

    Where the SQLSTATE is too coarse, `source` names files of the server that raise it, and
    `statement` how the statement begins.
    """

    states: str
    name: str
    key: str
    source: str = ""
    statement: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return remedy_for("restore_error", self.key)[0]

    def fits(self, error: ServerError, statement: str) -> bool:
        """Whether `error` of `statement` has this cause."""
        return (
            re.fullmatch(self.states, error.sqlstate) is not None
            and (not self.source or error.source in self.source.split())
            and re.match(self.statement, statement, re.IGNORECASE | re.DOTALL) is not None
        )


LOST = Cause(
    "", "the connection to the server was lost",
    "connection_lost",
)  # fmt: skip
OUR_MEANS = (
    Cause("53100|58030", "the disk is full or cannot be written",
          "disk_full"),
    Cause("53[24].*", "memory ran out", "memory"),
    Cause("53.*", "the server lacks resources",
          "resources"),
    Cause("57014", "the statement was cancelled by a timeout or a user",
          "cancelled"),
    Cause("57P.*", LOST.name, LOST.key),
    Cause("55P03|40.*", "other sessions blocked it",
          "locked"),
    Cause("08.*", "a server that the dump reads from cannot be reached from here",
          "foreign_server"),
    Cause("58P0[2-9]|58000|F0.*|57.*", "the server's own files or settings failed",
          "server_files"),
    Cause("38000", "a program started by code in the dump failed",
          "program"),
    Cause("|".join(OWN_DAMAGE), "the server's own storage is damaged",
          "own_storage"),
)  # fmt: skip
"""Errors that say nothing about the backup; a class means the same in every language."""

CAUSES = (
    Cause("0A000|58P01|22023|42704|F0000", "missing extension: the server has no such extension",
          "missing_extension",
          statement="CREATE EXTENSION"),
    Cause(".*", "missing library of an extension",
          "missing_library", source="dfmgr.c"),
    Cause("42704", "missing role: pg_dump does not save roles",
          "missing_role", source="acl.c user.c variable.c"),
    Cause("42704|22023", "version mismatch: dumped by a newer pg_dump than this server knows",
          "newer_version",
          source="guc.c guc_funcs.c", statement="SET|SELECT pg_catalog.set_config"),
    Cause("42710|42P0[3467]|42723|42701",
          "the object exists twice: in the dump, or in a database that was not empty",
          "duplicate_object"),
    Cause("42P16",
          "the object exists twice: in the dump, or in a database that was not empty",
          "duplicate_object",
          statement=r"ALTER TABLE .* PRIMARY KEY"),
    Cause("23503", "orphan rows: the referenced rows are not in the backup",
          "orphan_rows"),
    Cause("23505",
          "duplicate keys: the source's unique index was corrupt, or rows exist twice",
          "duplicate_keys"),
    Cause("23514", "rows that violate their own constraints, or a constraint function that changed",
          "refused_rows",
          source="execPartition.c"),
    Cause("22021|22P05", "wrong encoding: the bytes are not what the dump says they are",
          "wrong_encoding"),
    Cause("22.*", "damaged rows: the data was truncated or changed after it was dumped",
          "damaged_rows"),
    Cause("42P01|42P02|42883|42704|42703|3F000|42830",
          "something it needs is missing: left out of the dump, failed before, "
          "or a function that is search_path-dependent",
          "missing_object"),
    Cause("42501", "the restoring role lacks a privilege",
          "no_right"),
    Cause("42601|42P10|42602", "text that is not SQL: the file was damaged or edited",
          "no_sql"),
    Cause("P0.*|39.*|38.*|2F.*", "a function of the database itself raised an error",
          "function_refused"),
    Cause("25006", "the database accepts no writes",
          "read_only_database"),
    Cause("0A000|58P01", "a feature that this server was built without",
          "not_built_in"),
)  # fmt: skip
PARTITION = Cause(
    "23514",
    "rows outside the bounds of their partition: damaged, or bounds on text that the "
    "source's collation sorts in another order than this server's",
    "outside_partition",
)
REFUSED = Cause(
    "23.*",
    "rows that violate their own constraints, or a constraint function that changed",
    "refused_rows",
)
UNKNOWN = Cause("", "unknown", "unknown")


class Harmless(NamedTuple):
    """An error that does no harm: how the statement begins, SQLSTATEs, and why it does none."""

    statement: str
    states: str
    reason: str


HARMLESS = (
    Harmless(r"SET (?:transaction_timeout)\b", "42704",
             "a setting of newer servers, which has no effect here"),
    Harmless(r'CREATE SCHEMA "?public\b', "42P06",
             "every new database has the schema public"),
    Harmless(r"(?:DROP |ALTER TABLE .* DROP |SELECT pg_catalog\.lo_unlink\()",
             "42P01|42704|42703|42883|3F000",
             "a --clean dump drops what the empty database never had"),
    Harmless(r"CREATE ROLE ", "42710", "the drill had already created the role"),
    Harmless(r"REFRESH MATERIALIZED VIEW ", "08.*|HV.*",
             "its rows come from another server, which a drill does not contact"),
)  # fmt: skip


def is_raised(error: ServerError) -> bool:
    """Whether a function of the database raised `error` itself, under what SQLSTATE it liked."""
    return error.source.startswith(("pl_", "plpy_", "plperl", "pltcl"))


def harmless_reason(statement: str, error: ServerError) -> str | None:
    """Why this error does no harm, None where it does."""
    for each in HARMLESS:
        is_it = re.match(each.statement, statement, re.DOTALL)
        if is_it and re.fullmatch(each.states, error.sqlstate):
            return each.reason
    return None


def our_fault(error: ServerError) -> Cause | None:
    """What of our own means failed, None where the error speaks of the backup."""
    if not error.sqlstate:
        return LOST
    if is_raised(error):
        return None
    return next((cause for cause in OUR_MEANS if cause.fits(error, "")), None)


def cause_of(error: ServerError, statement: str) -> Cause:
    """Named cause of an error that the backup's `statement` met."""
    found = next((cause for cause in CAUSES if cause.fits(error, statement)), None)
    if found is None and error.group == "23":
        is_partition = error.sqlstate == "23514" and not error.field("constraint")
        found = PARTITION if is_partition and error.field("table") else REFUSED
    return found or UNKNOWN


def later(reader: str) -> Cause:
    """Cause of rows that were refused by what `reader` reads: they may be sound."""
    return Cause(
        "",
        "a CHECK or generated column that reads another table, whose rows come later in the "
        f"dump: {reader}",
        "later_rows",
    )
