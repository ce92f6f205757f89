"""Kinds of objects: views and materialised views, rules and triggers."""

from __future__ import annotations

from restore_drill.facts.schema.kinds import Kind

VIEWS = """
    SELECT n.nspname || '.' || c.relname AS name,
        OPTIONS(c.reloptions, view),
        pg_get_viewdef(c.oid) AS expr_query
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'v' AND OWN(pg_class, c.oid) AND n.nspname !~ '^pg_temp'
"""

MATERIALIZED_VIEWS = """
    SELECT n.nspname || '.' || c.relname AS name,
        OPTIONS(c.reloptions, table), am.amname,
        pg_get_viewdef(c.oid) AS expr_query
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_am am ON am.oid = c.relam
    WHERE c.relkind = 'm' AND OWN(pg_class, c.oid)
"""

UNPOPULATED = """
    SELECT n.nspname || '.' || c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND NOT c.relispopulated AND OWN(pg_class, c.oid)
"""

RULES = """
    SELECT n.nspname || '.' || c.relname || '.' || r.rulename AS name,
        pg_get_ruledef(r.oid) AS expr_definition, r.ev_enabled
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN' AND OWN(pg_class, c.oid)
"""

# The clone of a trigger on a partition is read only where its state is not its parent's.
TRIGGERS = """
    SELECT n.nspname || '.' || c.relname || '.' || t.tgname AS name,
        pg_get_triggerdef(t.oid) AS expr_definition
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND OWN(pg_class, c.oid)
"""

TRIGGER_STATES = """
    SELECT n.nspname || '.' || c.relname || '.' || t.tgname AS name, t.tgenabled
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_trigger p ON p.oid = t.tgparentid
    WHERE coalesce(p.tgenabled, 'O') <> t.tgenabled AND OWN(pg_class, c.oid)
        AND (NOT t.tgisinternal OR (t.tgparentid <> 0 AND t.tgconstraint = 0))
"""

KINDS = (
    Kind("view", VIEWS, of_dialect=True),
    Kind("materialized view", MATERIALIZED_VIEWS, of_dialect=True),
    Kind("unpopulated state of", UNPOPULATED),
    Kind("rule", RULES, of_dialect=True),
    Kind("trigger", TRIGGERS),
    Kind("special state of trigger", TRIGGER_STATES),
)
