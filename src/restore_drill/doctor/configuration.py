"""What is set, and where: as a group of facts."""

from __future__ import annotations

from urllib.parse import urlsplit

from restore_drill.config.settings import Settings
from restore_drill.core.units import show_duration
from restore_drill.doctor.configured import Configured
from restore_drill.doctor.live import shown_url
from restore_drill.doctor.model import Group


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
