"""Parts of a dump that pg_dump writes by themselves: rows without tables, keys without either."""

from __future__ import annotations

from restore_drill.backups.model import Contents
from restore_drill.backups.plaindump.entries import POST_DATA, STATISTICS_DATA

DATA = {
    "TABLE DATA", "SEQUENCE SET", "BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS",
    "LARGE OBJECT", "LARGE OBJECTS",
}  # fmt: skip
"""Kinds of the data section."""
ANYWHERE = {
    "", "ACL", "CHECK CONSTRAINT", "COMMENT", "DATABASE", "DATABASE PROPERTIES", "DEFAULT ACL",
    "ENCODING", "EVENT TRIGGER", "MATERIALIZED VIEW DATA", "SEARCHPATH", "SECURITY LABEL",
    STATISTICS_DATA, "STDSTRINGS", "SUBSCRIPTION TABLE",
}  # fmt: skip
"""Kinds that say nothing of the section: of the whole database, or of other entries."""
NEED_A_TABLE = {"INDEX", "CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "RULE"}
NEED_ANYTHING = {"TABLE DATA", "SEQUENCE SET"}
SEVERAL = 2
"""Tables of which hardly a database has none with a key."""


def part_alone(contents: Contents) -> str:
    """Which part of a dump `contents` are that cannot be restored by itself; empty for a dump.

    By its table of contents: rows without any definition, or keys without their tables.
    """
    kinds = {entry.kind for entry in contents.entries}
    if kinds - DATA - POST_DATA - ANYWHERE:
        return ""
    has_rows, has_keys = bool(kinds & NEED_ANYTHING), bool(kinds & NEED_A_TABLE)
    if has_rows and has_keys:
        return "rows, indexes and keys without their tables (--section=data --section=post-data)"
    if has_rows:
        return "only rows, without their tables (--data-only, or --section=data)"
    if has_keys:
        return "only indexes, keys and triggers, without their tables (--section=post-data)"
    return "only statistics (--statistics-only)" if STATISTICS_DATA in kinds else ""


def without_keys(contents: Contents) -> str:
    """That `contents` have rows of several tables and nothing of the post-data section.

    Such a database can be, but no dump says with which options it was taken. Empty where it has
    something of that section, is too small to show it, or was cut before it comes.
    """
    if not contents.is_complete:
        return ""
    kinds = [entry.kind for entry in contents.entries]
    if kinds.count("TABLE") < SEVERAL or "TABLE DATA" not in kinds or POST_DATA & {*kinds} - {""}:
        return ""
    return "the backup holds no index, key, foreign key or trigger; was it taken with --section?"


def without_rows(contents: Contents) -> str:
    """That `contents` have tables and the rows of none; empty where they have some, or were cut."""
    if not contents.is_schema_only or not contents.is_complete:
        return ""
    return "the backup holds no rows (--schema-only, or --section=pre-data): none can be checked"
