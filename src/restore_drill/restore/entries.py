"""What the entries of a plain dump are, by pg_dump's comments and by their own words.

Both must agree, word by word, before an entry is taken away from its place in the dump.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from restore_drill.backups.plaindump.events import Comment, Statement
from restore_drill.backups.plaindump.headings import heading_of
from restore_drill.backups.plaindump.names import NAME

QUALIFIED = NAME + rb"(?:\." + NAME + rb")?"
COLUMNS = rb'\([^()"]*+(?:"[^"]*+"[^()"]*+)*+\)'


def pattern(text: bytes) -> re.Pattern[bytes]:
    """Regular expression in which a space is any white space, N a qualified name, C columns."""
    text = text.replace(b" ", rb"\s+").replace(b"<N>", QUALIFIED).replace(b"<I>", NAME)
    return re.compile(text.replace(b"<C>", COLUMNS), re.DOTALL)


SETTING = re.compile(
    rb"SET (statement_timeout|lock_timeout|idle_in_transaction_session_timeout"
    rb"|transaction_timeout|client_encoding|standard_conforming_strings|check_function_bodies"
    rb"|xmloption|client_min_messages|escape_string_warning|row_security|default_tablespace"
    rb"|default_table_access_method|default_with_oids|search_path)\b[^;]*;"
    rb"|SELECT pg_catalog\.set_config\('(search_path)', '[^']*', false\);"
)
"""SET statements whose whole effect is to set what they name, for the session."""

DEFINITION = re.compile(
    rb"(?:CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|SECURITY LABEL)\s", re.IGNORECASE
)
SESSION_BOUND = re.compile(rb"CREATE\s+(?:\w+\s+)?(?:TEMP|TEMPORARY)\s", re.IGNORECASE)
COPY = pattern(rb"COPY (?P<table><N>) (?:<C> )?FROM stdin;")
INSERT = pattern(rb"INSERT INTO <N> ")
SETVAL = pattern(rb"SELECT pg_catalog\.setval\('[^']*+(?:''[^']*+)*+', -?\d+, (?:true|false)\);")
LARGE_OBJECT = pattern(
    rb"BEGIN;|COMMIT;"
    rb"|SELECT pg_catalog\.lo(?:_open|_create|_close|_unlink|write)\([^()]*\);"
    rb"|SELECT CASE WHEN EXISTS\(SELECT 1 FROM pg_catalog\.pg_largeobject_metadata"
    rb" WHERE oid = '\d+'\) THEN pg_catalog\.lo_unlink\('\d+'\) END;"
    rb"|ALTER LARGE OBJECT \d+ OWNER TO <I>;"
)
CONSTRAINT = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><N>) ADD CONSTRAINT (?P<name><I>)"
    rb" (?P<kind>PRIMARY KEY|UNIQUE)(?P<nulls> NULLS NOT DISTINCT)? (?P<columns><C>)"
    rb"(?P<rest>(?: INCLUDE <C>)?(?: WITH <C>)?(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?);"
)
FOREIGN_KEY = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><N>) ADD CONSTRAINT (?P<name><I>)"
    rb" FOREIGN KEY (?P<columns><C>)"
    rb" REFERENCES (?P<parent><N>)\s*<C>"
    rb"(?: MATCH FULL| ON (?:UPDATE|DELETE) (?:CASCADE|RESTRICT|SET NULL|SET DEFAULT)(?: <C>)?"
    rb"| DEFERRABLE| INITIALLY DEFERRED)*(?P<unproved> NOT VALID)?;"
)
REFRESH = pattern(rb"REFRESH MATERIALIZED VIEW <N>;")
INDEX = pattern(
    rb"CREATE (?P<unique>UNIQUE )?INDEX (?P<name><I>) ON (?:ONLY )?(?P<table><N>)"
    rb" USING (?P<keys>.*);"
)
ATTACH = pattern(rb"ALTER INDEX (?P<parent><N>) ATTACH PARTITION (?P<child><N>);")
INDEX_DETAIL = pattern(
    rb"ALTER TABLE (?:ONLY )?(?P<table><N>) (?:CLUSTER ON|REPLICA IDENTITY USING INDEX) <I>;"
)

PLACES = {
    "SEQUENCE SET": SETVAL,
    "BLOB": LARGE_OBJECT,
    "BLOBS": LARGE_OBJECT,
    "BLOB METADATA": LARGE_OBJECT,
}
"""Entries that touch no table, with what their statements look like: run where they stand."""

PATIENT = {
    "STATISTICS", "RULE", "TRIGGER", "POLICY", "ROW SECURITY", "COMMENT", "ACL", "DEFAULT ACL",
    "SECURITY LABEL", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA",
    "CHECK CONSTRAINT",
}  # fmt: skip
"""Entries behind the data that indexes and keys neither need nor change: they can wait for them."""

AFTER_DATA = {"CONSTRAINT", "INDEX", "INDEX ATTACH", "FK CONSTRAINT", *PATIENT} - {
    "COMMENT", "ACL", "DEFAULT ACL", "SECURITY LABEL", "CHECK CONSTRAINT",
}  # fmt: skip
"""Entries with which the part behind the data begins, where there is no data."""


class Header(NamedTuple):
    """What pg_dump's comment says of the entry below it."""

    kind: str
    is_data: bool


def header_of(comment: Comment) -> Header | None:
    """Header in a comment line, None where it is any other comment."""
    found = heading_of(comment.text)
    return Header(found.kind.decode("utf-8", "replace"), found.is_data) if found else None


def setting_of(statement: Statement) -> bytes | None:
    """Name of the setting that a statement sets for the session and does nothing else."""
    found = SETTING.fullmatch(statement.sql.strip())
    return (found.group(1) or found.group(2)) if found else None


def is_definition(statement: Statement) -> bool:
    """Whether it defines or drops something that outlives the session."""
    sql = statement.sql
    return bool(DEFINITION.match(sql)) and not SESSION_BOUND.match(sql)


def is_large_object(statement: Statement) -> bool:
    """Whether it is one of those with which pg_dump restores or drops large objects."""
    return bool(LARGE_OBJECT.fullmatch(statement.sql))


def is_known_in(kind: str, statement: Statement) -> bool:
    """Whether an entry of a `kind` in PLACES may hold this statement."""
    return bool(PLACES[kind].fullmatch(statement.sql))


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
