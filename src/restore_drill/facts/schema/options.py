"""Options in the catalog: which of them a dump is known to carry, by what they belong to.

pg_dump writes the options that it finds, but for what the server keeps among them for itself: 15.20
came with one, later minor versions may add others. So only options that PostgreSQL 14 to 18 give to
users (`reloptions.c`) are compared; those of any other name are reported as not compared, by name.
Options of foreign data have free names; the prefix `pg_` is the server's.
"""

from __future__ import annotations

import re

from restore_drill.facts.session import Connection

VACUUM = [
    "autovacuum_enabled", "autovacuum_vacuum_threshold", "autovacuum_vacuum_max_threshold",
    "autovacuum_vacuum_insert_threshold", "autovacuum_analyze_threshold",
    "autovacuum_vacuum_cost_delay", "autovacuum_vacuum_cost_limit",
    "autovacuum_vacuum_scale_factor", "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_scale_factor", "autovacuum_freeze_min_age", "autovacuum_freeze_max_age",
    "autovacuum_freeze_table_age", "autovacuum_multixact_freeze_min_age",
    "autovacuum_multixact_freeze_max_age", "autovacuum_multixact_freeze_table_age",
    "log_autovacuum_min_duration", "vacuum_index_cleanup", "vacuum_truncate",
    "vacuum_max_eager_freeze_failure_rate",
]  # fmt: skip
DUMPED = {
    "column": ["n_distinct", "n_distinct_inherited"],
    "table": [
        *VACUUM, "fillfactor", "parallel_workers", "toast_tuple_target", "user_catalog_table",
    ],
    "view": ["check_option", "security_barrier", "security_invoker"],
    "index": [
        "fillfactor", "deduplicate_items", "vacuum_cleanup_index_scale_factor", "fastupdate",
        "gin_pending_list_limit", "buffering", "pages_per_range", "autosummarize",
    ],
}  # fmt: skip
"""Options by what they belong to, of all majors: a name that a server lacks does no harm there."""
OF_THE_SERVER = ("pg_attver",)
"""Known as the server's own: versions of the columns, which pg_dump leaves out (since 15.20)."""

FOREIGN = "foreign object"

CALL = re.compile(r"(OPTIONS|AS_WRITTEN)\(([\w.]+), (\w+)\)")

FOUND = """
    SELECT DISTINCT kind, name FROM (
        SELECT CASE WHEN c.relkind IN ('i', 'I') THEN 'index' WHEN c.relkind = 'v' THEN 'view'
                ELSE 'table' END AS kind, c.reloptions AS options
            FROM pg_class c WHERE c.reloptions IS NOT NULL AND c.oid >= 16384
        UNION ALL
        SELECT 'column', a.attoptions FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attoptions IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped
                AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.oid >= 16384
        UNION ALL SELECT 'foreign object', attfdwoptions FROM pg_attribute WHERE attrelid >= 16384
        UNION ALL SELECT 'foreign object', ftoptions FROM pg_foreign_table
        UNION ALL SELECT 'foreign object', srvoptions FROM pg_foreign_server
        UNION ALL SELECT 'foreign object', fdwoptions FROM pg_foreign_data_wrapper
    ) holder, unnest(options) option, split_part(option, '=', 1) name
    ORDER BY 1, 2
"""


def with_options(query: str) -> str:
    """`query` with its calls put in: of a list of options of a kind, those that are compared.

    OPTIONS(list, kind) gives them as a list, AS_WRITTEN(list, kind) as the server writes them
    behind an index; AS_WRITTEN(list, all) writes all of them.
    """
    return CALL.sub(lambda call: WAYS[call[1]](call[2], call[3]), query)


def listed(options: str, kind: str) -> str:
    """SQL for those of the `options` of a `kind` that are compared, sorted."""
    return f"""ARRAY(SELECT option FROM unnest({options}) option
        WHERE {is_compared(kind)} ORDER BY option COLLATE "C")"""


def written(options: str, kind: str) -> str:
    """SQL for the same, as the server writes them at the end of an index's definition."""
    return f"""coalesce((SELECT ' WITH (' || string_agg(quote_ident(parts[1]) || '='
            || CASE quote_ident(parts[2]) WHEN parts[2] THEN parts[2]
                ELSE quote_literal(parts[2]) END, ', ') || ')'
        FROM unnest({options}) option, regexp_match(option, '^([^=]*)=(.*)$') parts
        WHERE {is_compared(kind)}), '')"""


WAYS = {"OPTIONS": listed, "AS_WRITTEN": written}


def is_compared(kind: str) -> str:
    """SQL condition that a dump is known to carry an `option` of a `kind`."""
    if kind == "all":
        return "true"
    if kind == "foreign":
        return "option !~ '^pg_'"
    names = ", ".join(f"'{name}'" for name in DUMPED[kind])
    return f"split_part(option, '=', 1) IN ({names})"


HIDDEN = """
    SELECT 'connection of subscription ' || subname FROM pg_subscription s
        JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()
    UNION ALL SELECT 'options of user mapping ' || srvname || ' for ' || usename
        FROM pg_user_mappings
    ORDER BY 1
"""
NOT_HASHED = "it may hold a password, so not even a hash is kept"


def not_compared(connection: Connection) -> list[tuple[str, str]]:
    """Options in the catalog that are not compared, and what may be a secret, and why."""
    found = [
        f"{name} of each {kind}"
        for kind, name in connection.execute(FOUND)
        if name not in OF_THE_SERVER
        and (name.startswith("pg_") if kind == FOREIGN else name not in DUMPED[kind])
    ]
    why = "it is not known whether a dump holds it"
    hidden = [(what, NOT_HASHED) for (what,) in connection.execute(HIDDEN).fetchall()]
    return [(f"option {each}", why) for each in found] + hidden
