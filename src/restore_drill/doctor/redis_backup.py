"""The backup of Redis that a drill would load: what would check it, and what would load it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from restore_drill.backups.model import Backup
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.config.settings import Settings
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_duration
from restore_drill.doctor.model import Group
from restore_drill.redis.backup.header import HEAD_BYTES, Header, header_in
from restore_drill.redis.backup.kinds import RDB
from restore_drill.redis.stage import in_container
from restore_drill.selection.announce import by_reason
from restore_drill.selection.chosen import Chosen, age_of, described
from restore_drill.selection.redis_backups import choose_redis

BASES = "*.base.rdb"


def examine_redis_backup(
    group: Group, settings: Settings, chosen: Callable[[], Chosen | None]
) -> None:
    """Which one it is, and what it needs; nothing is loaded.

    `chosen` waits for the dump: two at once would list a place of another machine twice.
    """
    with suppress(DrillError, OSError):  # reported where it belongs
        chosen()
    found = choose_redis(settings)
    if found is None:
        group.note("there is none: no folder redis/ in BACKUP_PATH, and no --redis-backup")
    elif isinstance(found, Backup):
        describe(found, settings, group)
    else:
        group.error(found, stops=False)


def describe(backup: Backup, settings: Settings, group: Group) -> None:
    """The `backup` of Redis that would be drilled, and what would load it."""
    from restore_drill.redis.backup.outcome import readable  # noqa: PLC0415 - redis loads slowly

    try:
        readable(backup)
    except (BackupFault, CouldNotRun) as error:
        group.error(error, stops=False)
        return
    age, limit = age_of(backup), show_duration(settings.max_backup_age)
    name = backup.among.label or backup.name
    group.ok(f"a drill would load {name}: {described(backup, age)}", plan=True)
    if age > settings.max_backup_age:
        text = f"{name} is {show_duration(age)} old; the limit is {limit} (RPO)"
        group.bad(text, *remedy_for("test_redis_backup_is_recent", "old"), stops=False)
    for line in by_reason(backup.passed_over):
        group.one_of("passed over", f"ignored: {line}")
    for each in backup.not_drilled:
        group.one_of("series", each.what, each.how)
    name_tools(header_of(backup), settings, group)


def header_of(backup: Backup) -> Header | None:
    """How its RDB file begins, or the base of its append-only files, where that is cheap to see."""
    path = next(iter(sorted(backup.path.glob(BASES))), None) if backup.path.is_dir() else None
    is_rdb = backup.format == RDB and not backup.path.is_dir()
    with suppress(*READ_ERRORS, CouldNotRun):
        if path or is_rdb:
            with open_plain(path or backup.path, "" if path else backup.compression) as stream:
                return header_in(stream.read(HEAD_BYTES))
    return None


def name_tools(header: Header | None, settings: Settings, group: Group) -> None:
    """The tool that would check it, and the server that would load it; or what is missing."""
    from restore_drill.redis.backup.server import (  # noqa: PLC0415 - redis loads slowly
        refuse_without_memory,
    )
    from restore_drill.redis.backup.tools import checkers, in_order, reads  # noqa: PLC0415

    magic = header.magic if header else b""
    checks = [each for each in checkers() if not magic or reads(each, magic)]
    loads = [each for each in in_order(header.written_by if header else "") if each in checks]
    what = f"{header.words}: " if header else ""
    if in_container(settings):
        group.plans(f"{what}{settings.redis_image}, in a container, would load it")
    elif loads:
        group.plans(f"{what}{loads[0].words} ({loads[0].path}) would load it")
    else:
        tried = ", ".join(each.words for each in checkers()) or "no Redis or Valkey is installed"
        text = f"{what}no server here can load it ({tried})"
        group.bad(text, *remedy_for("redis_backup", "no_server"), stops=False)
    if checks:
        group.plans(f"the check tool of {checks[0].words} would read it to its end before")
    else:
        group.warn("no tool here reads it: its keys would not be counted before it is loaded")
    needed = header.used_memory if header else None
    try:
        refuse_without_memory(needed)
    except CouldNotRun as error:
        group.error(error, stops=False)
    else:
        if needed is not None:
            group.note(f"its data took {show_bytes(needed)} of memory where it was written")
