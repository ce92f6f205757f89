"""Whether backups in repositories are whole, by pgBackRest's own word and by Barman's list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from restore_drill.backups.physical.barman import DATA, INFO, info_at
from restore_drill.backups.physical.barman_text import number_of
from restore_drill.backups.physical.findings import Findings
from restore_drill.backups.physical.model import PLAIN, Physical
from restore_drill.backups.physical.pgbackrest import stanza_of, unread
from restore_drill.backups.physical.programs import LONG, run_program
from restore_drill.backups.physical.repositories import access, place_of
from restore_drill.backups.physical.wal_inside import needed_segments
from restore_drill.core.below import files_below

SETS = re.compile(r"^backup: (\S{1,200}), status: ([a-z ]{1,60})", re.MULTILINE)
WAL = re.compile(
    r"^archiveId: (\S{1,60}), total WAL checked: (\d{1,15}), total valid WAL: (\d{1,15})",
    re.MULTILINE,
)
STATUS = re.compile(r"^status: (\w{1,20})$", re.MULTILINE)
BAD = re.compile(r"^P\d{2,3} +INFO: ((?:file missing|invalid [a-z]{1,20}|size invalid)[^\n]*+)")
VALID, OK = "valid", "ok"
SEGMENT = re.compile(r"([0-9A-F]{24})(?:-[0-9a-f]{40})?(?:\.[a-z0-9]{1,5})?")
MOST_LISTED = 5


def check_repository(physical: Physical, found: Findings) -> None:
    """Judge the set by what `pgbackrest verify` prints; its exit code is 0 in any case.

    It reads all sets of the stanza. What is wrong with others is told.
    """
    place = place_of(physical)
    listed = [each for each in stanza_of(place)["backup"] if each["label"] == physical.name]
    if any(each.get("error") for each in listed):
        found.fault(f"pgBackRest found pages with wrong checksums when it took {physical.name}")
    options = ["--output=text", "--verbose", "--job-retry=0"]
    done = run_program([*access(place, level="info"), *options, "verify"], limit=LONG)
    text = "\n".join(done.lines)
    status = STATUS.search(text)
    sets = dict(SETS.findall(text))
    if status is None or (done.code and not sets):
        raise unread(place, done)
    own = {each.path.name for each in physical.members}
    bad = [match[1] for line in done.lines if (match := BAD.match(line))]
    for label in sorted(own):
        if sets.get(label) != VALID:
            found.fault(f"pgbackrest verify: {label} is {sets.get(label, 'not among its backups')}")
            found.faults_of("pgbackrest verify: ", [each for each in bad if label in each])
    for archive, checked, valid in WAL.findall(text):
        if checked != valid:
            lost = f"{int(checked) - int(valid)} of {checked} WAL segments of {archive}"
            found.fault(f"pgbackrest verify: {lost} are damaged")
            found.faults_of("pgbackrest verify: ", [each for each in bad if f"{archive}/" in each])
    others = sorted(label for label, how in sets.items() if how != VALID and label not in own)
    if others:
        found.tell(
            f"whether other backups of the stanza are whole: {', '.join(others[:MOST_LISTED])}",
            "pgbackrest verify says that they are not; this drill is of another one",
        )
    elif status[1] != OK and not found.faults:
        found.fault(f"pgbackrest verify: its status is {status[1]}")
    found.read(physical.size)
    check_archive(physical, found)


def check_archive(physical: Physical, found: Findings) -> None:
    """Note which segments the archive lacks that the backup itself needs."""
    if physical.archive is None or physical.has_wal:
        return
    needed = needed_segments(physical)
    there = set(segments_below(physical.archive, {name[:16] for name in needed}))
    missing = [name for name in needed if name not in there]
    where = "the archive lacks a WAL segment without which the backup cannot be recovered: "
    found.faults_of(where, missing[:MOST_LISTED])


def segments_below(archive: Path, folders: set[str]) -> Iterator[str]:
    """Names of the segments in those `folders` of an archive, whatever they are compressed by."""
    with suppress(OSError):
        for each in archive.iterdir():
            if each.name in folders:
                with suppress(OSError):
                    names = [SEGMENT.fullmatch(file.name) for file in each.iterdir()]
                    yield from (name[1] for name in names if name)
            elif each.is_dir() and not each.is_symlink() and re.fullmatch(r"[\d.]+-\d+", each.name):
                yield from segments_below(each, folders)


def check_barman(physical: Physical, found: Findings) -> None:
    """Compare what lies there with what Barman has written down."""
    for member in physical.members:
        folder = member.path.parent
        info = info_at(folder)
        where = f"{folder.name}: " if len(physical.members) > 1 else ""
        if info is None or not info.is_done:
            status = info.get("status") if info else ""
            found.fault(f"{where}Barman has not finished it: its status is {status or 'not said'}")
        if not member.path.is_dir():
            found.fault(f"{where}its folder {DATA} is missing")
            continue
        if info is not None and member.form == PLAIN:
            check_size(folder, number_of(info.get("size")), where, found)
        if physical.system and info and info.get("systemid") not in ("", physical.system):
            found.fault(f"{where}it is of another server than the newest of its chain")
    if physical.newest.form == PLAIN:
        data = physical.newest.path
        lost = [each for each in physical.tablespaces if not lies_in(data, each.oid)]
        found.fault(*(f"its tablespace {each.name} ({each.oid}) is missing" for each in lost))
    check_archive(physical, found)


def lies_in(data: Path, oid: int) -> bool:
    """Whether the files of a tablespace lie in the backup; a link may lead to another one's."""
    inside = data / "pg_tblspc" / str(oid)
    return (data.parent / str(oid)).is_dir() or (inside.is_dir() and not inside.is_symlink())


def check_size(folder: Path, stated: int, where: str, found: Findings) -> None:
    """Compare the bytes of the files in `folder` with those that Barman has `stated`.

    It has counted backup.info too, which was shorter then.
    """
    there = sum(status.st_size for _, status in files_below(folder))
    if there < stated:
        found.fault(
            f"{where}its files have {there:,} bytes, and had {stated:,} when Barman took it "
            f"({INFO})"
        )
