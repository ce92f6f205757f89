"""The statements that pg_dump writes, by their words: one pattern for each, for all who read them.

The table of contents, the judges of what may not be restored and the split restore all go by
these. Most are as strict as pg_dump is regular, for what is taken away from its place in the dump.
"""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.names import COLUMNS, NAME, QUALIFIED
from restore_drill.core.patterns import late


def pattern(text: bytes, flags: int = 0) -> re.Pattern[bytes]:
    """Regular expression in which a space is any white space.

    `<Q>` is a qualified name, `<I>` one of a single part, `<C>` columns in parentheses.
    """
    text = text.replace(b" ", rb"\s++").replace(b"<Q>", QUALIFIED).replace(b"<I>", NAME)
    return late(text.replace(b"<C>", COLUMNS), re.DOTALL | flags)


PLAIN = rb"""[^'"();\\$]*+"""
PLAIN_NAME = rb"""(?:[^\s'"();\\$.]++|"[^"]*+")"""
SIMPLE_INSERT = re.compile(
    rb"INSERT INTO " + PLAIN_NAME + rb"(?:\." + PLAIN_NAME + rb")? "
    rb"(\(" + PLAIN + rb'(?:"[^"]*+"' + PLAIN + rb"|(?!))*+\) )?"
    rb"VALUES \(" + PLAIN + rb"(?:(?<![eE])'[^']*+'" + PLAIN + rb"|(?!))*+\);"
)
"""An INSERT of one row of plain values, which is nearly all of a dump with --inserts.

No byte of it can be read in two ways and nothing is ever given back, so that any other row is
known for it in one pass.
"""
INSERT = pattern(
    rb"INSERT INTO (?P<table><Q>)\s*(?P<columns>\()?"
    rb'(?(columns)(?:[^()"]*+(?:"[^"]*+"[^()"]*+|(?!))*+\)\s*+)?)'
    rb"(?:OVERRIDING (?P<overriding>\w+) VALUE )?(?P<rows>VALUES\b|DEFAULT\b)?",
    re.IGNORECASE,
)
"""An INSERT: its table, whether it lists columns, what values of identities are for it (SYSTEM or
USER ones are overridden), and whether `rows` follow, not a query."""
COPY_IN = re.compile(rb"copy\s.*\sfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
"""What rows follow, by psql's rules."""
COPY = pattern(
    rb"COPY (?:ONLY )?(?P<table><Q>)(?:\s*(?P<columns><C>))?(?P<source> FROM\b)?(?: STDIN;)?",
    re.IGNORECASE,
)
"""A COPY of a table; as pg_dump writes one where all of it matches."""

SETTING = pattern(
    rb"SET (statement_timeout|lock_timeout|idle_in_transaction_session_timeout"
    rb"|transaction_timeout|client_encoding|standard_conforming_strings|check_function_bodies"
    rb"|xmloption|client_min_messages|escape_string_warning|row_security|default_tablespace"
    rb"|default_table_access_method|default_with_oids|search_path)\b[^;]*;"
    rb"|SELECT pg_catalog\.set_config\('(search_path)', '[^']*', false\);"
)
"""SET statements whose whole effect is to set what they name, for the session."""

DEFINITION = pattern(rb"(?:CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|SECURITY LABEL) ", re.IGNORECASE)
SESSION_BOUND = pattern(rb"CREATE (?:\w+ )?(?:TEMP|TEMPORARY) ", re.IGNORECASE)
CREATE_TABLE = pattern(
    rb"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(?P<table><Q>)"
    rb"(?: PARTITION OF (?P<parent><Q>))?",
    re.IGNORECASE,
)
ATTACH_TABLE = pattern(rb"ALTER TABLE (?:ONLY )?(?P<parent><Q>) ATTACH PARTITION (?P<table><Q>)")
"""A table that becomes a partition; pg_dump before 12 creates it as one."""
CREATE_DATABASE = pattern(rb"CREATE DATABASE (?P<name><I>)", re.IGNORECASE)
CREATE_EXTENSION = pattern(rb"CREATE EXTENSION (?:IF NOT EXISTS )?(?P<name><I>)", re.IGNORECASE)
TABLESPACE = pattern(rb"(?:SET default_tablespace =|CREATE TABLESPACE) (?P<name><I>)")
SETVAL = pattern(rb"SELECT pg_catalog\.setval\('[^']*+(?:''[^']*+)*+', -?\d+, (?:true|false)\);")
STATISTICS = re.compile(rb"SELECT \* FROM pg_catalog\.pg_restore_\w+_stats\(")
LARGE_OBJECT = pattern(
    rb"BEGIN;|COMMIT;"
    rb"|SELECT pg_catalog\.lo(?:_open|_create|_close|_unlink|write)\([^()]*\);"
    rb"|SELECT CASE WHEN EXISTS\(SELECT 1 FROM pg_catalog\.pg_largeobject_metadata"
    rb" WHERE oid = '\d+'\) THEN pg_catalog\.lo_unlink\('\d+'\) END;"
    rb"|SELECT pg_catalog\.lo_unlink\(oid\) FROM pg_catalog\.pg_largeobject_metadata"
    rb" WHERE oid = '\d+';"
    rb"|ALTER LARGE OBJECT \d+ OWNER TO <I>;"
)
NEW_LARGE_OBJECT = b"SELECT pg_catalog.lo_create("
CONSTRAINT = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><Q>) ADD CONSTRAINT (?P<name><I>)"
    rb" (?P<kind>PRIMARY KEY|UNIQUE)(?P<nulls> NULLS NOT DISTINCT)? (?P<columns><C>)"
    rb"(?P<rest>(?: INCLUDE <C>)?(?: WITH <C>)?(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?);"
)
EXCLUSION = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><Q>) ADD CONSTRAINT (?P<name><I>) EXCLUDE"
    rb" USING (?P<keys>.*);"
)
FOREIGN_KEY = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><Q>) ADD CONSTRAINT (?P<name><I>)"
    rb" FOREIGN KEY (?P<columns><C>)"
    rb" REFERENCES (?P<parent><Q>)\s*(?P<parent_columns><C>)"
    rb"(?: MATCH FULL| ON (?:UPDATE|DELETE) (?:CASCADE|RESTRICT|SET NULL|SET DEFAULT)(?: <C>)?"
    rb"| DEFERRABLE| INITIALLY DEFERRED)*(?P<not_valid> NOT VALID)?;"
)
LOST_RULE = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><Q>) ADD CONSTRAINT (?P<name><I>)"
    rb" (?P<kind>PRIMARY KEY|UNIQUE|EXCLUDE|CHECK|NOT NULL)(?P<nulls> NULLS NOT DISTINCT)?"
    rb"(?:\s*(?P<columns><C>))?.*;"
)
"""Any constraint but a foreign key, of which more need not be understood."""
LOST_UNIQUE_INDEX = pattern(
    rb"CREATE (?P<kind>UNIQUE) INDEX (?P<name><I>) ON (?:ONLY )?(?P<table><Q>) USING (?:"
    rb"btree (?P<columns><C>)(?: INCLUDE <C>)?(?P<nulls> NULLS NOT DISTINCT)?(?: WITH \([^()]*\))?"
    rb"|.*);"
)
"""A unique index, with its `columns` only where it is of plain columns and of all rows."""
REFRESH = pattern(rb"REFRESH MATERIALIZED VIEW (?P<view><Q>);")
INDEX = pattern(
    rb"CREATE (?P<unique>UNIQUE )?INDEX (?P<name><I>) ON (?:ONLY )?(?P<table><Q>)"
    rb" USING (?P<keys>.*);"
)
ATTACH = pattern(rb"ALTER INDEX (?P<parent><Q>) ATTACH PARTITION (?P<child><Q>);")
INDEX_DETAIL = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><Q>) (?:CLUSTER ON|REPLICA IDENTITY USING INDEX) <I>;"
)


def filled_table(sql: bytes) -> bytes:
    """Table that a COPY or an INSERT fills, as it stands there; empty for any other statement."""
    found = COPY.match(sql) or INSERT.match(sql)
    return found["table"] if found else b""


def setting_of(statement: Statement) -> bytes | None:
    """Name of the setting that a statement sets for the session and does nothing else."""
    found = SETTING.fullmatch(statement.sql.strip())
    return (found.group(1) or found.group(2)) if found else None


def is_definition(statement: Statement) -> bool:
    """Whether it defines or drops something that outlives the session."""
    sql = statement.sql
    return bool(DEFINITION.match(sql)) and not SESSION_BOUND.match(sql)


def is_large_object(statement: Statement) -> bool:
    """Whether it is one of those with which pg_dump restores or drops large objects.

    Not one that begins or ends a transaction, which may be any.
    """
    is_frame = statement.sql.startswith((b"BEGIN", b"COMMIT"))
    return not is_frame and bool(LARGE_OBJECT.fullmatch(statement.sql))


def is_whole_at_its_place(statement: Statement) -> bool:
    """Whether nothing of it but its outcome in the database is left behind it."""
    return is_definition(statement) or bool(REFRESH.fullmatch(statement.sql))


def sorts_by(columns: bytes, keys: bytes) -> bool:
    """Whether an index on `keys` holds all rows sorted by `columns`, as pg_dump writes both."""
    first = b"btree " + columns.removesuffix(b")")
    return keys.startswith((first + b")", first + b",")) and b" WHERE " not in keys


def calls_user_code(keys: bytes) -> bool:
    """Whether an index on `keys` may call functions of the database's own.

    pg_dump writes with an empty search_path: what is not the server's has its schema before it.
    """
    return b"." in keys
