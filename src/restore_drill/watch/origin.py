"""Where a drill comes from, as issues know it: where its backups lie, and what lies beside them."""

from __future__ import annotations

from pathlib import Path

from restore_drill.alerts.subject import Origin
from restore_drill.config.settings import Settings
from restore_drill.config.where import where, where_is
from restore_drill.core.errors import CouldNotRun
from restore_drill.watch.chain import digest
from restore_drill.watch.history import history_path
from restore_drill.watch.stored import stored


def origin_of(settings: Settings, backup: str | None, here: Path) -> Origin:
    """Where the drill of `backup` comes from that is called in the folder `here`."""
    called = where_is(here, settings.machine)
    return Origin(settings.backup_path, places_of(settings, backup), called, settings.is_sample)


def places_of(settings: Settings, backup: str | None = None) -> tuple[str, ...]:
    """Places by which the backups are known: the folder, and the history beside them.

    The history is the same from every machine that has the folder mounted, and another where two
    machines have backups of their own at the same path.
    """
    beside = history_path(settings) if settings.history is None else None
    places = where(settings, backup), identity_of(beside) if beside else ""
    return tuple(filter(None, places))


def places_in(path: Path, place: str, settings: Settings) -> tuple[str, ...]:
    """The same for a series in the history at `path`, whose entries say `place`, or nothing."""
    if place:
        return (place,)
    if path == history_path(settings):
        return places_of(settings)
    folder = path.parent.parent if path.parent.name == ".drill" else None
    places = where_is(folder, settings.machine) if folder else "", identity_of(path)
    return tuple(filter(None, places))


def identity_of(path: Path) -> str:
    """What tells the history at `path` from every other: its first entry; empty without one."""
    try:
        first = stored(path).partition(b"\n")[0]
    except CouldNotRun:
        return ""
    return f"history {digest(first)}" if first else ""
