"""The WAL that lies in a backup: whether it is whole from the backup's begin to its end."""

from __future__ import annotations

import re
from pathlib import Path

from restore_drill.backups.physical.files import head_of
from restore_drill.backups.physical.findings import Findings
from restore_drill.backups.physical.model import Physical, show_lsn
from restore_drill.backups.physical.programs import LONG, run_program
from restore_drill.backups.physical.wal_header import any_header_of
from restore_drill.backups.physical.wal_names import (
    SEGMENT,
    Segment,
    name_of,
    segment_name,
    segment_of,
)
from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.find import installed

PROGRAM = "pg_waldump"
SAID = re.compile(r"pg_waldump: (?:error|detail): +(.*)")
MOST_SEGMENTS = 1 << 20
MOST_LISTED = 5


def needed_segments(physical: Physical) -> list[str]:
    """Names of the segments from the backup's begin to its end; none where these are not known."""
    start, stop, size = physical.start_lsn, physical.stop_lsn, physical.segment_size
    if start is None or stop is None or stop < start:
        return []
    numbers = range(start // size, max(stop - 1, start) // size + 1)
    if len(numbers) > MOST_SEGMENTS:
        return []
    return [segment_name(physical.timeline, number * size, size) for number in numbers]


def check_wal(physical: Physical, folder: Path, found: Findings) -> None:
    """Read the WAL in `folder` from the begin of the backup to its end."""
    needed = needed_segments(physical)
    # A standby that was promoted meanwhile goes on in another timeline.
    found_there = [each.name for each in sorted(folder.iterdir()) if SEGMENT.fullmatch(each.name)]
    there = {name[8:]: name for name in found_there if int(name[:8], 16) >= physical.timeline}
    if missing := [name for name in needed if name[8:] not in there]:
        found.faults_of("the WAL in the backup lacks the segment ", missing[:MOST_LISTED])
        return
    names = [there[name[8:]] for name in needed]
    for name in names:
        check_segment(physical, folder / name, found)
    if names and names == needed:
        parse(physical, folder, names, found)


def check_row(physical: Physical, folder: Path, found: Findings) -> None:
    """Note a hole in the WAL of a copy that does not say where it ends: a server leaves none."""
    size = physical.segment_size
    names = [each.name for each in folder.iterdir() if SEGMENT.fullmatch(each.name)]
    own = (segment_of(name, size) for name in names)
    there = {each.number for each in own if each and each.timeline == physical.timeline}
    first = segment_of(physical.first_segment, size)
    assert first is not None
    missing = sorted(set(range(first.number, max(there) + 1)) - there)
    lacking = [name_of(Segment(physical.timeline, each), size) for each in missing[:MOST_LISTED]]
    found.faults_of("the WAL in the backup lacks the segment ", lacking)


def check_segment(physical: Physical, path: Path, found: Findings) -> None:
    """Note where the segment at `path` is short, or of another server."""
    size, segment = path.stat().st_size, any_header_of(head_of(path, 64))
    if size != physical.segment_size:
        found.fault(
            f"the WAL segment {path.name} has {size:,} bytes, not {physical.segment_size:,}"
        )
    if segment and physical.system and segment.system != physical.system:
        found.fault(
            f"the WAL segment {path.name} is of another server: its system identifier is "
            f"{segment.system}, the backup's {physical.system}"
        )


def parse(physical: Physical, folder: Path, names: list[str], found: Findings) -> None:
    """Read the records by pg_waldump of the server's own version, which alone knows them."""
    start, stop = physical.start_lsn, physical.stop_lsn
    assert start is not None
    assert stop is not None
    build = installed(physical.major, frozenset(), [])
    try:
        tool = build.tool(PROGRAM) if build else ""
    except CouldNotRun:
        tool = ""
    if not tool:
        found.tell(
            "whether each record of the WAL in the backup is whole",
            f"there is no {PROGRAM} of PostgreSQL {physical.major} here: the recovery shows it",
        )
        return
    command = [tool, "--quiet", f"--path={folder}", f"--timeline={physical.timeline}"]
    ends = [f"--start={show_lsn(start)}", f"--end={show_lsn(stop)}"]
    done = run_program([*command, *ends], limit=LONG)
    found.read(len(names) * physical.segment_size)
    if done.code:
        said = [match[1] for line in done.lines if (match := SAID.match(line))]
        found.faults_of("the WAL in the backup: ", said or [f"{PROGRAM} ended with {done.code}"])
