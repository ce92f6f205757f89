"""What a server that has recovered comes to: its evidence, its databases, and the verdict."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from functools import partial

from restore_drill.core.units import show_moment
from restore_drill.recovery.access import open_server
from restore_drill.recovery.archives.header import FOREIGN
from restore_drill.recovery.branches import gone_on, unseen
from restore_drill.recovery.control_data import ControlData, read_control_data
from restore_drill.recovery.databases import open_databases
from restore_drill.recovery.evidence import Reading
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.histories import histories_of
from restore_drill.recovery.judge import Known, Verdict, judge
from restore_drill.recovery.latest import gaps_behind, judge_latest
from restore_drill.recovery.lost import newest_commit
from restore_drill.recovery.model import LATEST, Archive, Asked, Evidence, Goal, Part, Recovered
from restore_drill.recovery.replay import parts_of
from restore_drill.recovery.server import RecoveredServer
from restore_drill.recovery.shell import Shell

LOSING = ("gap", "wal_damaged")
"""Causes of faults that cost transactions."""
LABEL_READ = "backup_label.old"
"""What the server calls the label that it has begun at."""


def finish(
    shell: Shell,
    server: RecoveredServer,
    reading: Reading,
    seconds: float,
    *,
    goal: Goal,
    before: ControlData,
    had_label: bool,
    archive: Archive | None,
    fetcher: Fetcher | None,
    settings: dict[str, str],
    parts: list[Part],
) -> Recovered:
    """Open all of `server`, which took `seconds` to recover, and judge what it came to."""
    after = read_control_data(shell.binaries, shell.launcher, shell.run.data)
    asked = tuple(fetcher.asked) if fetcher else ()
    evidence = gathered(shell, reading, after, asked, had_archive=archive is not None)
    parts += parts_of(reading, asked, after.redo, before.segment_size, seconds)
    known = Known(shell.physical, goal, evidence, before, after, had_label)
    verdict = judge(known)
    if archive is not None and fetcher is not None:
        judge_wal(known, archive, fetcher, verdict, shell)
    open_server(server, settings)
    databases = open_databases(server)
    return Recovered(
        server=server,
        goal=goal,
        evidence=evidence,
        databases=databases.oids,
        parts=parts,
        faults=[*verdict.faults, *databases.faults],
        told=[*verdict.told, *databases.told],
        warnings=verdict.warnings,
    )


def gathered(
    shell: Shell,
    reading: Reading,
    after: ControlData,
    asked: tuple[Asked, ...],
    *,
    had_archive: bool,
) -> Evidence:
    """What the log says, and what the files of the recovered server do."""
    return replace(
        reading.evidence(),
        began=reading.began or os.path.lexists(shell.run.data / LABEL_READ),
        end_lsn=after.redo,
        timeline=after.before,
        system=after.system,
        asked=asked,
        had_archive=had_archive,
    )


def judge_wal(
    known: Known, archive: Archive, fetcher: Fetcher, verdict: Verdict, shell: Shell
) -> None:
    """Add to `verdict` what the archive could not give, and whether all of it was read.

    A server reads ahead: what is damaged behind a goal that it has reached is only a warning.
    """
    found = {each.name: each.error for each in fetcher.faults}
    damaged = [f"{error.what}: {'; '.join(error.checked)}" for error in found.values()]
    names = fetcher.names()
    if known.goal.how != LATEST:
        verdict.warnings += damaged
        histories, _ = histories_of(archive, names)
        verdict.faults += unseen(known, archive, names, histories)
        verdict.warnings += gaps_behind(known, archive, names, histories)
        return
    latest = judge_latest(known, archive, names)
    commits = partial(
        newest_commit, archive, names, binaries=shell.binaries, launcher=shell.launcher
    )
    for what, is_newer in gone_on(known, names, latest.path, commits):
        latest.faults += [(what, "timeline")] if is_newer else []
        verdict.warnings += [] if is_newer else [what]
    faults = [(each, "wal_damaged") for each in damaged] or latest.faults
    if any(cause in LOSING for _, cause in faults) and known.evidence.timeline:
        newest = commits(known.evidence.timeline)
        faults = [(f"{what}{span(known.evidence, newest)}", cause) for what, cause in faults]
    verdict.faults += faults
    verdict.faults += ((each, "foreign") for each in damaged if FOREIGN in each)
    verdict.told += latest.told


def span(evidence: Evidence, newest: datetime | None) -> str:
    """Between which times the transactions ended that are lost, as far as that is known."""
    last = evidence.last_in.at if evidence.last_in else None
    if newest is None or (last is not None and newest <= last):
        return ""
    since = f"after {show_moment(last)}" if last else "after the end of the backup"
    return f"; lost are the transactions that ended {since}, up to {show_moment(newest)} at least"
