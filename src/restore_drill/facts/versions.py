"""Versions that order and behaviour hang on: collations and extensions, for the record."""

from __future__ import annotations

from typing import LiteralString

from restore_drill.core.names import apart
from restore_drill.core.units import show_count
from restore_drill.facts.session import Connection

DATABASE_COLLATION: LiteralString = """
    SELECT CASE to_jsonb(d) ->> 'datlocprovider'
            WHEN 'i' THEN 'ICU' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
        coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate),
        to_jsonb(d) ->> 'datcollversion', pg_encoding_to_char(d.encoding)
    FROM pg_database d WHERE d.datname = current_database()"""

DATABASE_ACTUAL: LiteralString = """
    SELECT pg_database_collation_actual_version(d.oid)
    FROM pg_database d WHERE d.datname = current_database()"""

COLLATIONS: LiteralString = """
    WITH used AS MATERIALIZED (
        SELECT c.oid, n.nspname, c.collname, c.collversion
        FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
        WHERE c.collversion IS NOT NULL AND c.oid IN (
            SELECT a.attcollation FROM pg_attribute a
            UNION SELECT unnest(i.indcollation) FROM pg_index i))
    SELECT n.nspname || '.' || n.collname, n.collversion, pg_collation_actual_version(n.oid)
    FROM used n WHERE n.collversion IS DISTINCT FROM pg_collation_actual_version(n.oid)
    ORDER BY 1"""
"""Of collations that are used: a server with ICU has 800, and opens each that it is asked for."""

EXTENSIONS: LiteralString = """
    SELECT e.extname || ' ' || e.extversion FROM pg_extension e
    WHERE e.extname <> 'plpgsql' ORDER BY 1"""


def version_notes(connection: Connection, major: int) -> list[str]:
    """Notes on the collation and the extensions of the restored database."""
    notes = []
    row = connection.execute(DATABASE_COLLATION).fetchone()
    if row:
        provider, locale, version, encoding = row
        which = f"version {version}" if version else "without a version"
        notes.append(
            f"restored with collation {locale} ({provider}, {which}), encoding {encoding}: "
            "text may sort differently from the source if its collation differs"
        )
        actual = connection.execute(DATABASE_ACTUAL).fetchone() if major >= 15 else None
        if actual and version and actual[0] != version:
            notes.append(
                f"the database's collation was version {version} when it was created and is "
                f"{actual[0]} now: REINDEX it, then ALTER DATABASE ... REFRESH COLLATION VERSION"
            )
    notes += [
        f"collation {name} was version {was} when it was created and is {now} now: "
        "REINDEX what uses it, then ALTER COLLATION ... REFRESH VERSION"
        for name, was, now in connection.execute(apart(COLLATIONS).encode())
    ]
    extensions = [name for (name,) in connection.execute(EXTENSIONS)]
    if extensions:
        notes.append(
            f"{show_count(len(extensions), 'extension')} restored in this server's "
            f"versions, because a dump does not record versions: {', '.join(extensions)}"
        )
    return notes
