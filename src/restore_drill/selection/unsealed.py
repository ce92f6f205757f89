"""Encrypted backups among others: known by their names, decrypted only once they are chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo

from restore_drill.backups.foreign import ROLES_ALONE
from restore_drill.backups.formats import recognise
from restore_drill.backups.role_file import may_hold_roles
from restore_drill.backups.sealed import without_seals
from restore_drill.core.errors import CouldNotRun
from restore_drill.selection.candidate import Candidate, Series, candidate_of, recorded_head
from restore_drill.selection.listing import Listing
from restore_drill.selection.sources import Source


def opened(candidate: Candidate, zone: tzinfo) -> Candidate:
    """`candidate` by what it holds where it is encrypted; as it is, `locked`, for want of a key."""
    if not (candidate.is_sealed and candidate.size):
        return candidate
    path = candidate.path
    try:
        kind = recognise(path, decrypt=True)
    except CouldNotRun as error:
        return locked(candidate, error)
    head, below = recorded_head(path, kind), candidate.below
    found = candidate_of(path, zone, kind, head, size=candidate.size, below=below)
    return replace(found, key=candidate.series)


def locked(candidate: Candidate, error: CouldNotRun) -> Candidate:
    """`candidate`, which could not be decrypted: `error` says why."""
    what = f"{candidate.path.name}: {error.what}"
    return replace(candidate, locked=CouldNotRun(what, checked=error.checked, remedy=error.remedy))


def first_of_databases(
    pool: list[Series],
    source: Source,
    listing: Listing,
    zone: tzinfo,
    picking: Callable[[Series], Candidate],
) -> tuple[list[Series], Candidate, Candidate]:
    """`pool` without encrypted series of role files; the one picked of its first, also decrypted.

    Without a key they are known by their names.
    """
    picked = picking(pool[0])
    chosen = opened(source.fetch(picked), zone)
    while len(pool) > 1 and is_closed(picked) and holds_roles(chosen):
        why = chosen.why_not or "roles, judging by its name"
        listing.passed_over.append(f"{chosen.label}: {why}")
        pool = pool[1:]
        picked = picking(pool[0])
        chosen = opened(source.fetch(picked), zone)
    return pool, picked, chosen


def is_closed(candidate: Candidate) -> bool:
    """Whether what it holds was not known: it is encrypted, or lies on another machine."""
    return not (candidate.kind.format or candidate.kind.unrecognised)


def holds_roles(candidate: Candidate) -> bool:
    """Whether it is a role file, by its content, or where that is closed by its name."""
    if candidate.locked:
        return may_hold_roles(candidate.path)
    return candidate.kind.unrecognised.startswith(ROLES_ALONE.what)


def are_comparable(earlier: Candidate, newest: Candidate, chosen: Candidate) -> bool:
    """Whether sizes of `earlier` and `newest` say anything of each other; that is `chosen`, opened.

    Encryption changes a size hardly: a series that is encrypted from some day on goes on.
    """
    if not earlier.size:
        return False
    plain = chosen.kind._replace(compression=without_seals(chosen.kind.compression))
    return earlier.kind == newest.kind or (earlier.kind == plain and bool(plain.format))
