"""What the catalog alone says is not as it should be after a restore."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.check import Check, names
from restore_drill.facts.model import Facts
from restore_drill.facts.survey import Survey

NOT_VALID: LiteralString = (
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

OFF: LiteralString = (
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

NO_STATISTICS: LiteralString = (
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

ATTACHMENTS = {"TABLE ATTACH": "table", "INDEX ATTACH": "index"}


def plan_unattached(survey: Survey) -> Callable[[Facts], tuple[str, ...]]:
    """Partitions and their indexes that the backup attaches, and those half detached."""
    halves = [row[0] for row in survey.rows(UNATTACHED.part, HALF_DETACHED)]
    half_detached = survey.as_in_source("partitions", halves)
    return lambda facts: unattached(facts, half_detached)


def unattached(facts: Facts, half_detached: tuple[str, ...]) -> tuple[str, ...]:
    """What is not attached at all, then what is half detached."""
    lost = (each for each in facts.missing if each.kind in ATTACHMENTS)
    return (*(f"{ATTACHMENTS[each.kind]} {each.full_name}" for each in lost), *half_detached)


def plan_switched_off(survey: Survey) -> Callable[[Facts], tuple[str, ...]]:
    """Triggers and rules that the backup itself does not switch off, as its source did."""
    meant = survey.contents.switched_off if survey.contents else frozenset()
    states = [
        f"{label} is disabled" if state == "D" else f"{label} fires only on a replica"
        for key, label, state in survey.rows(SWITCHED_OFF.part, OFF)
        if key not in meant
    ]
    found = survey.as_in_source("switched off", states)
    return lambda _: found


def plan_without_statistics(survey: Survey) -> Callable[[Facts], tuple[str, ...]]:
    """Tables with rows, but for those of which ANALYZE is known to fail."""
    if survey.copied:  # they came as they are: a table that is never analyzed has none
        return lambda _: ()
    found = [row[0] for row in survey.rows(WITHOUT_STATISTICS.part, NO_STATISTICS)]
    return lambda facts: tuple(
        name for name in found if facts.rows.get(name, 1) > 0 and name not in survey.unanalyzed
    )


INVALID_INDEXES = names("state of indexes", NOT_VALID, "indexes that are not valid")
UNATTACHED = Check("state of partitions", plan_unattached)
SWITCHED_OFF = Check("state of triggers", plan_switched_off)
WITHOUT_STATISTICS = Check("statistics", plan_without_statistics)
