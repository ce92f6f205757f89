"""Times of a drill of a physical backup by part: `python -m benchmarks.physical --sizes 300 5000`.

Beside it stands what a database engineer does by hand: `cp -a` of the backup, a restore_command of
`cp`, a start, and pg_amcheck of every table and index; the two take turns. Checks also stand beside
reading every page twice, from the same files, which are in memory by then. Sources archive their
WAL, half of which is written behind the backup.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.core.units import show_bytes, show_duration
from restore_drill.facts.physical.examine import examine
from restore_drill.facts.physical.facts import read_all_facts
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.model import Goal
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import make_shell
from tests.helpers.physical import Source, source

ROW = 320
"""Bytes of a row with its share of indexes, about."""
FILL = """
CREATE TABLE filled (id bigserial PRIMARY KEY, owner int, at timestamptz DEFAULT now(), note text);
INSERT INTO filled (owner, note)
    SELECT n % 5000, repeat(md5(n::text), 6) FROM generate_series(1, {rows}) n;
CREATE INDEX filled_by_owner ON filled (owner);
CREATE INDEX filled_by_time ON filled (at, owner);
VACUUM ANALYZE filled;
CHECKPOINT
"""
LATER = "UPDATE filled SET note = note || 'x' WHERE id % 20 = 0"


class Times(NamedTuple):
    """Seconds of one round: by hand, and of the drill by part."""

    by_hand: float
    amcheck: float
    recovery: float
    parts: dict[str, float]
    examination: float
    facts: float
    reading: float


def main() -> None:
    """Build a source of each size, run all rounds, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[300], help="megabytes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--major", type=int, default=15)
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, PostgreSQL {options.major}, {os.cpu_count()} cores\n")
    for size in options.sizes:
        with source(options.major, rows=100, max_wal_size="8GB") as made:
            backup = filled(made, size)
            rounds = [one_round(made, backup) for _ in range(options.rounds)]
        print("\n".join(lines_of(size, rounds)), flush=True)


def filled(made: Source, megabytes: int) -> Path:
    """A base backup of `made`, which has so much data, and more WAL behind it."""
    for statement in FILL.format(rows=megabytes * 1_000_000 // ROW).strip().split(";"):
        made.sql(statement)
    backup = made.base_backup("base")
    made.sql(LATER)
    made.switch()
    made.stop()
    return backup


def one_round(made: Source, backup: Path) -> Times:
    """Recover by hand, then by the drill, and check what came back."""
    by_hand, amcheck = timed_by_hand(made, backup)
    physical = physical_at(backup)
    assert physical is not None
    with make_shell(physical, quiet) as shell:
        began = time.monotonic()
        found = recover(shell, physical, Goal(), Folder(made.archive), quiet, quiet)
        recovery = time.monotonic() - began
        assert not found.faults, found.faults
        try:
            began = time.monotonic()
            names = ["shop", *(name for name in found.databases if name != "shop")]
            examination = examine(found.server, names, os.cpu_count() or 1, quiet)
            examined = time.monotonic() - began
            assert examination.is_sound
            began = time.monotonic()
            read_all_facts(examination, os.cpu_count() or 1, quiet)
            facts = time.monotonic() - began
            reading = timed_reading(shell.run.data)
        finally:
            found.server.stop()
    parts = {each.name: each.seconds for each in found.parts}
    return Times(by_hand, amcheck, recovery, parts, examined, facts, reading)


def quiet(_line: str) -> None:
    """Say nothing."""


def timed_by_hand(made: Source, backup: Path) -> tuple[float, float]:
    """Seconds of `cp -a` and a server that recovers with restore_command = 'cp ...'; of amcheck."""
    copy = made.folder / "by-hand"
    began = time.monotonic()
    subprocess.run(["cp", "-a", str(backup), str(copy)], check=True)
    subprocess.run(["cp", "-a", f"{backup}.ts1", f"{copy}.ts1"], check=True)
    for link in (copy / "pg_tblspc").iterdir():
        link.unlink()
        link.symlink_to(f"{copy}.ts1")
    (copy / "recovery.signal").touch()
    with (copy / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"restore_command = 'cp {made.archive}/%f %p'\narchive_mode = off\n")
        file.write(f"unix_socket_directories = '{copy}'\nhot_standby = off\n")
    made.launcher.own(copy / "recovery.signal")
    made.run("pg_ctl", "start", "-w", "-s", "-t", "3600", "-D", copy, "-l", copy / "log")
    until_it_has_recovered(copy)
    seconds = time.monotonic() - began
    began = time.monotonic()
    made.run("pg_amcheck", "--host", copy, "--username=postgres", "--all", "--install-missing",
             "--parent-check", "--heapallindexed", f"--jobs={os.cpu_count() or 1}")  # fmt: skip
    amcheck = time.monotonic() - began
    made.run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", copy)
    shutil.rmtree(copy)
    shutil.rmtree(f"{copy}.ts1")
    return seconds, amcheck


def until_it_has_recovered(folder: Path) -> None:
    """Wait for the end of recovery: pg_ctl is content as soon as it has begun."""
    while True:
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres") as session,
        ):
            row = session.execute("SELECT pg_is_in_recovery()").fetchone()
            if row == (False,):
                return
        time.sleep(0.02)


def timed_reading(data: Path) -> float:
    """Seconds to read every file that holds pages twice."""
    began = time.monotonic()
    buffer = bytearray(1 << 20)
    for _ in range(2):
        for folder in ("base", "global"):
            for path in (data / folder).rglob("[0-9]*"):
                if path.is_file():
                    with path.open("rb", 0) as file:
                        while file.readinto(buffer):
                            pass
    return time.monotonic() - began


def lines_of(size: int, rounds: list[Times]) -> Iterator[str]:
    """What the rounds came to: medians, and ratios side by side."""
    recovery = [each.recovery / each.by_hand for each in rounds]
    checks = [(each.examination + each.facts) / each.reading for each in rounds]
    yield f"{size} MB: recovery / by hand {ratios(recovery)} ({of(rounds, 'recovery')})"
    for name in rounds[0].parts:
        seconds = statistics.median(each.parts[name] for each in rounds)
        yield f"  {name}: {show_duration(seconds)}"
    yield f"  examination {of(rounds, 'examination')}, facts {of(rounds, 'facts')}"
    beside = [each.examination / each.amcheck for each in rounds]
    yield f"  examination / pg_amcheck by hand {ratios(beside)} ({of(rounds, 'amcheck')})"
    yield f"  checks / reading every page twice {ratios(checks)} ({of(rounds, 'reading')})"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    yield f"  memory of this process at most {show_bytes(peak)}"


def ratios(found: list[float]) -> str:
    """`1.05 (1.02-1.09)`."""
    return f"{statistics.median(found):.2f} ({min(found):.2f}-{max(found):.2f})"


def of(rounds: list[Times], name: str) -> str:
    """Median of one part."""
    return show_duration(statistics.median(getattr(each, name) for each in rounds))


if __name__ == "__main__":
    main()
