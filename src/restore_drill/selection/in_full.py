"""The one that is chosen, where it is a physical backup: all that is known of it."""

from __future__ import annotations

from restore_drill.backups.model import Backup
from restore_drill.config.settings import Settings
from restore_drill.selection.candidate import Candidate


def use_repository(settings: Settings) -> None:
    """Have pgBackRest asked with the configuration that the criteria file names, if it does."""
    named = settings.recovery.pgbackrest
    if named is not None:
        from restore_drill.backups.physical.repositories import (  # noqa: PLC0415 - few are
            use_pgbackrest,
        )

        use_pgbackrest(named)


def in_full(candidate: Candidate, backup: Backup, settings: Settings) -> Backup:
    """`backup`, which `candidate` has become, with all that is known of it if it is physical.

    Raises what `physical_at` does.
    """
    if not candidate.is_physical:
        return backup
    from restore_drill.selection.physical import with_physical  # noqa: PLC0415 - as above

    return with_physical(candidate, backup, settings.recovery)


def named_repository(settings: Settings) -> Backup:
    """The backup of the repository that the criteria file names, where nobody names another."""
    from restore_drill.selection.physical import repository_named  # noqa: PLC0415 - as above

    named = settings.recovery.pgbackrest
    assert named is not None
    return repository_named(named, settings.recovery)


def named_candidate(settings: Settings) -> Candidate:
    """The same among others, for a list of them."""
    from restore_drill.selection.physical import set_named  # noqa: PLC0415 - as above

    named = settings.recovery.pgbackrest
    assert named is not None
    return set_named(named, settings.recovery)[0]
