"""Where backups lie, as drills of several machines tell it apart: `host:/srv/backups`, or a URL."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from restore_drill.config.options import OPTIONS, VARIABLES
from restore_drill.config.remote import mirror_around, places, state_folder_of
from restore_drill.config.repositories import root_of
from restore_drill.config.settings import Settings
from restore_drill.config.values import path_of
from restore_drill.core.errors import UsageError
from restore_drill.core.mirrors import as_written

OF_A_JOB = ("CI", "KUBERNETES_SERVICE_HOST")
"""Variables of machines that live for one job."""
IN_CONTAINERS = ("/.dockerenv", "/run/.containerenv")
"""Files that container engines make."""


def where(settings: Settings, backup: str | None) -> str:
    """Where the backups of a drill lie, of which `backup` is one; empty where none is named."""
    named = settings.backup or backup  # the latter as it is written: a URL is no path
    folder = settings.backup_path or (Path(named).parent if named else None)
    if folder is None and settings.recovery.pgbackrest is not None:
        folder = root_of(settings.recovery.pgbackrest) / "backup"
    return where_is(folder, settings.machine) if folder else ""


def where_is(folder: Path, machine: str | None) -> str:
    """`machine:/srv/backups`; a bucket is the same from every machine.

    The name of a machine that lives for one job, in CI or a container, would make a place of each.
    """
    if state_folder_of(folder):
        return as_written(folder)
    machine = machine or ("" if is_fleeting() else platform.node())
    whole = os.path.abspath(folder)  # noqa: PTH100 - as it was named: a link may lead elsewhere
    return f"{machine}:{whole}" if machine else whole


def server_at(settings: Settings) -> str | None:
    """The server or account that the bucket of the backups is at, where the environment says it."""
    folder = settings.backup_path or settings.backup
    root = mirror_around(folder) if folder else None
    return (places[root].server or None) if root else None


def is_told_apart(settings: Settings) -> bool:
    """Whether BACKUP_PATH is no other machine's folder in the history: by its name, or a bucket."""
    if settings.history is None or settings.machine or not is_fleeting():
        return True
    return settings.backup_path is not None and state_folder_of(settings.backup_path) is not None


def folder_given(environment: Mapping[str, str], here: Path) -> Path | None:
    """The folder that BACKUP_PATH names, where settings cannot be read, or are another job's."""
    given: dict[str, str | None] = {"backup_path": environment.get(VARIABLES["backup_path"])}
    try:
        return path_of(given, "backup_path", here)
    except UsageError:
        return None


def machine_given(environment: Mapping[str, str]) -> str | None:
    """The name of this machine that DRILL_MACHINE gives."""
    return environment.get(OPTIONS["machine"].variable) or None


def is_fleeting() -> bool:
    """Whether this machine is a job's own: of a CI, or a container."""
    return any(map(os.environ.get, OF_A_JOB)) or any(Path(each).exists() for each in IN_CONTAINERS)
