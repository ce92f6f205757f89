"""The backups that are there: the one that a drill would be of, others, and what is none."""

from __future__ import annotations

from restore_drill.backups.model import Backup
from restore_drill.backups.sizes import PACKED, sql_bytes
from restore_drill.config.settings import Settings
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.doctor.model import Group
from restore_drill.doctor.physical import describe_physical
from restore_drill.doctor.physical import held as held_by_files
from restore_drill.selection.announce import by_reason
from restore_drill.selection.chosen import (
    Chosen,
    age_of,
    age_of_newest,
    described,
    newest_of,
    no_backup_named,
    remarks_on,
)
from restore_drill.selection.considered import OLDER
from restore_drill.watch.older import older_than


def estimated(backup: Backup) -> str:
    """`about 1.2 GB of SQL, at four times its compressed size`."""
    size = sql_bytes(backup)
    how = f" ({PACKED} times its compressed size)" if size != backup.size else ""
    return f"about {show_bytes(size)} of SQL{how}"


def examine_backups(group: Group, settings: Settings, chosen: Chosen | None) -> None:
    """What lies where the settings say; `chosen` is None where they name no backup."""
    for line in settings.misspelled:
        group.warn(line)
    if chosen is None:
        if settings.require_backup:
            group.error(no_backup_named())
        else:
            group.warn(
                "no backup is configured: a drill would use the sample shop, and prove "
                "nothing about your own backups",
                *remedy_for("doctor", "no_backup"),
            )
    elif isinstance(chosen, Backup):
        describe(chosen, settings, group)
    else:
        group.error(chosen)


def describe(backup: Backup, settings: Settings, group: Group) -> None:
    """The `backup` that would be drilled, and what lies beside it."""
    age = age_of(backup)
    if not backup.size:
        group.bad(
            f"the newest backup, {backup.name}, is empty (zero bytes)",
            *remedy_for("doctor", "unusable"),
            *older_than(backup, settings),
        )
    elif backup.locked is not None:
        group.error(backup.locked)
    elif backup.unrecognised:
        remedy = backup.remedy or remedy_for("doctor", "unusable")
        what = f"the newest backup, {backup.name}, cannot be drilled: it is {backup.unrecognised}"
        group.bad(what, *remedy, *older_than(backup, settings))
    else:
        group.ok(f"a drill would use {backup.name}: {described(backup, age)}")
    name_age(backup, settings, group)
    if backup.physical:
        group.note(f"it holds {held_by_files(backup.physical)}")
        describe_physical(backup, backup.physical, settings, group)
    else:
        group.note(f"it holds {held(backup)}")
    if settings.backup is None:
        older = [each for each in backup.considered if each.why_not == OLDER]
        number = show_count(1 + len(older), "backup")
        group.note(f"{number} in its series ({backup.among.series})")
    for remark in remarks_on(backup):
        group.note(remark)
    for line in by_reason(backup.passed_over):
        group.one_of("passed over", f"ignored: {line}")
    for each in backup.not_drilled:
        group.one_of("series", each.what, each.how)


def name_age(backup: Backup, settings: Settings, group: Group) -> None:
    """Whether the newest of its series is younger than the limit."""
    limit = show_duration(settings.max_backup_age)
    age = age_of_newest(backup)
    if backup.physical:
        group.note(f"only a recovery shows its newest transaction; the limit is {limit} (RPO)")
    elif age > settings.max_backup_age:
        name = newest_of(backup).newest
        text = f"{name} is {show_duration(age)} old; the limit is {limit} (RPO)"
        group.bad(text, *remedy_for("test_backup_is_young_enough", "old"), stops=False)
    else:
        group.ok(f"it is younger than the limit of {limit} (RPO)")


def held(backup: Backup) -> str:
    """What its head says that it holds."""
    head = backup.head
    parts = [show_count(len(head.tables), "table")] if head.tables else []
    parts += [estimated(backup)]
    parts += [f"database {head.database}"] if head.database else []
    source = f"PostgreSQL {head.source_version}" if head.source_version else "an unknown version"
    return f"{', '.join(parts)}, from {source}"
