"""Damages to the objects of a copy of the restored database: each is dropped, or made invalid."""

from __future__ import annotations

from restore_drill.damages.model import OBJECTS, DatabaseDamage
from restore_drill.damages.queries import OF_NO_EXTENSION, USER, constraint, largest

OBJECT_DAMAGES = (
    DatabaseDamage(
        "dropped_table",
        "the largest table is missing",
        OBJECTS,
        largest("'DROP TABLE %1$I.%2$I CASCADE'"),
    ),
    DatabaseDamage(
        "dropped_foreign_key",
        "a foreign key is missing",
        OBJECTS,
        constraint("'f'", "'ALTER TABLE %I.%I DROP CONSTRAINT %I'"),
    ),
    DatabaseDamage(
        "dropped_primary_key",
        "a primary key is missing",
        OBJECTS,
        constraint("'p'", "'ALTER TABLE %I.%I DROP CONSTRAINT %I CASCADE'"),
    ),
    DatabaseDamage(
        "unvalidated_constraint",
        "a constraint is not validated",
        frozenset({"test_constraints_are_validated"}),
        constraint(
            "'f', 'c'",
            "'UPDATE pg_catalog.pg_constraint SET convalidated = false"
            " WHERE conrelid = ''%1$I.%2$I''::regclass AND conname = %3$L'",
        ),
    ),
    DatabaseDamage(
        "dropped_index",
        "an index is missing",
        OBJECTS,
        f"""
        SELECT format('DROP INDEX %I.%I', n.nspname, c.relname)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'i' AND NOT c.relispartition AND {USER} AND NOT EXISTS
            (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid) AND {OF_NO_EXTENSION}
        ORDER BY c.oid LIMIT 1""",
    ),
    DatabaseDamage(
        "invalid_index",
        "an index is invalid",
        frozenset({"test_indexes_are_valid"}),
        f"""
        SELECT format('UPDATE pg_catalog.pg_index SET indisvalid = false'
                      ' WHERE indexrelid = %L::regclass', format('%I.%I', n.nspname, c.relname))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'i' AND {USER} ORDER BY c.oid LIMIT 1""",
    ),
    DatabaseDamage(
        "dropped_view",
        "a view is missing",
        OBJECTS,
        f"""
        SELECT format('DROP VIEW %I.%I CASCADE', n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'v' AND {USER} AND {OF_NO_EXTENSION} ORDER BY c.oid LIMIT 1""",
    ),
    DatabaseDamage(
        "dropped_function",
        "a function is missing",
        OBJECTS,
        f"""
        SELECT format('DROP ROUTINE %s CASCADE', c.oid::regprocedure)
        FROM pg_proc c JOIN pg_namespace n ON n.oid = c.pronamespace
        WHERE {USER} AND c.prokind IN ('f', 'p') AND {OF_NO_EXTENSION} ORDER BY c.oid LIMIT 1""",
    ),
    DatabaseDamage(
        "dropped_trigger",
        "a trigger is missing",
        OBJECTS,
        f"""
        SELECT format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND {USER} ORDER BY t.oid LIMIT 1""",
    ),
)
