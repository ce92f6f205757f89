"""Waivers of the criteria file: what may be waived, and what a waiver must say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from restore_drill.config.criteria.model import Waiver
from restore_drill.config.criteria.values import Values

NEVER_WAIVED = (
    "test_backup_exists",
    "test_backup_is_not_empty",
    "test_backup_is_complete",
    "test_database_has_rows",
)
"""Without these there is nothing that a drill could prove."""


def read_waiver(values: Values, raw: dict[str, Any]) -> Waiver:
    """One entry of `[[waivers]]`: criterion, reason and expiry date, all three required."""
    where = f"[[waivers]] {raw.get('criterion', '')}".rstrip()
    values.known(where, raw, ("criterion", "reason", "expires"))
    criterion = values.text(where, raw, "criterion", "an id like test_foreign_keys_hold[cards]")
    reason = values.text(where, raw, "reason", "why the finding is accepted for now")
    name = criterion.split("::")[-1].split("[")[0]
    if any(char in criterion.split("[")[0] for char in "*?"):
        what = "a waiver names one criterion; * and ? are wild inside its brackets only"
        raise values.error(where, what)
    if name in NEVER_WAIVED:
        what = f"{name} cannot be waived: without it there is nothing that a drill could prove"
        raise values.error(where, what)
    expires = raw.get("expires")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        told = "is missing" if expires is None else f"is no date: {expires!r}"
        raise values.error(where, f"expires {told}; write its last day like 2027-01-31, unquoted")
    return Waiver(criterion, reason, expires)
