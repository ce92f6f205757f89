"""Tables whose rows may be loaded only after others': a CHECK or generated column that reads them.

pg_dump does not know what a function reads, and loads tables in an order of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from restore_drill.backups.plaindump.statements import filled_table

BY_READING = ("23", "22", "P0")
"""Classes of errors that a function may cause which reads rows that come later."""
Query = Callable[[str], list[list[str]]]

FUNCTIONS = """
SELECT DISTINCT p.oid::pg_catalog.regprocedure,
    coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc)
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    AND l.lanname NOT IN ('internal', 'c')
    AND (d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid IN (
            SELECT oid FROM pg_catalog.pg_constraint WHERE conrelid = {table}
            OR contypid IN (SELECT atttypid FROM pg_catalog.pg_attribute
                            WHERE attrelid = {table} AND attnum > 0))
        OR d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid IN (
            SELECT oid FROM pg_catalog.pg_attrdef WHERE adrelid = {table})
        -- Before PostgreSQL 15 it is the generated column itself that depends on the function.
        OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = {table}
            AND d.objsubid > 0)
"""
TABLES = """
SELECT c.relname, c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.oid <> {table} AND n.nspname NOT LIKE 'pg\\_%'
    AND n.nspname <> 'information_schema'
"""


def reads_later(statement: str, query: Query) -> str:
    """`public.ok(integer) reads public.later` where that is why the rows of a COPY were refused.

    It is so where a function that the table calls for each row names a table without rows so far.
    """
    filled = filled_table(statement.encode()).decode()
    if not filled:
        return ""
    name = filled.replace("'", "''")
    table = f"pg_catalog.to_regclass('{name}')"
    functions = query(FUNCTIONS.format(table=table))
    if not functions:
        return ""
    tables = query(TABLES.format(table=table))
    for function, body in functions:
        words = set(re.findall(r"[\w$]+", body))
        for short, full in tables:
            if short in words and query(f"SELECT 1 WHERE NOT EXISTS (SELECT FROM {full})"):  # noqa: S608
                return f"{function} reads {full}"
    return ""
