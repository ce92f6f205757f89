"""Foreign keys, looked for row by row, whatever the catalog says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString, NamedTuple

from restore_drill.facts import bitmap
from restore_drill.facts.answers import HEAP_ONLY, Outcome
from restore_drill.facts.asking import Asking, Question
from restore_drill.facts.catalog import PAGES, USER_SCHEMA
from restore_drill.facts.records import ForeignKey
from restore_drill.facts.survey import ELSEWHERE, UNENFORCED, Survey

FOREIGN_KEYS: LiteralString = (
    """
    SELECT k.conname, n.nspname || '.' || c.relname, fn.nspname || '.' || f.relname,
        k.conrelid, k.confrelid,"""
    + PAGES
    + ","
    + PAGES.replace("c.", "f.")
    + """,
        CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END || c.oid::regclass,
        CASE WHEN f.relkind = 'p' THEN '' ELSE 'ONLY ' END || f.oid::regclass,
        k.confmatchtype = 'f',
        coalesce(to_jsonb(k) ->> 'conenforced' = 'false', false),
        coalesce(to_jsonb(k) ->> 'conperiod' = 'true', false),
        parts.columns, parts.child, parts.parent, parts.equals, parts.hashes, parts.integer
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
    CROSS JOIN LATERAL (
        SELECT array_agg(a.attname::text ORDER BY place) AS columns,
            array_agg(format('c.%I', a.attname) ORDER BY place) AS child,
            array_agg(format('p.%I', fa.attname) ORDER BY place) AS parent,
            -- As the server's own check: the referenced column's collation decides.
            array_agg(format('p.%I OPERATOR(%I.%s) c.%I', fa.attname, s.nspname, o.oprname,
                a.attname) || coalesce(
                ' COLLATE ' || quote_ident(ls.nspname) || '.' || quote_ident(l.collname), '')
                ORDER BY place) AS equals,
            bool_and(o.oprcanhash) AS hashes,
            count(*) = 1 AND bool_and(o.oprname = '=' AND s.nspname = 'pg_catalog'
                AND ARRAY[o.oprleft, o.oprright] <@ '{int2,int4,int8}'::regtype[]::oid[]
            ) AS integer
        FROM unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY u (num, fnum, op, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num
        JOIN pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = u.fnum
        JOIN pg_operator o ON o.oid = u.op JOIN pg_namespace s ON s.oid = o.oprnamespace
        LEFT JOIN pg_collation l
            ON l.oid = fa.attcollation AND fa.attcollation <> a.attcollation
        LEFT JOIN pg_namespace ls ON ls.oid = l.collnamespace
    ) parts
    WHERE k.contype = 'f' AND k.conparentid = 0 AND"""
    + USER_SCHEMA
    + "ORDER BY c.relpages DESC, k.conname"
)

JOIN, LOOK = 6.0, 2.0
"""What a page costs by a join and by a bitmap, where counting its rows costs 1."""


class Key(NamedTuple):
    """A foreign key of the catalog; its parts are SQL, the child's under c, the parent's under p.

    A temporal key (PERIOD, PostgreSQL 18) wants its last column covered by the parent's ranges.
    `is_integer` says that it is one column of whole numbers.
    """

    name: str
    table: str
    referenced: str
    table_oid: int
    referenced_oid: int
    child_pages: int
    parent_pages: int
    child_source: str
    parent_source: str
    is_match_full: bool
    is_not_enforced: bool
    is_temporal: bool
    columns: list[str]
    child: list[str]
    parent: list[str]
    equals: list[str]
    hashes: bool
    is_integer: bool

    @property
    def pages(self) -> int:
        """Pages of both tables."""
        return self.child_pages + self.parent_pages

    @property
    def effort(self) -> float:
        """What each of them costs."""
        return LOOK if self.is_integer else JOIN

    @property
    def label(self) -> str:
        """`foreign key public.cards: cards_artist_id_fkey`."""
        return f"foreign key {self.table}: {self.name}"

    @property
    def present(self) -> str:
        """Condition for a row to reference anything.

        MATCH SIMPLE lets a row with any null pass, MATCH FULL only one that is null throughout.
        """
        word = " OR " if self.is_match_full else " AND "
        return word.join(f"{column} IS NOT NULL" for column in self.child)

    @property
    def found(self) -> str:
        """Condition for a row's referenced row, or rows, to be there."""
        if not self.is_temporal:
            return f"EXISTS (SELECT FROM {self.parent_source} p WHERE {' AND '.join(self.equals)})"
        same = " AND ".join(self.equals[:-1]) or "true"
        return (
            f"coalesce((SELECT {self.child[-1]} <@ range_agg({self.parent[-1]})"
            f" FROM {self.parent_source} p"
            f" WHERE {same} AND {self.parent[-1]} && {self.child[-1]}), false)"
        )

    @property
    def parent_rows(self) -> str:
        """Rows that can be referenced, as the end of a query."""
        present = " AND ".join(f"{column} IS NOT NULL" for column in self.parent)
        return f"FROM {self.parent_source} p WHERE {present}"

    def bitmap_query(self, width: int) -> str:
        """Query that gives 0 only where no referenced row is missing, through a bitmap."""
        return (
            f"{bitmap.held(self.parent[0], self.parent_rows, width)}"
            f" SELECT count(*) FILTER (WHERE NOT {bitmap.is_held(self.child[0])})"
            f" FROM {self.child_source} c"
        )

    @property
    def query(self) -> str:
        """Query for the rows whose referenced row is missing."""
        rows = f"{self.child_source} c WHERE ({self.present})"
        return f"SELECT count(*) FROM {rows} AND NOT {self.found}"

    @property
    def orphans_query(self) -> str:
        """Query that gives those rows."""
        return f"SELECT c.* FROM {self.child_source} c WHERE ({self.present}) AND NOT {self.found}"


def plan_foreign_keys(survey: Survey) -> Callable[[], tuple[ForeignKey, ...]]:
    """Plan to look for the rows of each foreign key; gives them once the plan has run."""
    jobs = []
    unread = []
    for key in (Key(*row) for row in survey.near_rows("foreign keys", FOREIGN_KEYS)):
        if key.is_not_enforced:
            survey.not_checked.append((key.label, UNENFORCED))
        elif survey.is_far(key.table_oid, key.referenced_oid):
            survey.not_checked.append((key.label, ELSEWHERE))
        elif why := survey.damaged.get(key.table) or survey.damaged.get(key.referenced):
            unread.append(
                ForeignKey(key.name, key.table, tuple(key.columns), key.referenced, None, why)
            )
        else:
            jobs.append(survey.plan.ask(check_key, key, pages=key.pages, effort=key.effort))
    return lambda: (*unread, *(job.result() for job in jobs))


def check_key(key: Key) -> Asking[ForeignKey]:
    """Facts of one foreign key; its rows are read past the indexes where that stays quick."""
    settings = HEAP_ONLY if key.hashes and not key.is_temporal else ()
    outcome = (yield from look_up(key)) if key.is_integer else Outcome(None)
    if outcome.row != (0,):
        outcome = yield Question(key.query, settings)
    orphans = outcome.row[0] if outcome.row else None
    return ForeignKey(
        name=key.name,
        table=key.table,
        columns=tuple(key.columns),
        referenced=key.referenced,
        orphans=orphans,
        error=outcome.error,
        query=key.orphans_query if orphans else "",
    )


def look_up(key: Key) -> Asking[Outcome]:
    """Look the referenced numbers up in a bitmap, where that pays: 0 is the answer, or none."""
    width = yield from bitmap.width_for(key.parent[0], key.parent_rows, key.parent_pages)
    if not width:
        return Outcome(None)
    return (yield Question(key.bitmap_query(width), HEAP_ONLY))
