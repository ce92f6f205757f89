"""Compares two fingerprints, and names what differs object by object, without row data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from restore_drill.backups.model import Contents
from restore_drill.core.names import as_before
from restore_drill.core.units import show_count
from restore_drill.facts.fingerprint import Fingerprint, LargeObjects
from restore_drill.facts.schema.all_kinds import DIALECT_BOUND
from restore_drill.facts.schema.definition import same_dialect
from restore_drill.manifest.objects import Difference, of_other_revisions, of_schema
from restore_drill.manifest.tables import is_refreshed_otherwise, of_table


@dataclass(frozen=True)
class Comparison:
    """What differs, in words: by table (an empty text where it is equal), and of the rest.

    `objects` are those whose definitions differ, in words the `schema`. `not_compared` holds what
    could not be compared, and why; `same_hash` says whether the content of rows could.
    """

    tables: dict[str, str]
    objects: tuple[Difference, ...]
    sequences: tuple[str, ...]
    large_objects: tuple[str, ...]
    not_compared: tuple[tuple[str, str], ...]
    same_hash: bool

    @property
    def schema(self) -> tuple[str, ...]:
        """What differs in the definitions of objects."""
        return tuple(map(str, self.objects))

    def difference(self, name: str) -> str:
        """How the table `name` differs, empty where it does not."""
        return self.tables.get(name, "exists neither here nor in the source")

    @property
    def lines(self) -> list[str]:
        """All that differs."""
        tables = [f"table {name} {how}" for name, how in self.tables.items() if how]
        return [*tables, *self.sequences, *self.large_objects, *self.schema]


def is_whole(found: Comparison | None) -> bool:
    """Whether a comparison shows that no definition of the source is lost or changed."""
    return found is not None and not found.objects


def compare(was: Fingerprint, now: Fingerprint) -> Comparison:
    """How the database `now` differs from what it `was`."""
    now = named_as_before(was, now)
    same_hash = (was.hash_probe, was.encoding) == (now.hash_probe, now.encoding)
    before, after = was.all_tables, now.all_tables
    skipped = list(what_cannot_be_compared(was, now, same_hash=same_hash))
    tables = {}
    for name in sorted(before.keys() | after.keys()):
        how = of_table(before.get(name), after.get(name), same_hash=same_hash)
        if how and is_refreshed_otherwise(before.get(name), after.get(name)):
            why = "a restore refreshes it, and its rows differ from those stored in the source"
            skipped.append((f"content of materialized view {name}", why))
            how = ""
        tables[name] = how
    for leaf, root in moved_rows(was, now, tables):
        why = f"its rows are in other partitions than in the source; {root} as a whole is equal"
        skipped.append((f"content of partition {leaf}", why))
        tables[leaf] = ""
    return Comparison(
        tables=tables,
        objects=tuple(of_schema(was, now)),
        sequences=tuple(of_sequences(was, now)),
        large_objects=tuple(of_large_objects(was.large_objects, now.large_objects)),
        not_compared=tuple(skipped),
        same_hash=same_hash,
    )


def named_as_before(was: Fingerprint, now: Fingerprint) -> Fingerprint:
    """`now` with the names of an older manifest, where a part of some name holds a dot."""
    return replace(
        now,
        tables=as_before(now.tables, was.tables),
        partitions=as_before(now.partitions, was.partitions),
        sequences=as_before(now.sequences, was.sequences),
        schema={
            kind: as_before(each, was.schema.get(kind, {})) for kind, each in now.schema.items()
        },
    )


def rows_in(contents: Contents, table: str) -> str:
    """How many rows of `table` lie in the backup, which shows where some were lost."""
    rows = contents.counted.get(table)
    if contents.rows is None:
        return "its rows are not known before it is restored"
    if rows is None:
        return "the backup has no data for it"
    return f"the backup holds {show_count(rows, 'row')} of it"


def moved_rows(
    was: Fingerprint, now: Fingerprint, tables: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Partitions that differ while the table that they are part of is equal, with that table.

    Hash values of enums differ from database to database, and so does where their rows lie.
    """
    for root, leaves in was.partitions.items():
        if tables[root] == "" and now.partitions.get(root) == leaves:
            yield from ((leaf, root) for leaf in leaves if tables[leaf])


def what_cannot_be_compared(
    was: Fingerprint, now: Fingerprint, *, same_hash: bool
) -> Iterator[tuple[str, str]]:
    """What stays open between the two, and why."""
    yield from dict.fromkeys(was.left_out + now.left_out)
    if not same_hash:
        why = f"encoding {was.encoding} in the source, {now.encoding} here"
        if was.encoding == now.encoding:
            why = "the two were hashed differently (byte order, or an older restore-drill)"
        yield "the content of all tables beyond row counts", why
    if not same_dialect(was.major, now.major):
        kinds = [kind for kind in sorted(DIALECT_BOUND) if kind in was.schema]
        if kinds:
            why = f"PostgreSQL {was.major} and {now.major} write the same text differently"
            yield f"the text of each {', '.join(kinds)}", why
    if (was.major >= 15) != (now.major >= 15):
        yield "grants on schema public", "PostgreSQL 15 changed the default"
    yield from of_other_revisions(was, now)
    for name, version in was.extensions.items():
        here = now.extensions.get(name, version)
        if here != version:
            yield f"extension {name}", f"version {version} in the source, {here} here"
    lost = [name for name in was.settings if name not in now.settings]
    if lost:
        why = "a restore into one database does not bring them back: set them with ALTER DATABASE"
        yield f"settings of the database: {', '.join(lost)}", why


def of_sequences(was: Fingerprint, now: Fingerprint) -> Iterator[str]:
    """Sequences that stand elsewhere."""
    for name, facts in was.sequences.items():
        if name not in now.sequences:
            yield f"sequence {name} is missing"
            continue
        here = now.sequences[name].before
        if not facts.holds(here):
            stood = f"{facts.before.last_value:,}"
            if facts.after != facts.before:
                stood += f" to {facts.after.last_value:,}"
            yield (
                f"sequence {name} is at {here.last_value:,}, in the source it was at {stood}"
                + ("" if here.is_called else " (not called yet here)")
            )
    yield from (f"sequence {name} is new" for name in now.sequences if name not in was.sequences)


def of_large_objects(was: LargeObjects, now: LargeObjects) -> Iterator[str]:
    """How the large objects differ."""
    if was.error or now.error:
        yield f"large objects could not be read: {was.error or now.error}"
    elif was.count != now.count:
        lost = was.count - now.count
        yield (
            f"{show_count(now.count, 'large object')}, the source had {was.count:,}: "
            f"{abs(lost):,} {'missing' if lost > 0 else 'too many'}"
        )
    elif was.size != now.size:
        yield f"large objects hold {now.size:,} bytes, in the source {was.size:,}"
    elif was.content != now.content:
        yield f"{show_count(now.count, 'large object')} with other content or other OIDs"
    elif was.rights != now.rights:
        yield "large objects have other owners or grants"
