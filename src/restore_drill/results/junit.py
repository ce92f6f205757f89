"""What the drill adds to junit.xml."""

from __future__ import annotations

from restore_drill.core.printable import printable
from restore_drill.results.result import Result


def properties_of(result: Result) -> dict[str, str]:
    """Properties of the JUnit suite: verdict, backup, target and timings, those that are known."""
    backup, target = result["backup"] or {}, result["target"] or {}
    found = {
        "verdict": result["verdict"],
        "backup": backup.get("path"),
        "backup_sha256": backup.get("sha256"),
        "backup_age_seconds": backup.get("age_seconds"),
        "target": target.get("kind"),
        **{f"timings_{name}": seconds for name, seconds in result["timings"].items()},
    }
    return {name: printable(str(value)) for name, value in found.items() if value is not None}
