"""Disk and memory against what the newest backup will take; whether servers can be isolated."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from restore_drill.backups.model import Backup
from restore_drill.backups.sizes import sql_bytes
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.doctor.backups import estimated
from restore_drill.doctor.model import Group
from restore_drill.doctor.physical import name_room, physical_of
from restore_drill.doctor.writable import can_make
from restore_drill.selection.chosen import Chosen
from restore_drill.servers import cleanup
from restore_drill.servers.isolation import try_out
from restore_drill.servers.launcher import choose_launcher
from restore_drill.servers.place import (
    available_memory,
    choose_base,
    fits_in_memory,
    memory,
    why_elsewhere,
)


def examine_machine(group: Group, settings: Settings, chosen: Chosen | None) -> None:
    """Room for the restored database, and for what a drill leaves."""
    if settings.target == "embedded":
        try:
            name_place(settings, chosen, group)
        except CouldNotRun as error:
            group.error(error)
    free, total = show_bytes(available_memory()), show_bytes(memory())
    group.note(f"memory: {free} of {total} available; {os.cpu_count() or 1} processors")
    name_folder(settings.report_dir, "reports", group)


def place_of_server(settings: Settings, chosen: Chosen | None) -> tuple[Path, int]:
    """Where an embedded server would live, and for how many bytes of SQL; CouldNotRun."""
    room = sql_bytes(chosen) if isinstance(chosen, Backup) else 0
    launcher = choose_launcher()
    if not settings.production_settings and fits_in_memory(launcher, room):
        return cleanup.MEMORY, room
    return choose_base(launcher, room), room


def name_place(settings: Settings, chosen: Chosen | None, group: Group) -> None:
    """Where the server would live, with what is free there; CouldNotRun where nowhere."""
    if physical := physical_of(chosen):
        name_room(physical, group)
        return
    base, room = place_of_server(settings, chosen)
    where = "in memory" if base == cleanup.MEMORY else "on disk"
    free = show_bytes(shutil.disk_usage(base).free)
    of = f" for {estimated(chosen)}" if isinstance(chosen, Backup) else ""
    group.ok(f"the server would live {where} ({base}, {free} free){of}", plan=True)
    if base != cleanup.MEMORY and (elsewhere := why_elsewhere(base, choose_launcher(), room)):
        group.warn(f"it would live {elsewhere}")


def name_folder(folder: Path, what: str, group: Group) -> None:
    """Whether a drill could write into `folder`, which may have to be made."""
    if can_make(folder):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        free = show_bytes(shutil.disk_usage(there).free)
        group.ok(f"{what} can be written to {folder} ({free} free)")
    else:
        group.bad(f"{what} cannot be written to {folder}", *remedy_for("doctor", "report_dir"))


def examine_isolation(group: Group, settings: Settings) -> None:
    """Whether a throwaway server, which runs the dump's code, can be shut in."""
    if settings.target != "embedded":
        group.note(f"not examined: it belongs to the {settings.target} target")
        return
    try:
        launcher = choose_launcher()
        why = try_out(launcher, cleanup.bases()[0])
    except CouldNotRun as error:
        group.error(error)
        return
    if why:
        text = f"a throwaway server is not isolated here, and a drill reports that: {why}"
        group.warn(text, *remedy_for("doctor", "not_isolated"))
    else:
        what = "a throwaway server gets its own namespaces: no network, and no files but its own"
        group.ok(what, plan=True)
