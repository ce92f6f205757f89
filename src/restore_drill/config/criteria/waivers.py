"""Waivers of the criteria file: what may be waived, and what a waiver must say."""

from __future__ import annotations

from typing import Any

from restore_drill.config.criteria.kinds import Text
from restore_drill.config.criteria.model import Waiver
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.sections import Key, Section
from restore_drill.config.criteria.times import Day

NEVER_WAIVED = (
    "test_backup_exists",
    "test_backup_is_not_empty",
    "test_backup_is_complete",
    "test_database_has_rows",
)
"""Without these there is nothing that a drill could prove."""


class Criterion(Text):
    """Id of a criterion that may be waived."""

    def read(self, place: Place, value: Any) -> str:
        """The id."""
        criterion = super().read(place, value)
        name = criterion.split("::")[-1].split("[")[0]
        if any(char in criterion.split("[")[0] for char in "*?"):
            what = "a waiver names one criterion; * and ? are wildcards only inside its brackets"
            raise place.error(what)
        if name in NEVER_WAIVED:
            raise place.error(f"{name} cannot be waived: without it a drill proves nothing")
        return criterion


WAIVER = Section(
    {
        "criterion": Key(
            Criterion("an id like test_foreign_keys_hold[cards]"),
            "id of the criterion; * and ? are wildcards inside its brackets",
            "",
            True,
        ),
        "reason": Key(
            Text("why the finding is accepted for now"), "why it is accepted for now", "", True
        ),
        "expires": Key(Day(), "its last day (UTC), unquoted: 2027-01-31", "", True),
    },
    build=lambda _place, values: Waiver(**values),
)
