"""The facts of a database as a held snapshot sees them, and what of it recovery does not bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

from restore_drill.core.names import joined
from restore_drill.facts.entries import schema_dump
from restore_drill.facts.fingerprint import Fingerprint, Position, SequenceFacts
from restore_drill.facts.fingerprints import positions
from restore_drill.facts.session import Connection, open_session
from restore_drill.facts.snapshot import SnapshotReading
from restore_drill.manifest.dump import of_snapshot
from restore_drill.manifest.physical import REWRITTEN, UNLOGGED, without
from restore_drill.manifest.settle import IN_UTF8, noted, statements_of
from restore_drill.servers.model import Target
from restore_drill.taking.physical.moves import state_of
from restore_drill.taking.physical.snapshots import Held

AHEAD = 32
"""So many values are logged ahead of a sequence, which recovery counts as given."""
WAIT = "--lock-wait-timeout=5s"
"""Somebody who waits for our lock on a table keeps pg_dump from it until all has been read."""
MADE = "it was made, set back or used up while the facts were read, and obeys no snapshot"
APART = """
    SELECT n.nspname, c.relname, c.relpersistence = 'u' FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't' AND c.oid >= 16384
        AND (c.relpersistence = 'u' OR c.relkind <> 'S'
            AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid))
"""
"""What a table's entry says is of the snapshot; which file the table has, of this moment."""

STEPS = """
    SELECT n.nspname, c.relname, s.seqincrement, s.seqcycle FROM pg_sequence s
    JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
"""


class Seen(NamedTuple):
    """What a snapshot saw; what is `apart` of it, and why; whether the schema `is_moved` since."""

    fingerprint: Fingerprint
    apart: dict[str, str]
    is_moved: bool


def positions_of(target: Target) -> dict[str, Position]:
    """Where the sequences of `target` stand, to be asked before the snapshot is taken."""
    with closing(open_session(target, snapshot="")) as session:
        return positions(session)


def facts_at(
    target: Target,
    held: Held,
    stood: Mapping[str, Position],
    jobs: int,
    progress: Callable[[str], None],
) -> Seen:
    """What the `held` snapshot sees of `target`, without what of it cannot be compared.

    `stood` says where sequences stood before it. All tables are locked before it is asked which
    were emptied since: TRUNCATE does that for older snapshots, too.
    """
    snapshot = held.export()
    with (
        SnapshotReading(target, jobs, snapshot) as reading,
        schema_dump(target, IN_UTF8, *of_snapshot(snapshot), WAIT) as schema,
    ):
        apart = {
            joined(place, name): UNLOGGED if is_unlogged else REWRITTEN
            for place, name, is_unlogged in held.session.execute(APART)
        }
        written = reading.plan.add_aside(lambda: statements_of(schema), schema.kill)
        found = reading.read(progress)
    with closing(open_session(target, snapshot="")) as session:
        is_moved = state_of(session) != state_of(held.session)
    found = noted(found, *written.result(), major=target.binaries.major)
    sequences = logged(found, stood, held.session)
    apart |= {name: MADE for name in found.sequences if name not in sequences}
    found = replace(found, sequences=sequences)
    return Seen(without(found, apart, is_moved=is_moved), apart, is_moved)


def logged(
    found: Fingerprint, stood: Mapping[str, Position], session: Connection
) -> dict[str, SequenceFacts]:
    """Where sequences may stand once recovered, which moved on from where they `stood`."""
    steps = {joined(*row[:2]): (int(row[2]), bool(row[3])) for row in session.execute(STEPS)}
    sequences = {}
    for name, each in found.sequences.items():
        before, now = stood.get(name), each.before
        step, cycles = steps.get(name, (0, True))
        if before is None or (now.last_value - before.last_value) * step < 0 or cycles:
            continue
        if before.is_called and not now.is_called:
            continue
        furthest = Position(now.last_value + AHEAD * step, True) if now.is_called else now
        sequences[name] = SequenceFacts(before, furthest)
    return sequences
