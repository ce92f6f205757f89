"""Reads the facts: one pool of read-only connections, what takes longest first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from functools import partial

import psycopg

from restore_drill.backups.model import Contents
from restore_drill.core.server_errors import error_text
from restore_drill.facts import keys, storage
from restore_drill.facts.assemble import Answers, assemble
from restore_drill.facts.blobs import count_lost
from restore_drill.facts.bodies import check_function, check_view
from restore_drill.facts.catalog_reader import CatalogReader
from restore_drill.facts.entries import dumped_entries, schema_dump
from restore_drill.facts.keys import check_unique
from restore_drill.facts.listing import Listing, read_listing
from restore_drill.facts.model import Facts
from restore_drill.facts.plan import Plan
from restore_drill.facts.pool import Connection, Pool, open_session
from restore_drill.facts.prints import EFFORT, Prints
from restore_drill.facts.references import check_key
from restore_drill.facts.rows import scan
from restore_drill.facts.schema.reading import Shape, Wanted
from restore_drill.facts.sequences import check_sequence
from restore_drill.facts.states import read_state
from restore_drill.facts.versions import version_notes
from restore_drill.servers.model import Target


def read_facts(
    target: Target,
    contents: Contents | None,
    jobs: int,
    progress: Callable[[str], None],
    *,
    thorough: bool = False,
    as_major: int | None = None,
    unanalyzed: frozenset[str] = frozenset(),
    drifting: Wanted | None = None,
) -> Facts:
    """All facts of the database of `target`, and which objects of `contents` it lacks.

    Only where `thorough`, large indexes that the server has just built are looked through too.
    Its fingerprint is read in the same passes for a comparison with one of the version `as_major`,
    and what drift is measured by where that is wanted. Of the tables `unanalyzed` it is known that
    ANALYZE fails.
    """
    with open_session(target) as connection:
        unexamined = storage.why_not(target, connection)
        trusting = not (thorough or unexamined)
        reader = CatalogReader(connection)
        listing = read_listing(reader, contents, target.major, trusting=trusting)
        state = read_state(reader, contents)
        notes = versions_or_why_not(connection, target.major)
        plan = Plan()
        prints = Prints(plan, connection, as_major) if as_major else None
        shape = Shape(plan, connection, drifting) if drifting else None
    if shape and not prints:
        shape.read_definitions()
    answers = plan_jobs(plan, listing, prints, examining=not unexamined)

    def prepare(connection: Connection) -> None:
        if not unexamined:
            storage.prepare(connection, target.major)

    with (
        closing(Pool(target, jobs, prepare)) as pool,
        ThreadPoolExecutor(1) as aside,
        schema_dump(target) if contents else nullcontext() as dump,
    ):
        dumped = aside.submit(dumped_entries, dump) if dump else None
        plan.run(pool, progress)
        entries, undumpable = dumped.result() if dumped else (frozenset(), "")
    facts = assemble(
        listing,
        answers,
        state,
        contents,
        entries=entries,
        undumpable=undumpable,
        unread=reader.unread,
        unexamined=unexamined,
        notes=notes,
        prints=prints,
        unanalyzed=unanalyzed,
    )
    return shape.added_to(facts, prints) if shape else facts


def versions_or_why_not(connection: Connection, major: int) -> list[str]:
    """Notes on versions; no verdict hangs on them: that they cannot be read is a note too."""
    try:
        return version_notes(connection, major)
    except psycopg.Error as error:
        if connection.broken:
            raise
        return [f"versions of collations and extensions could not be read: {error_text(error)}"]


def plan_jobs(plan: Plan, listing: Listing, prints: Prints | None, *, examining: bool) -> Answers:
    """Plan a job for each thing that is listed, with the pages that it reads and their cost."""
    relations = prints.relations if prints else {}
    return Answers(
        scans={
            table.oid: plan.add(
                table.label,
                partial(
                    scan,
                    table=table,
                    conditions=listing.conditions.get(table.oid, []),
                    relation=relations.get(table.full_name),
                ),
                pages=table.pages,
                effort=EFFORT if table.full_name in relations else 1,
            )
            for table in listing.tables
            if not table.is_partitioned
        },
        foreign_keys=[
            plan.add(key.label, partial(check_key, key=key), pages=key.pages, effort=key.effort)
            for key in listing.foreign_keys
        ],
        uniques=[
            plan.add(key.label, partial(check_unique, key=key), pages=key.pages, effort=keys.EFFORT)
            for key in listing.uniques
        ],
        sequences=[
            plan.add(
                f"sequence {counter.full_name}",
                partial(
                    check_sequence,
                    counter=counter,
                    in_backup=counter.full_name in listing.sequences_in_backup,
                ),
            )
            for counter in listing.counters
        ],
        pointers=[
            plan.add(f"column {each.name}", partial(count_lost, pointer=each), pages=each.pages)
            for each in listing.pointers
        ],
        views=[
            plan.add(f"view {view.name}", partial(check_view, view=view, schemas=listing.schemas))
            for view in listing.views
        ],
        functions=[
            plan.add(
                f"function {each.name}",
                partial(check_function, function=each, schemas=listing.schemas),
            )
            for each in listing.functions
        ],
        storage=[
            plan.add(
                f"storage of {each.label}",
                partial(storage.examine, structure=each),
                pages=each.pages,
                effort=each.effort,
            )
            for each in listing.structures
            if examining
        ],
    )
