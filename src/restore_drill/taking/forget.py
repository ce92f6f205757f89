"""Removes old backups: those that a manifest of ours names, and that no rule keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, some
from restore_drill.manifest.file import SUFFIX, Manifest
from restore_drill.taking.destination import Destination
from restore_drill.taking.inventory import DIGEST, Plan, Same, planned, same_as
from restore_drill.taking.proofs import drills_of, is_drilled, never_drilled, proofs_in, unknown
from restore_drill.taking.retention import Owned, Rule

MOST_NAMED = 5


def preview(
    place: Destination, name: str, same: Same, rules: Sequence[Rule], settings: Settings
) -> Iterator[str]:
    """Lines on what would be kept and deleted if the backup `name` were taken now, and why."""
    now = datetime.now(UTC)
    drills = drills_of(place, settings)
    proved = proofs_in(drills)
    coming = Owned(f"{name} (to be taken)", now, "")
    zone = settings.criteria.timezone
    plan = planned(place, same, rules, zone, proved=proved, since=now, coming=coming)
    yield from plan.lines
    if plan.gone and not is_drilled(drills, same, [*plan.kept, *plan.gone]):
        yield f"but for now nothing would be deleted: {unknown(place)}"
    else:
        yield from not_proved(plan, proved)


def remove_old(
    place: Destination,
    manifest: Manifest,
    rules: Sequence[Rule],
    settings: Settings,
    note: Callable[[str], None],
) -> None:
    """Delete what `rules` let go, now that the backup of `manifest` is whole; say what is gone.

    CouldNotRun where the place or a history cannot be read, or does not let anything be deleted.
    """
    drills, same = drills_of(place, settings), same_as(manifest)
    proved = proofs_in(drills)
    zone, since = settings.criteria.timezone, manifest.taken_at
    plan = planned(place, same, rules, zone, proved=proved, since=since)
    if not any(each.name == manifest.backup for each in plan.kept):
        raise CouldNotRun(
            f"nothing was deleted: {place.shown} does not list the new backup",
            remedy=remedy_for("backup", "not_listed"),
        )
    if plan.gone and not is_drilled(drills, same, [*plan.kept, *plan.gone]):
        raise never_drilled(place)
    gone = forget(place, plan)
    names = f": {some(gone, MOST_NAMED)}" if gone else ""
    kept = show_count(len(plan.kept), "backup")
    note(f"kept {kept} by --keep {','.join(map(str, rules))}; deleted {len(gone)}{names}")
    if plan.strange:
        note(f"left alone: {show_count(len(plan.strange), 'other backup')}; --dry-run says why")
    for line in not_proved(plan, proved):
        note(line)


def forget(place: Destination, plan: Plan) -> list[str]:
    """Delete what `plan` lets go; names of what is gone. CouldNotRun where it cannot be deleted.

    The data go first, the manifest last: what is left of a deletion that was interrupted is no
    backup to anybody, and the next run knows by the manifest that it is ours.
    """
    gone = []
    increments_first = sorted(plan.gone, key=lambda each: (not each.full, each.taken_at))
    for each in [*increments_first, *plan.half]:
        roles = [each.roles] if each.roles else []
        place.remove([each.name, *roles, each.name + DIGEST, each.name + SUFFIX])
        gone.append(each.name)
    return gone


def not_proved(plan: Plan, proved: Mapping[str, bool]) -> Iterator[str]:
    """A line where old backups go, and no drill is known to have proved any of those that stay."""
    if (plan.gone or plan.half) and not any(each.sha256 in proved for each in plan.kept):
        yield (
            "no drill is known to have proved any of the backups that are kept: drill one "
            "(DRILL_HISTORY names the history where drills run elsewhere)"
        )
