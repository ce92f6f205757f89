"""Backup sets of a pgBackRest repository, as `pgbackrest info` tells of them."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore_drill.backups.physical.in_folder import USUAL
from restore_drill.backups.physical.model import (
    PGBACKREST,
    REPOSITORY,
    Member,
    Physical,
    Tablespace,
    lsn_of,
)
from restore_drill.backups.physical.programs import Done, run_program
from restore_drill.backups.physical.repositories import Place, access
from restore_drill.backups.physical.wal_names import size_by_name
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some

MOST_SAID = 6
"""So many lines of pgbackrest are repeated."""
MOST_SETS = 8
ARCHIVE_INFO = ("archive.info", "archive.info.copy")


def repository_backup(place: Place, path: Path, set_name: str = "") -> Physical:
    """The set called `set_name`, else the newest, of the stanza at `place`.

    BackupFault where the stanza has no backup, UsageError where it has none of that name,
    CouldNotRun where pgbackrest cannot read it.
    """
    stanza = stanza_of(place)
    sets = sorted(stanza["backup"], key=lambda each: each["timestamp"]["stop"])
    labels = [str(each["label"]) for each in sets]
    if not sets:
        raise BackupFault(
            f"the pgBackRest stanza {place.stanza} holds no backup",
            checked=[f"pgbackrest info: {place.backups}"],
            remedy=remedy_for("physical", "no_sets"),
        )
    label = set_name if set_name not in ("", "latest") else labels[-1]
    if label not in labels:
        raise UsageError(
            f"--set (DRILL_SET) names {label!r}, and the stanza {place.stanza} has no such backup; "
            f"it has: {some(labels[::-1], MOST_SETS)}"
        )
    if place.backups.is_dir() and not (place.backups / label).is_dir():
        raise BackupFault(
            f"the stanza {place.stanza} lists the backup {label}, and its files are gone",
            checked=[f"no folder {place.backups / label}"],
            remedy=remedy_for("physical", "no_sets"),
        )
    try:
        detailed = stanza_of(place, f"--set={label}")["backup"][0]
        return described(place, path, stanza, detailed, tuple(labels))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise unread(place, Done(0, ""), f"pgbackrest says nothing of {error}") from None


def stanza_of(place: Place, *options: str) -> dict[str, Any]:
    """What `pgbackrest info` says of the stanza; CouldNotRun where it cannot read it."""
    done = run_program([*access(place), "--output=json", *options, "info"])
    try:
        start = done.output.index("[{")
        found: dict[str, Any] = json.JSONDecoder().raw_decode(done.output, start)[0][0]
    except (ValueError, IndexError, RecursionError):
        raise unread(place, done) from None
    if done.code or found["status"]["code"] not in (0, 2):  # 2: there are no backups
        raise unread(place, done, messages_in(found))
    return found


def messages_in(found: dict[str, Any]) -> str:
    """What went wrong, as the repositories of a stanza say."""
    return "\n".join(str(each["status"]["message"]) for each in found.get("repo", ()))


def unread(place: Place, done: Done, message: str = "") -> DrillError:
    """The error that pgbackrest cannot read the stanza at `place`.

    A repository that is encrypted, and read without its passphrase, is quoted in bytes.
    """
    said = message or done.output
    lines = Done(done.code, said).lines[:MOST_SAID]
    is_sealed, is_damaged = is_encrypted(place), "FormatError" in said or "ChecksumError" in said
    if is_damaged and place.backups.is_dir() and not is_sealed:
        return BackupFault(
            f"the list of backups of the pgBackRest stanza {place.stanza} is damaged",
            checked=[*lines, f"{place.backups}: backup.info and backup.info.copy"],
            remedy=remedy_for("physical", "no_sets"),
        )
    if has_lost_archive(place):
        return BackupFault(
            f"the pgBackRest stanza {place.stanza} has lost archive.info and its copy: none of "
            "its WAL can be read",
            checked=[*lines, str(place.archive)],
            remedy=remedy_for("physical", "no_sets"),
        )
    cause = "cipher" if is_sealed or is_damaged else "info"
    return CouldNotRun(
        f"pgbackrest cannot read the stanza {place.stanza} in {place.root}",
        checked=lines,
        remedy=remedy_for("physical", cause, stanza=place.stanza),
    )


def has_lost_archive(place: Place) -> bool:
    """Whether the stanza's folder of WAL is there, without the file that says whose WAL it is."""
    with suppress(OSError):
        names = {each.name for each in place.archive.iterdir()}
        return not names & set(ARCHIVE_INFO)
    return False


def is_encrypted(place: Place) -> bool:
    """Whether the files of the stanza at `place` are encrypted."""
    try:
        with (place.backups / "backup.info").open("rb") as file:
            return file.read(8) == b"Salted__"
    except OSError:
        return False


def described(
    place: Place, path: Path, stanza: dict[str, Any], found: dict[str, Any], labels: tuple[str, ...]
) -> Physical:
    """The backup set that pgbackrest has `found` in the `stanza`."""
    number = found["database"]["id"]
    server = next(each for each in stanza["db"] if each["id"] == number)
    wal, lsn = found["archive"], found.get("lsn") or {}
    start = lsn_of(lsn["start"]) if lsn.get("start") else None
    first = str(wal["start"] or "")
    members = [*(found["reference"] or ()), found["label"]]
    size = size_by_name(first, start) if first and start is not None else None
    return Physical(
        kind=PGBACKREST,
        path=path,
        members=tuple(Member(place.backups / each, form=REPOSITORY) for each in members),
        major=int(str(server["version"]).partition(".")[0]),
        name=str(found["label"]),
        sets=labels,
        system=str(server["system-id"]),
        timeline=int(first[:8], 16) if first else 1,
        start_lsn=start,
        stop_lsn=lsn_of(lsn["stop"]) if lsn.get("stop") else None,
        first_segment=first,
        segment_size=size or USUAL,
        started_at=datetime.fromtimestamp(found["timestamp"]["start"], UTC),
        stopped_at=datetime.fromtimestamp(found["timestamp"]["stop"], UTC),
        tablespaces=tuple(
            Tablespace(int(each["oid"]), str(each["name"]), str(each["destination"]))
            for each in found.get("tablespace") or ()
        ),
        has_label=bool(first),  # one that was taken of a stopped server needs none
        shut_down=not first,
        archive=place.archive if place.archive.is_dir() else None,
        size=int(found["info"]["size"]),
        earlier_sizes=sizes_before(found["timestamp"]["stop"], stanza["backup"]),
        version=str(server["version"]),
    )


def sizes_before(stop: int, sets: list[dict[str, Any]]) -> tuple[int, ...]:
    """Bytes of the databases in those `sets` that were taken before `stop`, the newest first."""
    earlier = [each for each in sets if each["timestamp"]["stop"] < stop]
    return tuple(int(each["info"]["size"]) for each in reversed(earlier))
