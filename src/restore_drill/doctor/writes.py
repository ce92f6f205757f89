"""What a drill would write, and where."""

from __future__ import annotations

from restore_drill.backups.model import Backup
from restore_drill.config.leaves import KEEP
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.mirrors import as_written
from restore_drill.core.units import show_duration
from restore_drill.doctor.configuration import host_of
from restore_drill.doctor.examine import Checkup
from restore_drill.doctor.machine import place_of_server
from restore_drill.doctor.model import Group
from restore_drill.doctor.writable import can_append
from restore_drill.drift.state import state_of
from restore_drill.live.server.drill_databases import prefix_of
from restore_drill.servers.cleanup import PREFIX
from restore_drill.servers.database import conninfo_of, place_of
from restore_drill.watch.history import history_path


def writes(checkup: Checkup, *, restores: bool, is_whole: bool) -> Group:
    """Files, databases and keys; of a part of a drill no history is kept."""
    settings, chosen = checkup.configured.settings, checkup.chosen
    group = Group("writes", "What is written")
    group.note(f"reports: {settings.report_dir}")
    if restores and settings.target == "database":
        live(settings, group)
    elif restores:
        away(checkup, group)
    if settings.redis_url is not None:
        group.note(
            "Redis: only its own keys, restore-drill:<random>:*, which expire and are deleted"
        )
    leaves(settings, group)
    path = history_path(settings)
    if isinstance(chosen, Backup) and is_whole:
        if path is not None and not can_append(path):
            group.warn(f"no line in the history: {as_written(path)} cannot be written")
        elif path is not None:
            group.note(f"a line in the history: {as_written(path)}")
        folder = state_of(settings, chosen).folder
        group.note(f"if it passes, the baseline for the next drill: {folder}")
    return group


def leaves(settings: Settings, group: Group) -> None:
    """What a drill leaves beside its reports."""
    found = settings.leaves
    if found.sign is not None:
        group.note("a signature beside result.json")
    if found.metrics_file is not None:
        group.note(f"metrics: {found.metrics_file}")
    if found.pushgateway is not None:
        group.note(f"metrics: sent to {host_of(found.pushgateway)}")
    if found.keep != KEEP[0]:
        what = "the restored server, and a Redis of the drill's own, stay up"
        group.note(f"{what} ({found.keep}), for {show_duration(found.keep_for)}")


def away(checkup: Checkup, group: Group) -> None:
    """A throwaway server's own directory."""
    try:
        base, _ = place_of_server(checkup.configured.settings, checkup.chosen)
    except CouldNotRun:
        return
    group.note(f"a directory {base / PREFIX}<random>, removed at the end")


def live(settings: Settings, group: Group) -> None:
    """What becomes of a live server."""
    conninfo = conninfo_of(settings.database_url or "")
    name = conninfo["dbname"]
    where = place_of(conninfo)
    if settings.in_place:
        group.warn(
            f"{where} is reset: everything in it is dropped and restored from the backup, "
            f"with a snapshot in {settings.snapshots_folder}; rolled back after a failed drill"
        )
        return
    made = f"a new database {prefix_of(name)}<random> on the server of {where}"
    if settings.promote:
        group.warn(
            f"{made}; when it is proved it is renamed to {name}, and the live one to "
            f"{name}_before_<time>, which stays whole"
        )
    else:
        group.note(f"{made}, which is dropped at the end; {name} itself is only read")
    if settings.create_roles:
        group.note("roles that the backup needs and the server lacks")
