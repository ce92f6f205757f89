"""What the catalog alone says is wrong, or is as it should not be after a restore."""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from restore_drill.backups.model import Contents
from restore_drill.facts.catalog import FAR, USER_SCHEMA
from restore_drill.facts.catalog_reader import CatalogReader

UNVALIDATED: LiteralString = (
    """
    SELECT n.nspname || '.' || coalesce(c.relname, t.typname) || ': ' || k.conname
    FROM pg_constraint k
    JOIN pg_namespace n ON n.oid = k.connamespace
    LEFT JOIN pg_class c ON c.oid = k.conrelid
    LEFT JOIN pg_type t ON t.oid = k.contypid
    WHERE NOT k.convalidated AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
        AND NOT EXISTS (
            SELECT FROM pg_inherits i JOIN pg_constraint above ON above.conrelid = i.inhparent
            WHERE i.inhrelid = k.conrelid AND above.conname = k.conname
                AND NOT above.convalidated) AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)

NOT_ENFORCED: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname || ': ' || k.conname
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE to_jsonb(k) ->> 'conenforced' = 'false' AND k.contype = 'c' AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)

INVALID_INDEXES: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname || ' on ' || t.relname || coalesce(' (no index on '
        || (SELECT string_agg(p.inhrelid::regclass::text, ', ' ORDER BY p.inhrelid::regclass::text)
            FROM pg_inherits p WHERE p.inhparent = t.oid AND c.relkind = 'I' AND NOT EXISTS (
                SELECT FROM pg_inherits pi JOIN pg_index x ON x.indexrelid = pi.inhrelid
                WHERE pi.inhparent = c.oid AND x.indrelid = p.inhrelid)) || ')', '')
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)

HALF_DETACHED: LiteralString = """
    SELECT i.inhrelid::regclass || ' is half detached from ' || i.inhparent::regclass
    FROM pg_inherits i WHERE to_jsonb(i) ->> 'inhdetachpending' = 'true' ORDER BY 1"""

SWITCHED_OFF: LiteralString = (
    """
    SELECT 'TRIGGER ' || n.nspname || '.' || c.relname || '.' || t.tgname,
        CASE WHEN t.tgisinternal
            THEN 'a trigger of ' || coalesce('constraint ' || k.conname, 'a constraint')
            ELSE 'trigger ' || t.tgname END
        || ' on ' || n.nspname || '.' || c.relname, t.tgenabled::text
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_trigger p ON p.oid::text = to_jsonb(t) ->> 'tgparentid'
    LEFT JOIN pg_constraint k ON k.oid = nullif(t.tgconstraint, 0)
    WHERE t.tgenabled IN ('D', 'R') AND t.tgenabled IS DISTINCT FROM p.tgenabled AND"""
    + USER_SCHEMA
    + """
    UNION ALL
    SELECT 'RULE ' || n.nspname || '.' || c.relname || '.' || r.rulename,
        'rule ' || r.rulename || ' on ' || n.nspname || '.' || c.relname, r.ev_enabled::text
    FROM pg_rewrite r
    JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.ev_enabled IN ('D', 'R') AND"""
    + USER_SCHEMA
    + """
    UNION ALL
    SELECT 'EVENT TRIGGER ' || evtname, 'event trigger ' || evtname, evtenabled::text
    FROM pg_event_trigger WHERE evtenabled IN ('D', 'R')
    ORDER BY 2"""
)

UNPOPULATED: LiteralString = (
    """
    SELECT n.nspname, c.relname, c.oid IN ("""
    + FAR
    + """)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND NOT c.relispopulated AND"""
    + USER_SCHEMA
    + "ORDER BY 1, 2"
)

WITHOUT_STATISTICS: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
        AND (c.relkind = 'r' OR c.relispopulated) AND pg_relation_size(c.oid) > 0
        AND (c.reltuples < 0 OR (c.reltuples > 0 AND NOT c.relforcerowsecurity AND NOT EXISTS (
            SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)))
        AND EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                AND NOT a.attisdropped AND coalesce(a.attstattarget, -1) <> 0)
        AND pg_has_role(c.relowner, 'USAGE') AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)
"""Tables that hold pages: those without a row are taken out by the caller."""

LARGE_OBJECTS: LiteralString = "SELECT count(*) FROM pg_largeobject_metadata"


class State(NamedTuple):
    """What the catalog says; each tuple names objects, none where all is well.

    `unproved` are constraints that the backup itself leaves NOT VALID, as its source did.
    """

    unvalidated: tuple[str, ...]
    unproved: tuple[str, ...]
    unenforced_checks: tuple[str, ...]
    invalid_indexes: tuple[str, ...]
    half_detached: tuple[str, ...]
    switched_off: tuple[str, ...]
    unpopulated: tuple[tuple[str, str, bool], ...]
    without_statistics: tuple[str, ...]
    large_objects: int


def read_state(reader: CatalogReader, contents: Contents | None) -> State:
    """Read all states; what `contents` itself switches off is as it was in the source."""

    def names(part: str, query: LiteralString) -> tuple[str, ...]:
        return tuple(row[0] for row in reader.rows(part, query))

    meant = contents.switched_off if contents else frozenset()
    unproved = contents.not_valid if contents else frozenset()
    invalid = names("constraints that are NOT VALID", UNVALIDATED)
    counted = reader.rows("large objects", LARGE_OBJECTS)
    return State(
        unvalidated=tuple(name for name in invalid if name not in unproved),
        unproved=tuple(name for name in invalid if name in unproved),
        unenforced_checks=names("constraints that are NOT ENFORCED", NOT_ENFORCED),
        invalid_indexes=names("state of indexes", INVALID_INDEXES),
        half_detached=names("state of partitions", HALF_DETACHED),
        switched_off=tuple(
            f"{told} is disabled" if state == "D" else f"{told} works only on a replica"
            for key, told, state in reader.rows("state of triggers", SWITCHED_OFF)
            if key not in meant
        ),
        unpopulated=tuple(
            (schema, name, is_far)
            for schema, name, is_far in reader.rows("materialised views", UNPOPULATED)
        ),
        without_statistics=names("statistics", WITHOUT_STATISTICS),
        large_objects=counted[0][0] if counted else 0,
    )
