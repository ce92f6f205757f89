"""`python -m tests.taking.points`: hundreds of points under load, each proved by a recovery.

It ends with 1 where one recovery brings something else than the snapshot of its point saw.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers.physical import Source, copied, source
from tests.helpers.points import TABLES, Known, known_point, load, recovered

AT_ONCE = 10
"""Points of one base backup: the more, the more WAL is replayed for each."""


def main() -> int:
    """Take points, recover to each, and say how many were wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--major", type=int, default=15)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--delay", default="500", help="microseconds of each flush")
    parser.add_argument("--fsync", default="off", choices=("on", "off"))
    asked = parser.parse_args()
    with (
        source(
            asked.major, rows=50, max_prepared_transactions="40", max_connections="80",
            commit_delay=asked.delay, commit_siblings="2", fsync=asked.fsync,
        ) as busy,
        tempfile.TemporaryDirectory() as folder,
    ):  # fmt: skip
        busy.sql(TABLES)
        points: list[Known] = []
        seconds: list[float] = []
        wrong = 0
        while len(points) < asked.points:
            busy.base_backup("base")
            more, took = taken(busy, AT_ONCE, asked.clients, Path(folder))
            busy.switch()
            points, seconds = points + more, seconds + took
            wrong += sum(is_wrong(busy, each) for each in more)
            say(f"{wrong} wrong of {len(points)}")
            shutil.rmtree(busy.folder / "base")
            shutil.rmtree(busy.folder / "base.ts1")
    unfinished = sum(bool(each.point.unfinished) for each in points)
    say(
        f"PostgreSQL {asked.major}, {asked.clients} clients, each flush {asked.delay} µs longer, "
        f"fsync {asked.fsync}: {wrong} wrong of {len(points)}, {unfinished} with transactions that "
        f"had not ended; {statistics.median(seconds):.1f} s for each, {max(seconds):.1f} at most"
    )
    return int(wrong > 0)


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def taken(busy: Source, number: int, clients: int, folder: Path) -> tuple[list[Known], list[float]]:
    """So many points of `busy` under load, and the seconds that each has taken."""
    points, seconds = [], []
    with load(busy, clients):
        for each in range(number):
            began = time.monotonic()
            points.append(known_point(busy, folder / f"wal{each}"))
            seconds.append(time.monotonic() - began)
            shutil.rmtree(folder / f"wal{each}")
    return points, seconds


def is_wrong(busy: Source, known: Known) -> bool:
    """Whether the base backup recovered to a point is something else, which is printed."""
    why, differences = held_to(busy, known)
    if why or differences:
        say(f"{known.point}: {why} {differences}")
    return bool(why or differences)


def held_to(busy: Source, known: Known) -> tuple[str, list[str]]:
    """Why the base backup recovered to a point cannot be held to it, and how it differs."""
    data = copied(busy.folder / "base", busy.folder / "copy")
    try:
        with recovered(busy, data, known.point.lsn, fetch=f"cp {busy.archive}/%f %p") as target:
            return known.why_not(target), known.differences(target)
    finally:
        shutil.rmtree(data)
        shutil.rmtree(f"{data}.ts1")


if __name__ == "__main__":
    sys.exit(main())
