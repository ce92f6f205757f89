"""Queries for the statement that does a damage, made from the catalog of the restored database.

Each returns that one statement, or no row where the database has nothing of the kind. They run as
superuser with session_replication_role = replica, so that triggers and keys look away, as they did
when such damages happened.
"""

from __future__ import annotations

USER = """n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND n.nspname NOT LIKE 'pg\\_%'"""
OF_NO_EXTENSION = (
    """NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')"""
)


def largest(action: str) -> str:
    """Query that puts the largest table with rows into `action`."""
    return f"""
        SELECT format({action}, n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.reltuples > 0 AND {USER} AND {OF_NO_EXTENSION}
        ORDER BY c.reltuples DESC, c.oid LIMIT 1"""


def constraint(kinds: str, action: str) -> str:
    """Query that puts the first constraint of `kinds` into `action`."""
    return f"""
        SELECT format({action}, n.nspname, c.relname, k.conname)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype IN ({kinds}) AND k.conparentid = 0 AND c.relkind IN ('r', 'p')
            AND {USER} AND {OF_NO_EXTENSION}
        ORDER BY k.oid LIMIT 1"""
