"""The restore: it runs without an error and brings back every object."""

from __future__ import annotations

import pytest

from restore_drill.core.errors import message
from restore_drill.core.units import show_count
from restore_drill.facts.model import Facts
from restore_drill.restore.consequences import by_cause, counted
from restore_drill.restore.model import Restoration

pytestmark = pytest.mark.restore

SHOWN = 10


def test_restore_has_no_errors(restoration: Restoration) -> None:
    """The whole backup restores without a single error."""
    found = by_cause(restoration)
    assert not restoration.errors, message(
        f"the restore met {counted(found)}; the first: {found[0].error.message}",
        checked=[line for each in found[:SHOWN] for line in each.told()],
        remedy=["mend the cause in the source, take a new backup, and drill that one"],
    )


def test_every_object_came_back(facts: Facts) -> None:
    """Every object in the backup's table of contents exists after the restore."""
    missing = facts.missing_objects
    assert not facts.undumpable, message(
        "the restored database cannot be dumped again, so its objects cannot be compared",
        checked=[facts.undumpable],
        remedy=["mend what pg_dump names in the source: its next backup may fail"],
    )
    assert not missing, message(
        f"{show_count(len(missing), 'object')} of the backup did not come back: "
        + ", ".join(missing[:SHOWN]),
        checked=["table of contents of the backup, and pg_dump --schema-only of the restored one"],
        remedy=["read the restore's errors above: each names the statement that failed"],
    )
