"""Judges an error of a restore: whose fault it is, its cause and the remedy; by SQLSTATE alone.

A server may speak any language, and its messages may hold rows: see `core/server_errors.py`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import OWN_DAMAGE, ServerError
from restore_drill.restore.model import Restoration, RestoreError
from restore_drill.restore.words import opening_words, schema_text


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
    Cause("57014", "the statement was cancelled by a timeout or a person",
          "cancelled"),
    Cause("57P.*", LOST.name, LOST.key),
    Cause("55P03|40.*", "other sessions stood in the way",
          "locked"),
    Cause("08.*", "a server that the dump reads from cannot be reached from here",
          "foreign_server"),
    Cause("58P0[2-9]|58000|F0.*|57.*", "the server's own files or settings failed",
          "server_files"),
    Cause("38000", "a program that code of the dump runs has failed",
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
    Cause("42704|22023", "version trap: dumped by a newer pg_dump than this server knows",
          "newer_version",
          source="guc.c guc_funcs.c", statement="SET|SELECT pg_catalog.set_config"),
    Cause("42710|42P0[3467]|42723|42701",
          "the object is there twice: in the dump, or in a database that was not empty",
          "duplicate_object"),
    Cause("42P16",
          "the object is there twice: in the dump, or in a database that was not empty",
          "duplicate_object",
          statement=r"ALTER TABLE .* PRIMARY KEY"),
    Cause("23503", "orphan rows: the referenced rows are not in the backup",
          "orphan_rows"),
    Cause("23505",
          "duplicate keys: the source's unique index was corrupt, or rows are there twice",
          "duplicate_keys"),
    Cause("23514", "rows that their own constraints refuse, or a constraint function that changed",
          "refused_rows",
          source="execPartition.c"),
    Cause("22021|22P05", "wrong encoding: the bytes are not what the dump says they are",
          "wrong_encoding"),
    Cause("22.*", "damaged rows: the data was cut or changed after it was dumped",
          "damaged_rows"),
    Cause("42P01|42P02|42883|42704|42703|3F000|42830",
          "something it needs is not there: left out of the dump, failed before, "
          "or a function that relies on search_path",
          "missing_object"),
    Cause("42501", "the restoring role lacks a right",
          "no_right"),
    Cause("42601|42P10|42602", "text that is no SQL: the file was damaged or edited",
          "no_sql"),
    Cause("P0.*|39.*|38.*|2F.*", "a function of the database itself has refused",
          "function_refused"),
    Cause("25006", "the database takes no writes",
          "read_only_database"),
    Cause("0A000|58P01", "something this server was built without",
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
    "rows that their own constraints refuse, or a constraint function that changed",
    "refused_rows",
)
UNKNOWN = Cause("", "not one that we know", "unknown")

HARMLESS = (
    (r"SET (?:transaction_timeout)\b", "42704",
     "a setting of newer servers, without meaning here"),
    (r'CREATE SCHEMA "?public\b', "42P06",
     "every new database has the schema public"),
    (r"(?:DROP |ALTER TABLE .* DROP |SELECT pg_catalog\.lo_unlink\()",
     "42P01|42704|42703|42883|3F000", "a --clean dump drops what the empty database never had"),
    (r"CREATE ROLE ", "42710", "the drill has made the role before"),
    (r"REFRESH MATERIALIZED VIEW ", "08.*|HV.*",
     "its rows come from another server, which a drill does not reach"),
)  # fmt: skip
"""How a statement begins, and the SQLSTATEs that do no harm there, and why."""


def is_raised(error: ServerError) -> bool:
    """Whether a function of the database raised `error` itself, under what SQLSTATE it liked."""
    return error.source.startswith(("pl_", "plpy_", "plperl", "pltcl"))


def harmless_reason(statement: str, error: ServerError) -> str | None:
    """Why this error does no harm, None where it does."""
    for opening, states, reason in HARMLESS:
        if re.match(opening, statement, re.DOTALL) and re.fullmatch(states, error.sqlstate):
            return reason
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


def add_error(
    restoration: Restoration,
    *,
    where: str,
    statement: str,
    error: ServerError,
    code: str = "",
    detail: str = "",
    reader: str = "",
) -> None:
    """File an error of the server under harmless or errors; CouldNotRun where our means failed.

    `code` is text of the database's functions, which the error may name; `detail`, names that
    the server's context has told beside it; `reader`, the function that reads rows to come.
    """
    statement = statement.strip()
    text = error.text(f"{schema_text(statement)} {code}") + (f" ({detail})" if detail else "")
    opening = opening_words(statement)
    reason = harmless_reason(statement, error)
    ours = None if reason and error.sqlstate else our_fault(error)
    if ours:
        raise CouldNotRun(
            f"the restore stopped: {ours.name}",
            checked=[
                f"{where}: {opening}",
                f"server: {text}",
                restoration.target.description,
            ],
            remedy=[ours.remedy],
        )
    if reason:
        restoration.harmless.append(f"{opening}: {text} ({reason})")
        return
    cause = later(reader) if reader else cause_of(error, statement)
    restoration.errors.append(
        RestoreError(where, opening, text, cause.name, cause.remedy, sql=statement, error=error)
    )
