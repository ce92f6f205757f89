"""Values of the settings: texts as given, turned into paths, durations, counts and checked URLs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from restore_drill.config.criteria import Criteria
from restore_drill.config.options import OPTIONS, usage_error
from restore_drill.config.remote import remote_history, remote_path
from restore_drill.core.access import nearest_closed
from restore_drill.core.units import parse_duration

COPY = {
    ("azure", "abfs", "abfss", "wasb", "wasbs"): "az storage blob download, or azcopy copy",
    ("ftp", "ftps", "scp", "ssh"): "curl --fail --remote-name URL, or scp",
    ("rsync",): "rsync URL .",
    ("b2",): "b2 file download URL .",
    ("minio",): "mc cp URL .",
}
"""Command that fetches a backup, by the scheme of its URL."""

REMOTE = ("backup", "backup_path", "redis_backup", "to", "wal")
"""Settings that may name a place of another machine."""
HISTORY = "history.jsonl"
"""Name of the file of the history."""


def path_of(
    given: dict[str, str | None], name: str, here: Path, *, must_exist: bool = False
) -> Path | None:
    """Path named by the setting `name`; a usage error where it must exist and does not."""
    value = given[name]
    if value is None:
        return None
    if remote := remote_path(given, name) if name in REMOTE else None:
        return remote
    value = without_file_scheme(value)
    if place := re.match(r"(\w[\w+.-]*)://", value):
        shown = re.sub(r"//[^/]*@", "//", value).partition("?")[0]  # both may hold secrets
        what = f"names {shown}, which is not a path on this machine"
        raise usage_error(name, what, copy_of(place[1], shown))
    path = without_dots(here / Path(value).expanduser())
    exists = os.path.exists(path) or nearest_closed(path)  # noqa: PTH110 - raises nothing
    if must_exist and not exists:
        raise usage_error(
            name, f"names {path}, which does not exist", "check the path and its mount"
        )
    return path


def is_there(here: Path, text: str) -> bool:
    """Whether `text` names a file; a text that is too long for a name does not."""
    try:
        return (here / Path(text).expanduser()).exists()
    except (OSError, ValueError, RuntimeError):
        return False


def without_file_scheme(value: str) -> str:
    """The path in `value` where it is a URL of a file of this machine, else `value` itself."""
    scheme, is_url, rest = value.partition("://")
    host, slash, path = rest.partition("/")
    if not is_url or scheme.lower() != "file" or host not in ("", "localhost"):
        return value
    return unquote(slash + path)


def history_of(given: dict[str, str | None], here: Path) -> Path | None:
    """File of the history that is set; a folder stands for `history.jsonl` in it.

    Of one in a bucket the path that stands for it, see `remote.py`.
    """
    value = given["history"]
    if value is None:
        return None
    if path := remote_history(value):
        return path
    if re.match(r"\w[\w+.-]*://", value):
        raise usage_error(
            "history",
            "is a URL (not shown: it may hold a password) where no history can be kept",
            "name s3://bucket/folder, or a path on a disk or a share that outlives this machine",
        )
    path = here / Path(value).expanduser()
    is_folder = value.endswith("/") or path.is_dir()
    return without_dots(path / HISTORY if is_folder else path)


def without_dots(path: Path) -> Path:
    """`path` without `..`, as people would write it, unless a link makes that another file."""
    plain = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    try:
        return plain if not path.exists() or plain.samefile(path) else path
    except (OSError, ValueError):
        return path


def copy_of(scheme: str, url: str) -> str:
    """How to fetch what lies at `url`, since the drill reads files of this machine alone."""
    command = next((text for names, text in COPY.items() if scheme.lower() in names), "")
    if not command:
        return "copy the backup to this machine, and name that"
    return f"copy the backup here first ({command.replace('URL', url)}), and name the copy"


def age_limit_of(given: dict[str, str | None], criteria: Criteria) -> float:
    """Seconds that a backup may be old: as set, else the criteria file's, else the default."""
    limit = budget_of(given, "max_backup_age", criteria)
    return limit or parse_duration(str(OPTIONS["max_backup_age"].default))


def budget_of(given: dict[str, str | None], name: str, criteria: Criteria) -> float | None:
    """Seconds of the budget `name`: as set, else the criteria file's; None where nobody has."""
    text = given[name]
    if text is None:
        return criteria.budgets.get(name)
    try:
        return parse_duration(text)
    except ValueError as error:
        raise usage_error(name, str(error), "write it like 90s, 5min or 26h") from None


def duration_of(given: dict[str, str | None], name: str) -> float | None:
    """Seconds set for `name`, more than none."""
    text = given[name]
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise usage_error(name, str(error), "write it like 90s, 5min or 26h") from None
    if seconds <= 0:
        raise usage_error(name, f"cannot be {text!r}", "give a duration above zero, or omit it")
    return seconds


def count_of(given: dict[str, str | None], name: str) -> int | None:
    """Whole number of 1 or more set for `name`."""
    text = given[name]
    if text is not None and not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise usage_error(name, f"cannot be {text!r}", "give a whole number of 1 or more")
    return int(text) if text else None


def flag_of(given: dict[str, str | None], name: str) -> bool:
    """Whether the flag `name` is set: by itself as an option, by yes or no as a variable."""
    text = (given[name] or "no").lower()
    if text not in {"yes", "true", "on", "1", "no", "false", "off", "0"}:
        raise usage_error(name, f"cannot be {text!r}", "set it to yes or no")
    return text in {"yes", "true", "on", "1"}


def database_url_of(given: dict[str, str | None], target: str) -> str | None:
    """DATABASE_URL, checked only where it is used; its text is never repeated in an error."""
    url = given["database_url"]
    if target != "database":
        return url
    if url is None:
        raise usage_error("database_url", "is unset", "--target database needs it")
    return checked_database_url(url)


def checked_database_url(url: str) -> str:
    """`url`, or a usage error that does not repeat it where it is none or names no database."""
    try:
        parts: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise usage_error(
            "database_url",
            "is not a PostgreSQL URL (not shown: it may hold a password)",
            "write postgresql://user@host:5432/name, with special characters percent-encoded",
        ) from None
    if not parts.get("dbname"):
        raise usage_error("database_url", "names no database", "end it with /name")
    return url


def scheme_of(url: str) -> str:
    """Scheme of a URL, empty where it is none; what urlsplit says of one may hold a password."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""
