"""What a drill would not check, why, and what to do about it: known before one is run."""

from __future__ import annotations

from collections.abc import Iterator

from restore_drill.backups.model import Backup
from restore_drill.checks.files import read_folder
from restore_drill.checks.folder import folder_of
from restore_drill.checks.stages import EMPTY
from restore_drill.config.criteria_file import REFERENCE
from restore_drill.config.settings import Settings
from restore_drill.core.errors import UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.doctor.model import Open
from restore_drill.doctor.physical import physical_of
from restore_drill.drift.measures import NO_MANIFEST, NO_MANIFEST_OF_FILES, find_measures
from restore_drill.manifest.basis import find_basis
from restore_drill.redis.stage import in_container
from restore_drill.selection.chosen import Chosen
from restore_drill.selection.tree import NO_REDIS_BACKUP, REDIS


def left_open(settings: Settings, chosen: Chosen | None) -> list[Open]:
    """All that is known to stay unchecked; `chosen` is None where no backup is named."""
    return [
        *of_measures(settings, chosen),
        *of_criteria(settings),
        *of_services(settings),
        *(() if physical_of(chosen) else of_restore(settings)),
    ]


def of_measures(settings: Settings, chosen: Chosen | None) -> Iterator[Open]:
    """What a backup can be measured against: manifest, last passed drill, reference."""
    if not isinstance(chosen, Backup):
        return
    if not find_basis(chosen, is_sample=False).has_manifest:
        yield Open(*(NO_MANIFEST_OF_FILES if chosen.physical else NO_MANIFEST))
    try:
        measures = find_measures(settings, chosen, is_written_anew=False)
    except UsageError as error:
        yield Open("the schema against the reference", str(error))
        return
    if measures.why_not:
        yield Open("drift since the last passed drill", measures.why_not)
    if measures.reference is None:
        why = f"there is no {REFERENCE} beside {settings.criteria.path}"
        remedy = tuple(remedy_for("doctor", "no_reference"))
        yield Open("the schema against one that your team has reviewed", why, remedy)


def of_criteria(settings: Settings) -> Iterator[Open]:
    """Sections of the criteria file that are empty, and the folder of queries."""
    if settings.is_sample:
        return
    criteria = settings.criteria
    sections = {"required": criteria.tables, "fact": criteria.facts, "fresh": criteria.freshness}
    for parameter, section in sections.items():
        if not section:
            remedy = tuple(remedy_for("doctor", "criteria", path=criteria.path))
            yield Open(*EMPTY[parameter], remedy)
    try:
        folder = folder_of(criteria, settings.root / "drill")
        if not read_folder(folder):
            remedy = tuple(remedy_for("doctor", "queries", folder=folder))
            yield Open(
                ("what only your own queries can tell"), f"{folder} holds no .sql file", remedy
            )
    except UsageError as error:
        yield Open("criteria in SQL", str(error))


def of_services(settings: Settings) -> Iterator[Open]:
    """Redis, and its backup."""
    if settings.redis_url is None:
        other = "one in a container" if in_container(settings) else "an embedded one"
        remedy = tuple(remedy_for("doctor", "no_redis"))
        yield Open("your own Redis", f"REDIS_URL is unset; {other} is checked instead", remedy)
    place = settings.backup_path
    if settings.redis_backup is None and not (place and (place / REDIS).is_dir()):
        yield Open(*NO_REDIS_BACKUP, tuple(remedy_for("redis_backup", "take")))


def of_restore(settings: Settings) -> Iterator[Open]:
    """What a quick restore into a throwaway server leaves open."""
    if settings.target != "database" and not settings.production_settings:
        why = "the throwaway server is tuned for restoring"
        remedy = tuple(remedy_for("doctor", "not_production"))
        yield Open("how long a restore takes in production (RTO)", why, remedy)
    if settings.target != "database" and not settings.heapallindexed:
        why = "the server has just built them, so only their structure is checked"
        remedy = tuple(remedy_for("doctor", "heapallindexed"))
        yield Open("each row in large indexes", why, remedy)
