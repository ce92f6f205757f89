"""Whether the schema was changed after a snapshot: definitions are read as they are by then.

The server writes a definition (pg_get_viewdef and others) from what its catalogs hold now, whatever
snapshot asks.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from restore_drill.facts.session import Connection

BY_ENTRY = (
    "pg_cast", "pg_collation", "pg_conversion", "pg_db_role_setting", "pg_default_acl",
    "pg_description", "pg_enum", "pg_event_trigger", "pg_extension", "pg_foreign_data_wrapper",
    "pg_foreign_server", "pg_opclass", "pg_operator", "pg_opfamily", "pg_policy",
    "pg_proc", "pg_publication", "pg_publication_rel", "pg_rewrite", "pg_seclabel",
    "pg_statistic_ext", "pg_trigger", "pg_ts_config", "pg_ts_dict",
)  # fmt: skip
"""Catalogs of which each change is one of the schema; temporary tables have no entries there."""
OF_TABLES: LiteralString = """
    SELECT hashtextextended(ROW(
        c.oid, c.relname, c.relnamespace, c.relowner, c.relam, c.reltablespace, c.relkind,
        c.relnatts, c.relchecks, c.relacl, c.reloptions, c.relpersistence, c.relrowsecurity,
        c.relforcerowsecurity, c.relreplident, c.relpartbound)::text, 0) AS hash
    FROM pg_class c WHERE c.relpersistence <> 't'
    UNION ALL
    SELECT hashtextextended(ROW(a.attrelid, a.attnum, a.xmin)::text, 1)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relpersistence <> 't'
    UNION ALL
    SELECT hashtextextended(ROW(n.oid, n.xmin)::text, 8)
    FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT hashtextextended(ROW(d.oid, d.xmin)::text, 6)
    FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid WHERE c.relpersistence <> 't'
    UNION ALL
    SELECT hashtextextended(ROW(s.seqrelid, s.xmin)::text, 7)
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE c.relpersistence <> 't'
    UNION ALL
    SELECT hashtextextended(ROW(i.indexrelid, i.indisvalid, i.indisreplident)::text, 2)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relpersistence <> 't'
    UNION ALL
    SELECT hashtextextended(ROW(k.oid, k.xmin)::text, 3)
    FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relpersistence IS DISTINCT FROM 't'
    UNION ALL
    SELECT hashtextextended(ROW(t.oid, t.xmin)::text, 4)
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE c.relpersistence IS DISTINCT FROM 't' AND t.typcategory <> 'A'
"""
"""Of these only what is of the schema: TRUNCATE, ANALYZE and temporary tables change them too."""


def state_of(session: Connection) -> int:
    """A number that is another one once the schema is, as the `session` sees it."""
    entries = [
        sql.SQL("SELECT hashtextextended(ROW({}, e.xmin)::text, 5) FROM {} e").format(
            sql.Literal(name), sql.Identifier(name)
        )
        for name in BY_ENTRY
    ]
    all_of_them = sql.SQL(" UNION ALL ").join([sql.SQL(OF_TABLES), *entries])
    row = session.execute(
        sql.SQL("SELECT coalesce(sum(hash), 0)::text FROM ({}) a").format(all_of_them)
    ).fetchone()
    assert row is not None
    return int(row[0])
