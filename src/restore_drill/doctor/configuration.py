"""What is set, and where: as a group of facts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from restore_drill.config.remote import mirror_around
from restore_drill.config.settings import Settings
from restore_drill.core.mirrors import as_written
from restore_drill.core.units import show_duration
from restore_drill.doctor.configured import Configured
from restore_drill.doctor.live import shown_url
from restore_drill.doctor.model import Group

HIDDEN = "set (not shown: it may be, or hold, a secret)"
URLS = ("redis_url", "pushgateway")
PLACES = ("backup", "backup_path", "redis_backup")


def name_settings(configured: Configured) -> Group:
    """What is set, and where; and what a drill would refuse."""
    group = Group("configuration", "Configuration")
    settings = configured.settings
    for error in configured.errors:
        group.bad(error)
    today = datetime.now(UTC).date()
    for each in settings.criteria.waivers:
        if each.has_expired(today):
            group.warn(f"the waiver of {each.criterion} expired on {each.expires} ({each.reason})")
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
    names = {
        "backup_path": "backups",
        "database_url": "live database",
        "redis_url": "Redis",
        "redis_backup": "backup of Redis",
        "decrypt_key": "file of the key for backups",
        "decrypt_secret": "key for backups",
        "decrypt_command": "command for the key for backups",
    }
    return names.get(name, name.replace("_", " "))


def shown(name: str, text: str, settings: Settings) -> str:
    """The `text` of a setting, without what may be secret: a key, a password or token in a URL."""
    if name == "database_url":
        return shown_url(text)
    if name in URLS:
        return host_of(text) if url_in(settings, name) else HIDDEN  # None: it was refused
    if name in PLACES and (there := place_of(getattr(settings, name))):
        return there
    hides = name in ("decrypt_secret", "decrypt_command")
    hides |= name == "decrypt_key" and not settings.decrypt.key_file  # it was refused
    hides |= name == "sign" and not isinstance(settings.leaves.sign, Path)
    return HIDDEN if hides or "://" in text or not text.isprintable() else text


def place_of(path: Path | None) -> str:
    """URL of what lies on another machine, in which nothing is secret; empty for all else."""
    return as_written(path) if path and mirror_around(path) else ""


def url_in(settings: Settings, name: str) -> str | None:
    """The URL that the setting `name` holds, None where it was not set or is refused."""
    return settings.redis_url if name == "redis_url" else settings.leaves.pushgateway


def host_of(url: str) -> str:
    """`https://host:9091` of a URL: what stands before and behind may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
