"""All checks side by side: what was found stands in a `Checkup`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from restore_drill.config.settings import Settings
from restore_drill.core.errors import DrillError
from restore_drill.core.units import show_duration
from restore_drill.doctor.backups import examine_backups
from restore_drill.doctor.configured import Configured
from restore_drill.doctor.live import examine_live, shown_url
from restore_drill.doctor.machine import examine_isolation, examine_machine
from restore_drill.doctor.model import Fact, Group, Open
from restore_drill.doctor.opens import left_open
from restore_drill.doctor.records import examine_alerts, examine_history
from restore_drill.doctor.servers import examine_servers
from restore_drill.doctor.services import examine_engine, examine_redis
from restore_drill.doctor.waiting import OTHERS, OURS, Begun, Unanswered
from restore_drill.selection.chosen import Chosen, choose


@dataclass
class Checkup:
    """What was found: `groups` in the order in which they are shown, and what stays `opens`.

    `chosen` is the backup that a drill would be of, None where none is named, or not known.
    """

    configured: Configured
    chosen: Chosen | None
    groups: list[Group]
    opens: list[Open] = field(default_factory=list)

    @property
    def facts(self) -> list[Fact]:
        """Those of all groups."""
        return [fact for group in self.groups for fact in group.facts]

    @property
    def stops(self) -> list[Fact]:
        """What keeps a drill from running."""
        return [fact for fact in self.facts if fact.stops]

    @property
    def fails(self) -> list[Fact]:
        """What a drill would run into, and fail."""
        return [fact for fact in self.facts if fact.kind == "bad" and not fact.stops]

    @property
    def code(self) -> int:
        """Exit code: 0 where a drill could run, 4 for its settings, 6 for another reason."""
        if self.configured.errors:
            return 4
        return 6 if self.stops else 0


def examine(
    configured: Configured,
    names: Sequence[str] | None = None,
    choosing: Callable[[], Chosen | None] | None = None,
) -> Checkup:
    """Examine all, or the groups that `names` lists, each for as long as its limit allows.

    `choosing` gives the backup where it has been chosen already.
    """
    settings = configured.settings
    backup = Begun("the folder of the backups", choosing or partial(chosen_in, settings), OURS)
    checks: dict[str, tuple[str, float, Callable[[], Group]]] = {
        "backups": ("Backups", OURS, lambda: examine_backups(settings, backup.result())),
        "servers": ("Servers", OURS, lambda: examine_servers(settings, backup.result())),
        "machine": ("Disk", OURS, lambda: examine_machine(settings, backup.result())),
        "isolation": ("Isolation", OURS, lambda: examine_isolation(settings)),
        "live": ("Live database", OTHERS, lambda: examine_live(settings, backup.result())),
        "redis": ("Redis", OTHERS, lambda: examine_redis(settings)),
        "containers": ("Containers", OTHERS, lambda: examine_engine(settings, backup.result())),
        "history": ("History", OURS, lambda: examine_history(settings, backup.result())),
        "alerts": ("Alerts", OURS, lambda: examine_alerts(settings, configured.environment)),
    }
    begun = {
        name: (title, Begun(title, work, limit))
        for name, (title, limit, work) in checks.items()
        if names is None or name in names
    }
    opens = Begun("what is measured against", lambda: left_open(settings, backup.result()), OURS)
    groups = [name_settings(configured)]
    groups += [ended(name, title, work) for name, (title, work) in begun.items()]
    return Checkup(configured, outcome(backup), groups, outcome(opens) or [])


def chosen_in(settings: Settings) -> Chosen | None:
    """The backup that is drilled, or why there is none; None where none is named."""
    return None if settings.is_sample else choose(settings)


def ended(name: str, title: str, work: Begun[Group]) -> Group:
    """What was found, or that it could not be found out."""
    try:
        return work.result()
    except Unanswered as error:
        group = Group(name, title)
        group.error(error, stops=name in ("backups", "servers", "live"))
    except DrillError as error:
        group = Group(name, title)
        group.error(error)
    except (OSError, subprocess.SubprocessError) as error:
        group = Group(name, title)
        what = getattr(error, "strerror", None) or type(error).__name__
        group.warn(f"could not be examined: {what}")
    return group


T = TypeVar("T")


def outcome(work: Begun[T]) -> T | None:
    """What came of `work`, None where that is reported elsewhere."""
    try:
        return work.result()
    except (DrillError, OSError):
        return None


def name_settings(configured: Configured) -> Group:
    """What is set, and where; and what a drill would refuse."""
    group = Group("configuration", "Configuration")
    settings = configured.settings
    for error in configured.errors:
        group.bad(error)
    for name, given in configured.given.items():
        group.note(f"{label(name)}: {shown(name, given.text, settings)} ({given.source})")
    rest = {
        "target": settings.target,
        "criteria file": str(settings.criteria.path),
        "reports": str(settings.report_dir),
        "maximum age of the backup": show_duration(settings.max_backup_age),
    }
    unset = {key: text for key, text in rest.items() if KEYS[key] not in configured.given}
    group.note("by default: " + ", ".join(f"{key} {text}" for key, text in unset.items()))
    if settings.criteria.budgets:
        budgets = {n: show_duration(s) for n, s in settings.criteria.budgets.items()}
        of = ", ".join(f"{label(name)} {text}" for name, text in budgets.items())
        group.note(f"{of} ({settings.criteria.path})")
    return group


KEYS = {
    "target": "target",
    "criteria file": "criteria",
    "reports": "report_dir",
    "maximum age of the backup": "max_backup_age",
}
"""Names of the settings whose defaults are shown."""


def label(name: str) -> str:
    """`max backup age`."""
    names = {"backup_path": "backups", "database_url": "live database", "redis_url": "Redis"}
    return names.get(name, name.replace("_", " "))


def shown(name: str, text: str, settings: Settings) -> str:
    """The `text` of a setting, without what may be secret."""
    if name == "database_url":
        return shown_url(text)
    if name != "redis_url":
        return text
    if settings.redis_url is None:  # it was refused
        return "set (not shown: it may hold a password)"
    parts = urlsplit(settings.redis_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
