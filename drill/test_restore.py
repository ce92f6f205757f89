"""The restore: it runs without an error and brings back every object."""

from __future__ import annotations

import pytest

from restore_drill.checks.tables import lost_objects
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.model import Facts
from restore_drill.restore.consequences import by_cause, counted
from restore_drill.restore.model import Restoration

pytestmark = pytest.mark.restore

OBJECTS_OF_BOTH = (
    "the backup's table of contents, and pg_dump --schema-only of the restored database"
)


def test_restore_has_no_errors(restoration: Restoration) -> None:
    """The whole backup restores without a single error."""
    found = by_cause(restoration)
    assert not restoration.errors, message(
        f"the restore reported {counted(found)}; the first: {found[0].error.message}",
        checked=[line for each in found for line in each.lines()],
        remedy=remedy_for("test_restore_has_no_errors", "errors"),
    )


@pytest.mark.of_a_dump
def test_every_object_came_back(facts: Facts) -> None:
    """Every object in the backup's table of contents exists after the restore."""
    cause, what, names = lost_objects(facts)
    assert not cause, message(
        what,
        checked=[facts.undumpable or OBJECTS_OF_BOTH, *names],
        remedy=remedy_for("test_every_object_came_back", cause),
    )
