"""What a new database is made with to be like a live one: encoding, locale, owner, tablespace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import sql

from restore_drill.live.server.owning import may_own, membership_to_own
from restore_drill.servers.model import Target

LIKE = """
    SELECT pg_catalog.to_jsonb(d) || pg_catalog.jsonb_build_object(
        'encoding', pg_catalog.pg_encoding_to_char(encoding),
        'owner', CASE WHEN {may_own} THEN pg_catalog.pg_get_userbyid(datdba) END,
        'tablespace', CASE WHEN pg_catalog.has_tablespace_privilege(dattablespace, 'CREATE')
            THEN (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = dattablespace) END)
    FROM pg_catalog.pg_database d WHERE datname = %s
"""
"""The live database; owner and tablespace only where this role may make a database with them."""


def like_live(target: Target) -> tuple[bytes, list[str]]:
    """LIKE of `target`, with its parameters."""
    query = LIKE.format(may_own=may_own("datdba"))
    return query.encode(), [membership_to_own(target), target.conninfo["dbname"]]


def options_like(row: dict[str, Any]) -> Iterator[sql.Composed]:
    """Options of CREATE DATABASE for one like that of `row` (see LIKE)."""
    provider = row.get("datlocprovider", "c")
    locale = row.get("datlocale") or row.get("daticulocale")
    given = {
        "ENCODING": row["encoding"],
        "LC_COLLATE": row["datcollate"],
        "LC_CTYPE": row["datctype"],
        "ICU_LOCALE": locale if provider == "i" else None,
        "ICU_RULES": row.get("daticurules"),
        "BUILTIN_LOCALE": locale if provider == "b" else None,
        "LOCALE_PROVIDER": {"i": "icu", "b": "builtin"}.get(provider)
        or ("libc" if "datlocprovider" in row else None),
    }
    for option, value in given.items():
        if value is not None:
            yield sql.SQL(option + " {}").format(sql.Literal(value))
    for option, name in (("OWNER", row["owner"]), ("TABLESPACE", row["tablespace"])):
        if name is not None:
            yield sql.SQL(option + " {}").format(sql.Identifier(name))
