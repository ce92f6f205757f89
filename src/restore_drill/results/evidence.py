"""What makes result.json evidence: who drilled what, where, with which versions, and digests."""

from __future__ import annotations

import os
import platform
import pwd
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from restore_drill import __version__
from restore_drill.config.settings import Settings
from restore_drill.core.record import Record
from restore_drill.servers.place import memory

LATER = "no report page had been written at that time"
"""Why the page has no digest; it gets one as soon as it is there."""
NOT_READ = "the drill ended before the backup was read to its end"
CPUINFO = Path("/proc/cpuinfo")

Digest = dict[str, Any]
"""`path`, `sha256` in hexadecimal, None where it is not known, and then `why`; of a backup whether
it is a `directory`."""


def evidence_of(record: Record, settings: Settings | None) -> dict[str, Any]:
    """Parts of result.json: tool, machine, versions, candidates, identity and digests.

    What is written last is not known yet: the run's folder, and the digest of the page.
    """
    return {
        "run_folder": None,
        "tool": {"name": "restore-drill", "version": __version__},
        "machine": machine(),
        "versions": versions_of(record),
        "candidates": record.candidates,
        "identity": identity_of(record),
        "digests": digests_of(record, settings),
    }


@cache
def machine() -> dict[str, Any]:
    """The machine that drilled, and the account; memory in bytes, what is not known None."""
    user = str(os.geteuid())
    with suppress(KeyError):  # a container's account may have no name
        user = pwd.getpwuid(os.geteuid()).pw_name
    return {
        "host": platform.node() or None,
        "user": user,
        "os": os_name(),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "memory_bytes": memory(),
    }


def os_name() -> str:
    """`Debian GNU/Linux 12 (bookworm)`, `macOS 15.1`."""
    with suppress(OSError):
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    release = platform.mac_ver()[0]
    return f"macOS {release}" if release else platform.system()


def cpu_name() -> str | None:
    """Model of the processor, where the system says it in a file: no program is run for it."""
    with suppress(OSError), CPUINFO.open(encoding="utf-8", errors="replace") as file:
        for line in file.read(4096).splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "cpu model"):
                return value.strip()
    return None


def versions_of(record: Record) -> dict[str, Any]:
    """Versions of what took part, None where it did not or is not known."""
    backup, target, redis = (each or {} for each in (record.backup, record.target, record.redis))
    return {
        "python": platform.python_version(),
        "psycopg": psycopg.__version__,
        "source": backup.get("source_version") or None,
        "source_pg_dump": backup.get("dumped_by") or None,
        "target": target.get("server_version"),
        "pg_dump": record.tools or None,
        "redis": redis.get("version"),
    }


def identity_of(record: Record) -> dict[str, Any]:
    """Which database was dumped, and which one was verified; None where there was none."""
    backup, target = record.backup, record.target
    source = backup and {
        "database": backup.get("database") or None,
        "system_identifier": None,
        **record.identity.get("source", {}),
    }
    found = target and {
        "kind": target["kind"],
        "database": target.get("database"),
        "oid": None,
        "system_identifier": None,
        **record.identity.get("target", {}),
    }
    return {"source": source, "target": found}


def digests_of(record: Record, settings: Settings | None) -> dict[str, Digest | None]:
    """SHA-256 of what went in; that of the page follows (`add_report`)."""
    digests: dict[str, Digest | None] = dict.fromkeys(("backup", "criteria", "reference", "report"))
    if backup := record.backup:
        found = known(backup["path"], backup.get("sha256"), NOT_READ)
        digests["backup"] = found | {"directory": bool(backup.get("directory"))}
    if settings is not None:
        criteria = settings.criteria
        digests["criteria"] = known(criteria.path, criteria.sha256, "")
        digests["reference"] = of_file(settings.reference) if settings.reference else None
        digests["report"] = {"path": "report.html", "sha256": None, "why": LATER}
    return digests


def known(path: str | Path, digest: str | None, why_not: str) -> Digest:
    """The `digest` of the file at `path`, or `why_not`."""
    found: Digest = {"path": str(path), "sha256": digest or None}
    return found if digest else found | {"why": why_not}


def of_file(path: Path) -> Digest:
    """The digest of the file at `path`, a small one of ours or a team's."""
    try:
        return known(path, sha256(path.read_bytes()).hexdigest(), "")
    except OSError as error:
        return known(path, None, f"it cannot be read: {error.strerror}")


def add_report(result: Mapping[str, Any], page: Path) -> None:
    """Complete `result` with the digest of its page, which has been written."""
    result["digests"]["report"] = of_file(page) | {"path": page.name}
