"""The checks: what each fills its group with, and whom it waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from restore_drill.backups.model import Backup
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.doctor.backups import examine_backups
from restore_drill.doctor.configuration import host_of, shown
from restore_drill.doctor.configured import Configured
from restore_drill.doctor.live import examine_live
from restore_drill.doctor.machine import examine_isolation, examine_machine
from restore_drill.doctor.model import Fact, Group
from restore_drill.doctor.others import examine_others
from restore_drill.doctor.records import examine_alerts, examine_history
from restore_drill.doctor.redis_backup import examine_redis_backup
from restore_drill.doctor.servers import examine_servers
from restore_drill.doctor.services import examine_engine, examine_redis
from restore_drill.selection.chosen import Chosen
from restore_drill.selection.groups import Shelf


class Check(NamedTuple):
    """A check that fills the group `name`; `who` is whom it waits for, empty for this machine.

    `kind` is that of the fact that it did not answer, `todo` what to do then.
    """

    name: str
    title: str
    fill: Callable[[Group], None]
    who: str = ""
    kind: str = "bad"
    stops: bool = True
    todo: Sequence[str] = ()

    def unanswered(self, error: CouldNotRun) -> Fact:
        """The fact that it did not answer."""
        return Fact(self.kind, error.what, (), tuple(self.todo), stops=self.stops)


def checks_of(
    configured: Configured, chosen: Callable[[], Chosen | None], seen: Sequence[Shelf]
) -> list[Check]:
    """All checks, in the order in which they are shown.

    `chosen` waits for the backup; what it was chosen from is in `seen` then, if anything.
    """
    settings, environment = configured.settings, configured.environment
    return [
        Check("backups", "Backups", lambda group: backups(group, settings, chosen(), seen)),
        Check(
            "servers", "Servers and tools", lambda group: examine_servers(group, settings, chosen())
        ),
        Check(
            "machine", "Disk and memory", lambda group: examine_machine(group, settings, chosen())
        ),
        Check(
            "isolation",
            "Isolation",
            lambda group: examine_isolation(group, settings),
            kind="warn",
            stops=False,
        ),
        *others(settings, chosen),
        Check(
            "history",
            "Earlier drills",
            lambda group: examine_history(group, settings, chosen()),
            kind="warn",
            stops=False,
        ),
        Check(
            "alerts",
            "Alerts",
            lambda group: examine_alerts(group, settings, environment),
            kind="warn",
            stops=False,
        ),
    ]


def backups(group: Group, settings: Settings, found: Chosen | None, seen: Sequence[Shelf]) -> None:
    """The backup that would be drilled, and those of the other series."""
    examine_backups(group, settings, found)
    if isinstance(found, Backup) and seen:
        examine_others(group, settings, seen[0], found.among.series)


def others(settings: Settings, chosen: Callable[[], Chosen | None]) -> list[Check]:
    """Checks that wait for other programs, or for another backup."""
    needs_engine = settings.target == "container"
    return [
        Check(
            "redis_backup",
            "Backup of Redis",
            lambda group: examine_redis_backup(group, settings, chosen),
            stops=False,
        ),
        Check(
            "live",
            "Live database",
            lambda group: examine_live(group, settings, chosen()),
            shown("database_url", settings.database_url or "", settings),
            todo=remedy_for("live_connection", "no_connection"),
        ),
        Check(
            "redis",
            "Redis",
            lambda group: examine_redis(group, settings),
            host_of(settings.redis_url) if settings.redis_url else "the embedded Redis",
            stops=settings.redis_url is None,
            todo=remedy_for("redis_error", "time_out"),
        ),
        Check(
            "containers",
            "Container engine",
            lambda group: examine_engine(group, settings, chosen()),
            "the container engine",
            kind="bad" if needs_engine else "warn",
            stops=needs_engine,
            todo=remedy_for("container", "no_engine") if needs_engine else (),
        ),
    ]
