"""The other series that a run drills, each by itself: what is known of them before."""

from __future__ import annotations

from datetime import UTC, datetime

from restore_drill.config.settings import Settings
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_duration
from restore_drill.doctor.model import Group
from restore_drill.selection.candidate import Candidate
from restore_drill.selection.groups import Shelf, name_of, to_drill


def examine_others(group: Group, settings: Settings, shelf: Shelf, examined: str) -> None:
    """Say which of the series on `shelf` would fail, but for the one that is `examined` whole.

    Their backups are not opened: by names, sizes and times alone.
    """
    newest = {name_of(each): each[0] for each in shelf.series}
    others = [name for name in to_drill(shelf, settings) if name != examined]
    for name in others:
        judge(group, settings, name, newest.get(name))
    wrong = sum(fact.kin == KIN for fact in group.facts)
    if len(others) > wrong:
        fine = show_count(len(others) - wrong, "other series", "other series")
        group.ok(f"{fine} would be drilled too, of backups that are younger than that")


KIN = "other series"
"""What is shared by the facts on those that would fail."""


def judge(group: Group, settings: Settings, series: str, newest: Candidate | None) -> None:
    """Say what would fail the drill of `series`, whose backup is `newest`, if anything."""
    if newest is None:
        text = f"no backup of the series {series} is left"
        group.bad(text, *remedy_for("select", "none_left", series=series), stops=False, kin=KIN)
        return
    age = (datetime.now(UTC) - newest.taken_at).total_seconds()
    if not newest.is_backup:
        text = f"{newest.label}, the newest backup of {series}, cannot be drilled: {newest.why_not}"
        group.bad(text, *remedy_for("doctor", "unusable"), stops=False, kin=KIN)
    elif age > settings.max_backup_age:
        limit = show_duration(settings.max_backup_age)
        text = f"{newest.label} of {series} is {show_duration(age)} old; the limit is {limit} (RPO)"
        group.bad(text, *remedy_for("test_backup_is_young_enough", "old"), stops=False, kin=KIN)
