"""Names in the criteria that the restored database lacks: lost, or mistaken by whoever wrote them.

Only what no backup, manifest or earlier drill of this database knows, and what is but a slip away
from a name that is there, is an error of the criteria. All else stays the backup's loss.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

import psycopg

from restore_drill.config.criteria.model import Criteria
from restore_drill.core.errors import CriteriaError, message
from restore_drill.core.names import in_other_database, part_of, split_name
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.servers.model import Target

LONG = 8
"""Letters from which on a name may hold two slips."""
NO_SQL = frozenset({"42601", "42602", "42702", "42712", "42803", "42P02", "42P19", "42P20"})
"""SQLSTATEs of a query that is none, whatever the database holds."""
NO_TABLE, NO_COLUMN = "42P01", "42703"
IDENTIFIER = re.compile(r'(?:(?:"[^"]*+"|\w++)\.|(?!))*+("[^"]*+"|\w++)')
COLUMNS = """
    SELECT DISTINCT a.attname FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped"""


def slips(wrong: str, right: str) -> int:
    """Letters that are missing, too many, other ones or swapped with the next in `wrong`."""
    before, last = list[int](), list(range(len(right) + 1))
    for row, one in enumerate(wrong, start=1):
        here = [row]
        for column, other in enumerate(right, start=1):
            here.append(min(last[column] + 1, here[-1] + 1, last[column - 1] + (one != other)))
            is_swap = row > 1 < column and (one, wrong[row - 2]) == (right[column - 2], other)
            if is_swap:
                here[-1] = min(here[-1], before[column - 2] + 1)
        before, last = last, here
    return last[-1]


def is_slip(wrong: str, right: str) -> bool:
    """Whether `wrong` is most likely `right` mistyped: `cards_old` and `cards2` are no slips."""
    one, other = wrong.lower(), right.lower()
    if one == other:
        return wrong != right
    marks = [re.sub(r"[^\W\d_]", "", name) for name in (one, other)]
    shortest, longest = sorted((len(one), len(other)))
    if marks[0] != marks[1] or shortest < 3:
        return False
    return slips(one, other) <= (2 if longest >= LONG else 1)


@dataclass(frozen=True)
class CriteriaNames:
    """Distinguishes a slip in `criteria` from a loss.

    `past` are the tables and `past_columns` the columns (`schema.table.column`) that the database
    has or had, as far as is known. The same slip is one exception each time: it is reported once.
    """

    criteria: Criteria
    past: frozenset[str] = frozenset()
    past_columns: frozenset[str] = frozenset()
    raised: dict[str, CriteriaError] = field(default_factory=dict)

    def slip_of(self, wrong: str, there: Iterable[str], taken: Collection[str] = ()) -> str:
        """Name among `there` that `wrong` is most likely meant to be; empty for none."""
        *schema, name = split_name(wrong)
        for each in sorted(set(there) - set(taken)):
            *its_schema, its_name = split_name(each)
            if its_schema == schema and is_slip(name, its_name):
                return each
        return ""

    def lost_table(self, name: str, there: Collection[str], section: str = "[tables]") -> str:
        """Message on a table that `section` names and that is not `there`; a slip is raised.

        Raises `CriteriaError`.
        """
        near = "" if name in self.past else self.slip_of(name, there, self.criteria.tables)
        if near:
            self.refuse(
                f"{section} of the criteria file names {name}, but the backup has no such "
                f"table; did you mean {near!r}?",
                "the backup, its manifest and the last passed drill, if there are any",
                remedy_for("criteria", "unknown_table", path=self.criteria.path, name=name),
            )
        cause = "lost" if name in self.past else "missing"
        remedy = remedy_for("required_table", cause, section=section, path=self.criteria.path)
        if meant := in_other_database(name, there):
            remedy[:0] = remedy_for("other_database", "table", name=meant)
        return message(f"required table {name} is not in the restored database", remedy=remedy)

    def check_column(self, table: str, column: str, there: Collection[str], section: str) -> None:
        """Raise `CriteriaError` where `column` is most likely a slip of one of `there`."""
        is_known = f"{table}.{part_of(column)}" in self.past_columns
        near = "" if is_known else self.slip_of(column, there)
        if near:
            self.refuse(
                f"{section} of the criteria file names the column {column}, which {table} does "
                f"not have; did you mean {near!r}?",
                f"columns of {table} in the restored database",
                remedy_for("criteria", "unknown_column", path=self.criteria.path, name=column),
            )

    def check_query(
        self, error: psycopg.Error, query: str, place: str, target: Target, skipped: int = 0
    ) -> None:
        """Raise `CriteriaError` where `query`, which stands at `place`, is what is wrong.

        `skipped` letters stood before it when it ran.
        """
        if error.diag.context or error.diag.internal_query:
            return  # it came from a function of the database
        if is_more_than_one(error):
            self.refuse_query(f"{place} holds more than one statement; it must be one query", place)
        if error.sqlstate in NO_SQL:
            reason = error_text(error, own=query)
            self.refuse_query(f"{place} is not valid SQL here: {reason}", place)
        is_table = error.sqlstate == NO_TABLE
        wrong = wrong_name(error, query, skipped)
        if not wrong or self.was_there(wrong, is_table=is_table):
            return
        tables, columns = names_in(target)
        near = self.slip_of(wrong, tables if is_table else columns)
        if near:
            kind = "table" if is_table else "column"
            self.refuse_query(f"{place} names the {kind} {wrong}; did you mean {near!r}?", place)

    def check_head(
        self, error: psycopg.Error, query: str, target: Target, skipped: int = 0
    ) -> None:
        """Raise `CriteriaError`: the query for the migration head does not run here.

        Nothing is raised where it names what was there before: that is lost, and reported as drift.
        """
        place = "[drift] head of the criteria file"
        self.check_query(error, query, place, target, skipped)
        wrong, is_table = wrong_name(error, query, skipped), error.sqlstate == NO_TABLE
        there = names_in(target)[0 if is_table else 1]
        if not wrong or wrong in there or not self.was_there(wrong, is_table=is_table):
            reason = error_text(error, own=query)
            self.refuse_query(f"{place} does not return a migration head: {reason}", place)

    def was_there(self, name: str, *, is_table: bool) -> bool:
        """Whether a table or a column of this name is known of earlier."""
        past = self.past if is_table else self.past_columns
        return name in {split_name(each)[-1] for each in past}

    def refuse_query(self, what: str, place: str) -> NoReturn:
        """Raise the `CriteriaError` that the query at `place` is wrong, in the words of `what`."""
        checked = "tables and columns of the restored database"
        self.refuse(what, checked, remedy_for("criteria", "wrong_query", place=place))

    def refuse(self, what: str, checked: str, remedy: list[str]) -> NoReturn:
        """Raise the `CriteriaError` that says `what`: one and the same each time.

        Without its traceback, to which each time would add.
        """
        made = CriteriaError(what, checked=[checked], remedy=remedy)
        raise self.raised.setdefault(what, made).with_traceback(None)


def is_more_than_one(error: psycopg.Error) -> bool:
    """Whether the server refused a query because it is several statements."""
    return error.sqlstate == "42601" and error.diag.source_file == "postgres.c"


def wrong_name(error: psycopg.Error, query: str, skipped: int = 0) -> str:
    """Table or column that `query` names and the server does not know; empty for none."""
    if error.sqlstate not in (NO_TABLE, NO_COLUMN) or not error.diag.statement_position:
        return ""
    found = IDENTIFIER.match(query, max(int(error.diag.statement_position) - 1 - skipped, 0))
    return found[1].strip('"') if found else ""


def names_in(target: Target) -> tuple[set[str], set[str]]:
    """Names of all tables and views, without their schemas, and of all columns in `target`."""
    tables = "SELECT relname FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind = ANY (%s)"
    with target.connect_read_only() as connection:
        found = connection.execute(tables, [list("rpvmf")]).fetchall()
        columns = connection.execute(COLUMNS).fetchall()
    return {name for (name,) in found}, {name for (name,) in columns}
