"""The recovery of a physical backup: it ended where it was to, and no WAL was missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from restore_drill.backups.model import Backup
from restore_drill.config.settings import Settings
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.outcome import (
    DATABASES,
    SERVER,
    TARGET,
    WAL,
    fault_of,
    why_too_old,
)

if TYPE_CHECKING:
    from restore_drill.recovery.model import Recovered

pytestmark = pytest.mark.restore


def test_recovery_reached_its_target(recovered: Recovered) -> None:
    """Recovery ended exactly where it was to end, by what the server's own log says."""
    fault = fault_of(recovered, TARGET)
    assert not fault, message(
        fault.what,
        checked=fault.others,
        remedy=remedy_for("test_recovery_reached_its_target", fault.cause),
    )


def test_wal_is_complete(recovered: Recovered) -> None:
    """No WAL is missing or damaged from the start of the backup to where recovery was to end."""
    fault = fault_of(recovered, WAL)
    assert not fault, message(
        fault.what, checked=fault.others, remedy=remedy_for("test_wal_is_complete", fault.cause)
    )
    if not recovered.evidence.had_archive:
        pytest.skip("there is no archive: what was written after the backup is not in it")


def test_files_and_wal_are_of_one_server(recovered: Recovered) -> None:
    """The backup, its WAL and the recovered server have one system identifier."""
    fault = fault_of(recovered, SERVER)
    assert not fault, message(
        fault.what,
        checked=fault.others,
        remedy=remedy_for("test_files_and_wal_are_of_one_server", fault.cause),
    )


def test_every_database_can_be_opened(recovered: Recovered) -> None:
    """Every database of the recovered server accepts a connection."""
    fault = fault_of(recovered, DATABASES)
    assert not fault, message(
        fault.what,
        checked=fault.others,
        remedy=remedy_for("test_every_database_can_be_opened", fault.cause),
    )


@pytest.mark.budget("age")
def test_recovery_point_is_recent_enough(
    recovered: Recovered, backup: Backup, settings: Settings
) -> None:
    """The newest transaction that can be recovered is within the RPO budget."""
    if not settings.recovery.is_to_latest:
        pytest.skip(f"recovery was to end at {recovered.goal.text}, not with the newest WAL")
    assert backup.physical is not None
    cause, what = why_too_old(recovered, backup.physical, settings.max_backup_age)
    remedy = remedy_for("test_recovery_point_is_recent_enough", cause) if cause else ()
    assert not cause, message(what, remedy=remedy)
