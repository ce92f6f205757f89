"""Role files that cannot be read: told from databases that are called alike."""

from __future__ import annotations

from restore_drill.backups.foreign import ROLES_ALONE
from restore_drill.backups.formats import ROLES_BY_NAME, recognise
from restore_drill.backups.role_file import may_hold_roles
from restore_drill.backups.streams import READ_ERRORS
from restore_drill.core.errors import CouldNotRun
from restore_drill.selection.candidate import Candidate, Series
from restore_drill.selection.groups import Shelf
from restore_drill.selection.series import TIME, stem_of, words_of

WORDS = {"role", "roles", "global", "globals", "only"}
"""What names of role files have beside those of the dumps that they go with."""


def is_of_roles(series: Series, shelf: Shelf) -> bool:
    """Whether the newest of `series` is a role file that is encrypted, or lies on another machine.

    Its content tells, where there is a key for it here, else its name: a database may be called
    `users`, so what is not told apart for certain is none.
    """
    newest = series[0]
    if newest.kind.unrecognised.startswith(ROLES_BY_NAME):
        return is_called_so(newest, series, shelf)
    if not newest.is_sealed or not may_hold_roles(newest.path):
        return False
    try:
        kind = recognise(newest.path, decrypt=True)
    except (*READ_ERRORS, CouldNotRun):
        return is_called_so(newest, series, shelf)
    return kind.unrecognised.startswith(ROLES_ALONE.what)


def is_called_so(roles: Candidate, series: Series, shelf: Shelf) -> bool:
    """Whether `roles` is SQL, and called nothing else, or like a dump of its time beside it."""
    words = words_of(stem_of(roles.path.name))
    left = [each for each in words if each.lower() not in WORDS]
    if ".sql" not in roles.path.name.lower() or len(left) == len(words):
        return False
    others = (one for each in shelf.live if each is not series for one in each)
    if set(left) <= {TIME}:
        return any(others)
    return any(one.named == roles.named and is_beside(roles, one, left) for one in others)


def is_beside(roles: Candidate, dump: Candidate, words: list[str]) -> bool:
    """Whether `dump` is called by `words`, and lies where `roles` does."""
    own = words_of(stem_of(dump.path.name))
    return roles.path.parent == dump.path.parent and sorted(words) == sorted(own)
