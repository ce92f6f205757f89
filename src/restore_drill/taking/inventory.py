"""What lies where backups are taken to: which of them are ours, and what the rules keep of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import PurePath

from restore_drill.manifest.file import SUFFIX, Manifest, manifest_from
from restore_drill.selection.series import name_in_series
from restore_drill.taking.destination import Destination
from restore_drill.taking.retention import Owned, Rule, why_kept
from restore_drill.taking.roles import is_beside

DIGEST = ".sha256"
NEEDED = "an increment that is kept is of it"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Same:
    """What backups that belong together agree in: the database, its cluster, the name's part."""

    database: str
    system: str
    series: str


@dataclass
class Plan:
    """What is to become of the backups of a place: each `kept` with reasons, others `gone`.

    `half` are manifests of ours whose backup an earlier run has deleted. `strange` are lines on
    manifests that name nothing of ours.
    """

    kept: dict[Owned, list[str]] = field(default_factory=dict)
    gone: list[Owned] = field(default_factory=list)
    half: list[Owned] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @property
    def lines(self) -> Iterator[str]:
        """A line each, the newest first, for people."""
        for each, why in self.kept.items():
            yield f"  keep    {each.name}: {', '.join(why)}"
        for each in self.gone:
            yield f"  delete  {each.name}: no rule keeps it"
        for each in self.half:
            yield f"  delete  {each.name}{SUFFIX}: its backup was deleted before"
        for line in self.strange:
            yield f"  leave   {line}"


def same_as(manifest: Manifest) -> Same:
    """What other backups have in common with the one that `manifest` describes."""
    return Same(manifest.database, manifest.system, series_of_name(manifest.backup))


def series_of_name(name: str) -> str:
    """The part of a backup's name that is the same for all of its series."""
    return name_in_series(PurePath(name))


def planned(
    place: Destination,
    same: Same,
    rules: Sequence[Rule],
    zone: tzinfo,
    *,
    proved: Mapping[str, bool],
    since: datetime,
    coming: Owned | None = None,
) -> Plan:
    """What `rules` keep of what lies in `place`; `coming` is a backup that is yet to be taken.

    Nothing is deleted here. CouldNotRun where the place cannot be listed.
    """
    plan, owned = Plan(), [coming] if coming else []
    entries = place.entries()
    for name in sorted(each for each in entries if each.endswith(SUFFIX)):
        backup = name.removesuffix(SUFFIX)
        if series_of_name(backup) != same.series:
            plan.strange.append(f"{backup}: of another series")
            continue
        manifest, why = manifest_in(place, name)
        if manifest is None or manifest.backup != backup:
            plan.strange.append(f"{name}: {why or 'it is of a backup of another name'}")
        elif same_as(manifest) != same:
            plan.strange.append(f"{backup}: of another database or cluster")
        elif backup in entries and entries[backup] != manifest.size:
            plan.strange.append(f"{backup}: it is not what was written, its size differs")
        elif backup in entries:
            owned.append(owned_by(manifest))
        elif not any(each.startswith(backup) for each in entries.keys() - beside(backup)):
            plan.half.append(owned_by(manifest))
    reasons = why_kept(owned, rules, zone, proved=proved, since=since)
    going = {each.name: each for each, why in reasons.items() if not why}
    for name in needed(place, entries, going) if any(map(is_physical, going.values())) else ():
        reasons[going[name]].append(NEEDED)
    plan.kept = {each: why for each, why in reasons.items() if why}
    plan.gone = [each for each, why in reasons.items() if not why]
    return plan


def is_physical(each: Owned) -> bool:
    """Whether it is a physical backup."""
    return each.full is not None


def needed(
    place: Destination, entries: Mapping[str, int], going: Mapping[str, Owned]
) -> Iterator[str]:
    """Names of backups among the `going` that an increment which stays is of, in any series."""
    found = set()
    for name in entries:
        backup = name.removesuffix(SUFFIX)
        if name.endswith(SUFFIX) and backup not in going and backup in entries:
            manifest, _ = manifest_in(place, name)
            if manifest and manifest.physical:
                found.add(manifest.physical.full)
    return (name for name in going if name in found)


def owned_by(manifest: Manifest) -> Owned:
    """The backup that `manifest` names, and its roles, where they are called as we call them."""
    roles = manifest.roles if is_beside(manifest.roles, manifest.backup) else ""
    full = manifest.physical.full if manifest.physical else None
    return Owned(manifest.backup, manifest.taken_at, manifest.sha256, roles, full)


def beside(backup: str) -> set[str]:
    """What we write beside a backup of that name."""
    return {backup + DIGEST, backup + SUFFIX}


def manifest_in(place: Destination, name: str) -> tuple[Manifest | None, str]:
    """The manifest in the file `name`, or why it is none of ours."""
    try:
        raw = json.loads(place.read(name))
        if raw["schema"] != 1:
            return None, f"it is of schema {raw['schema']!r}"
        return manifest_from(raw), ""
    except (*UNREADABLE, OSError):
        return None, "it cannot be read as a manifest"
