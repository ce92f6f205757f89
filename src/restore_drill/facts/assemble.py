"""Puts together what the jobs gave: facts, notes, and what was not checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from restore_drill.backups.model import Contents, Entry
from restore_drill.core.names import joined
from restore_drill.core.units import show_count, show_duration
from restore_drill.facts import pool
from restore_drill.facts.bodies import NO_PRIVILEGE, is_unresolved
from restore_drill.facts.entries import missing
from restore_drill.facts.listing import UNENFORCED, Listing, NotChecked, some
from restore_drill.facts.model import Constraint, Facts, ForeignKey, Sequence
from restore_drill.facts.pool import Outcome
from restore_drill.facts.prints import Prints
from restore_drill.facts.recorded import TableFacts
from restore_drill.facts.rows import Scan
from restore_drill.facts.states import State
from restore_drill.facts.unproved import UNSEEN, holds_in_leaves, unproved_notes

FILLED = "MATERIALIZED VIEW DATA"
ATTACHMENTS = ("TABLE ATTACH", "INDEX ATTACH")
TIMED_OUT = "statement timeout"


@dataclass(frozen=True)
class Answers:
    """What the planned jobs give, each list in the order of its listing; `scans` by table."""

    scans: dict[int, Future[Scan]]
    foreign_keys: list[Future[ForeignKey]]
    uniques: list[Future[Constraint]]
    sequences: list[Future[Sequence]]
    pointers: list[Future[Outcome]]
    views: list[Future[tuple[Outcome, bool]]]
    functions: list[Future[tuple[Outcome, bool]]]
    storage: list[Future[str]]


def assemble(
    listing: Listing,
    answers: Answers,
    state: State,
    contents: Contents | None,
    *,
    entries: frozenset[Entry],
    undumpable: str,
    unread: dict[str, str],
    unexamined: str,
    notes: list[str],
    prints: Prints | None,
    unanalyzed: frozenset[str] = frozenset(),
) -> Facts:
    """Facts of the database, from answers that are all there."""
    scans = {oid: future.result() for oid, future in answers.scans.items()}
    rows, unreadable = count_rows(listing, scans)
    lost = missing(contents, entries) if contents and not undumpable else ()
    out: NotChecked = [*listing.not_checked]
    out += [(part, f"the catalog could not be read: {why}") for part, why in unread.items()]
    out += [(f"check {name}", UNENFORCED) for name in state.unenforced_checks]
    sequences = tuple(future.result() for future in answers.sequences)
    notes = [*notes, *sequence_notes(sequences)]
    foreign_keys = tuple(future.result() for future in answers.foreign_keys)
    constraints = (
        *(each for found in scans.values() for each in found.constraints),
        *listing.unwritten,
        *decided(answers.uniques, out),
    )
    checked: list[ForeignKey | Constraint] = [*foreign_keys, *constraints]
    broken = {each.label for each in checked if each.is_broken}
    whole = {each.label for each in checked} - broken
    whole |= {name for name in state.unproved if holds_in_leaves(name, listing, whole)}
    notes += unproved_notes([name for name in state.unproved if name in whole])
    unseen = [name for name in state.unproved if name not in whole | broken]
    out += [(f"constraint {name}", UNSEEN) for name in unseen]
    return Facts(
        rows=rows,
        partitioned=frozenset(each.full_name for each in listing.tables if each.is_partitioned),
        unreadable=unreadable,
        foreign_keys=foreign_keys,
        constraints=constraints,
        unvalidated=tuple(name for name in state.unvalidated if name not in broken),
        invalid_indexes=state.invalid_indexes,
        sequences=sequences,
        entries=entries,
        missing_objects=tuple(f"{entry.kind} {entry.full_name}" for entry in lost),
        unattached=tuple(
            f"{entry.kind.removesuffix(' ATTACH').lower()} {entry.full_name}"
            for entry in lost
            if entry.kind in ATTACHMENTS
        )
        + state.half_detached,
        switched_off=state.switched_off,
        unpopulated=tuple(unpopulated(state, contents, notes)),
        without_statistics=tuple(
            name
            for name in state.without_statistics
            if rows.get(name, 1) > 0 and name not in unanalyzed
        ),
        large_objects=state.large_objects,
        lost_large_objects=tuple(lost_large_objects(listing, answers, notes, out)),
        unresolved_views=unresolved_views(listing, answers, notes, out),
        unresolved_functions=unresolved_functions(listing, answers, notes, out),
        damage=tuple(found for future in answers.storage if (found := future.result())),
        unexamined=unexamined,
        undumpable=undumpable,
        unread=unread,
        notes=tuple(notes),
        not_checked=tuple(out),
        fingerprint=prints.fingerprint(contents_of(listing, scans)) if prints else None,
        why_no_fingerprint=prints.error if prints else "",
    )


def contents_of(listing: Listing, scans: dict[int, Scan]) -> dict[str, TableFacts]:
    """Fingerprints of the tables, by name."""
    return {
        table.full_name: found.content
        for table in listing.tables
        if (found := scans.get(table.oid)) and found.content
    }


def count_rows(listing: Listing, scans: dict[int, Scan]) -> tuple[dict[str, int], dict[str, str]]:
    """Rows of each table, and the error of each that cannot be read; partitions are added up."""
    rows: dict[str, int] = {}
    unreadable: dict[str, str] = {}
    for table in listing.tables:
        parts = [scans[oid] for oid in (table.leaves or [table.oid]) if oid in scans]
        errors = [part.error for part in parts if part.rows is None]
        if errors:
            unreadable[table.full_name] = errors[0]
        else:
            rows[table.full_name] = sum(part.rows or 0 for part in parts)
    return rows, unreadable


def decided(uniques: list[Future[Constraint]], out: NotChecked) -> Iterator[Constraint]:
    """Constraints that could be checked in time; the others go to `out`."""
    for future in uniques:
        found = future.result()
        if found.broken is None and TIMED_OUT in found.error:
            out.append((f"{found.kind} {found.name} of {found.table}", f"it {took_too_long()}"))
        else:
            yield found


def took_too_long() -> str:
    """`took more than 20 s`."""
    return f"took more than {show_duration(pool.PATIENCE)}"


def sequence_notes(sequences: Collection[Sequence]) -> Iterator[str]:
    """What to know of sequences that are in order today."""
    for each in sequences:
        if each.is_ahead and not each.is_past_furthest:
            yield f"sequence {each.told}: far away, yet it will collide there"
        if not each.error and each.is_nearly_used_up:
            yield f"sequence {each.name} is nearly used up: {each.values_left:,} values are left"


def unpopulated(state: State, contents: Contents | None, notes: list[str]) -> Iterator[str]:
    """Materialised views that a restore should have filled; the others are noted.

    pg_dump writes an entry to refresh a view only where it was populated in the source.
    """
    entries = contents.entries if contents else ()
    filled = {(each.schema, each.name) for each in entries if each.kind == FILLED}
    for schema, name, is_far in state.unpopulated:
        full_name = joined(schema, name)
        if is_far:
            notes.append(
                f"materialised view {full_name} is not populated: its rows come from "
                "another server, which a drill does not reach"
            )
        elif not entries or (schema, name) in filled:
            yield full_name
        else:
            notes.append(f"materialised view {full_name} was not populated in the source")


def lost_large_objects(
    listing: Listing, answers: Answers, notes: list[str], out: NotChecked
) -> Iterator[str]:
    """Columns that name large objects which are not there; those of type oid are only noted."""
    for pointer, future in zip(listing.pointers, answers.pointers, strict=True):
        outcome = future.result()
        if outcome.row is None:
            out.append((f"large objects named in {pointer.name}", outcome.error))
        elif outcome.row[0]:
            told = f"{pointer.name}: {show_count(outcome.row[0], 'value')} without a large object"
            if pointer.is_certain:
                yield told
            else:
                notes.append(f"{told} (fine if they name something else)")


def unresolved_views(
    listing: Listing, answers: Answers, notes: list[str], out: NotChecked
) -> dict[str, str]:
    """Message of each view that names what is not there; other errors go to `out`."""
    found, lucky = {}, []
    for view, future in zip(listing.views, answers.views, strict=True):
        outcome, by_luck = future.result()
        if by_luck:
            lucky.append(view.name)
        if is_unresolved(outcome):
            found[view.name] = outcome.error
        elif TIMED_OUT in outcome.error:
            out.append((f"view {view.name}", f"planning it {took_too_long()}"))
        elif outcome.error:
            out.append((f"view {view.name}", f"it could not be planned: {outcome.error}"))
    notes += [needs_a_path("view", lucky)] if lucky else []
    return found


def unresolved_functions(
    listing: Listing, answers: Answers, notes: list[str], out: NotChecked
) -> dict[str, str]:
    """Message of each function whose body does not resolve; those out of reach go to `out`."""
    found, lucky = {}, []
    for function, future in zip(listing.functions, answers.functions, strict=True):
        outcome, by_luck = future.result()
        if outcome.sqlstate == NO_PRIVILEGE:
            out.append((f"body of {function.name}", outcome.error))
        elif outcome.error:
            found[function.name] = outcome.error
        elif by_luck:
            lucky.append(function.name)
    notes += [needs_a_path("function", lucky)] if lucky else []
    return found


def needs_a_path(kind: str, names: list[str]) -> str:
    """Note on what the default search_path does not resolve, and another one does."""
    return (
        f"{show_count(len(names), kind)} would not work under the default search_path, "
        f"but where the application sets one: {some(names)}"
    )
