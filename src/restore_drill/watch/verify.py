"""Whether a history is as it was written: which lines were changed, removed or inserted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from restore_drill.config.remote import histories
from restore_drill.core.units import show_count
from restore_drill.watch.chain import Link, digest, link_of
from restore_drill.watch.stored import entry_on, stored

SEAL = frozenset({"hash", "number", "before"})
"""What an entry has that stands in a chain."""


class Fault(NamedTuple):
    """What is wrong at the line `line` of a history, counted from 1, or about an object's name."""

    line: int | str
    what: str


class Chain(NamedTuple):
    """What the entries of a history show: its faults, and the place of the last entry.

    `torn` are lines that are no entry, as a full disk or a kill leaves them; `unproved` is how many
    lines stand above the first entry with a hash: whether one of these was changed shows as one.
    `hashes` are those of all entries that are as they were written. `unit` is what an entry is.
    """

    faults: list[Fault]
    entries: int
    last: Link | None
    torn: list[int]
    unproved: int
    hashes: frozenset[str] = frozenset()
    unit: str = "line"


def chain_at(path: Path) -> Chain:
    """What the entries of the history at `path` show; CouldNotRun where it cannot be read."""
    if path in histories:
        from restore_drill.watch.bucket import entries_of  # noqa: PLC0415 - few have one
        from restore_drill.watch.forks import verify_entries  # noqa: PLC0415

        return verify_entries(entries_of(path, anew=True))
    return verify(stored(path))


def verify(known: bytes) -> Chain:
    """Whether the entries in `known` are unchanged and in order."""
    lines = known.rstrip(b"\n").split(b"\n") if known.strip() else []
    links = [link_of(line) for line in lines]
    first = next((at for at, link in enumerate(links) if link), len(lines))
    entries = [entry_on(line) for line in lines]
    torn = [at + 1 for at in range(first, len(lines)) if entries[at] is None]
    faults = [*unsealed(entries[:first]), *faults_of(lines, links, first)]
    found = [link for link in links if link]
    hashes = frozenset(link.hash for link in found if link.is_true)
    return Chain(faults, len(found), found[-1] if found else None, torn, first, hashes)


def unsealed(entries: Sequence[Mapping[str, Any] | None]) -> Iterator[Fault]:
    """Entries that are to be of before there were hashes, and have a place in a chain."""
    for number, entry in enumerate(entries, 1):
        if entry is not None and not SEAL.isdisjoint(entry):
            yield Fault(number, "was changed: its hash is not where it was written")


def faults_of(lines: Sequence[bytes], links: Sequence[Link | None], first: int) -> Iterator[Fault]:
    """Faults of the chain that begins with the line at `first`, from top to bottom."""
    at = {link.hash: number for number, link in enumerate(links, 1) if link}
    last: tuple[int, Link] | None = None
    for number, link in list(enumerate(links, 1))[first:]:
        if link is None:
            if entry_on(lines[number - 1]) is not None:
                yield Fault(number, "was changed or inserted: it has no hash at its end")
            continue
        if not link.is_true:
            yield Fault(number, "was changed: its hash does not match its content")
        if last is None:
            yield from fault_above(number, link, lines[:first])
        elif link.before != last[1].hash:
            yield fault_between(last, (number, link), at)
        last = number, link


def fault_above(number: int, link: Link, above: Sequence[bytes]) -> Iterator[Fault]:
    """What is wrong above the first entry with a hash."""
    if link.number > 1:
        gone = show_count(link.number - 1, "entry", "entries")
        yield Fault(number, f"{gone} above it {were(link.number - 1)} removed")
    elif link.before != digest(b"\n".join(above)):
        what = "changed or removed, or others were inserted" if above else "removed"
        yield Fault(number, f"lines above it, from before there were hashes, were {what}")


def fault_between(last: tuple[int, Link], now: tuple[int, Link], at: dict[str, int]) -> Fault:
    """Why an entry does not follow the one before."""
    (line, before), (number, link) = last, now
    known = at.get(link.before)
    if known is not None and known < line:
        what = "was inserted" if known + 1 == line else f"was inserted, and all up to line {line}"
        return Fault(known + 1, f"{what}: the entry on line {number} follows that on line {known}")
    gone = link.number - before.number - 1
    if gone > 0:
        what = f"{show_count(gone, 'entry', 'entries')} between it and line {line} {were(gone)}"
        return Fault(number, f"{what} removed")
    if gone == 0:
        return Fault(line, f"was changed: the entry on line {number} follows another one")
    return Fault(number, f"was inserted or moved: its number {link.number} is not the next one")


def were(count: int) -> str:
    """`was`, `were`."""
    return "was" if count == 1 else "were"
