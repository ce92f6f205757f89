"""Whether a history in a bucket is as it was written: what was changed, removed or inserted.

Entries that are written at once follow the same one, and do not know each other; the next follows
all of them. That is no tampering. But one that does not follow what had been there for WINDOW when
it was written, by the clock of the bucket, was inserted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import reduce
from itertools import accumulate
from operator import or_

from restore_drill.core.units import show_count
from restore_drill.watch.bucket import Entry
from restore_drill.watch.chain import digest
from restore_drill.watch.verify import Chain, Fault

WINDOW = timedelta(minutes=10)
"""No drill takes longer from reading the history to having written its entry."""
BEGIN = digest(b"")
"""What the first entry follows."""


def verify_entries(entries: Sequence[Entry]) -> Chain:
    """Whether `entries`, in their order, are as they were written."""
    faults = [*unfit(entries), *unfollowed(entries)]
    links = [each.link for each in entries if each.is_sound and each.link]
    hashes = frozenset(link.hash for link in links)
    return Chain(faults, len(links), links[-1] if links else None, [], 0, hashes, "object")


def unfit(entries: Sequence[Entry]) -> Iterator[Fault]:
    """Objects that do not hold an entry as it was written."""
    for each in entries:
        if each.claim is None:
            yield Fault(each.name, "was inserted: no drill gives an entry such a name")
        elif not each.is_sound:
            yield Fault(each.name, "was changed: its content does not match its name")


def unfollowed(entries: Sequence[Entry]) -> Iterator[Fault]:
    """Entries that do not follow those that there were when they were written."""
    numbers = {each.claim.hash: each.claim.number for each in entries if each.claim}
    sound = [each for each in entries if each.is_sound]
    times = sorted((each.written, place) for place, each in enumerate(sound))
    older = list(accumulate((1 << place for _, place in times), or_, initial=0))
    masks: dict[str, int] = {}
    for place, each in enumerate(sound):
        fault, mask = followed(each, numbers, masks)
        if fault:
            yield Fault(each.name, fault)
        if mask is None or each.claim is None:
            continue
        masks[each.claim.hash] = mask | 1 << place
        there = older[bisect_left(times, (each.written - WINDOW, 0))]
        if unseen := there & ~masks[each.claim.hash]:
            other = sound[unseen.bit_length() - 1].name
            yield Fault(each.name, f"was inserted: it does not follow {other}, which is older")


def followed(
    entry: Entry, numbers: Mapping[str, int], masks: Mapping[str, int]
) -> tuple[str, int | None]:
    """What is wrong about those that `entry` follows, and a mask of all that it has behind it.

    `numbers` are those of all entries by their hashes; `masks` have a bit for an entry and for each
    that it follows. There is none where one of them was changed or removed.
    """
    number = entry.claim.number if entry.claim else 0
    if number == 1 and entry.parents == (BEGIN,):
        return "", 0
    known = [numbers[parent] for parent in entry.parents if parent in numbers]
    if gone := len(entry.parents) - len(known):
        return f"follows {show_count(gone, 'entry', 'entries')} removed since", None
    if number != max(known) + 1:
        return f"was inserted: its number {number} is not the next one", None
    behind = [masks[parent] for parent in entry.parents if parent in masks]
    return "", reduce(or_, behind) if len(behind) == len(known) else None
