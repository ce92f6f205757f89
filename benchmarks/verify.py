"""What the census costs beside the restore, with and without amcheck."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

from benchmarks.sources import Source
from benchmarks.tables import spread
from benchmarks.ways import JOBS, backup_of
from fixtures.backup.read import read_contents
from fixtures.census.collect import take_census
from fixtures.restore.stage import analyze, restore
from fixtures.target.embedded import start_embedded
from fixtures.target.find import find_binaries


def verify_table(source: Source, rounds: int, major: int | None) -> str:
    """Markdown table: seconds of the restore and of the census, which share one server a round."""
    taken = [one_round(source, major) for _ in range(rounds)]
    restores = [times[0] for times in taken]
    lines = [
        "| restore and census | median s | range s | share of the restore |",
        "|---|---|---|---|",
    ]
    names = ("restore-drill, plain", "census, all but amcheck", "census with amcheck")
    for name, column in zip(names, zip(*taken, strict=True), strict=True):
        shares = [own / base for own, base in zip(column, restores, strict=True)]
        lines.append(
            f"| {name} | {spread(column)} "
            f"| {statistics.median(shares):.0%} ({min(shares):.0%}-{max(shares):.0%}) |"
        )
    return "\n".join([*lines, ""])


def one_round(source: Source, major: int | None) -> tuple[float, float, float]:
    """Seconds of the restore, of the census without amcheck, and with it."""
    path = source.dumps["plain"]
    backup = backup_of(path)
    contents = read_contents(backup, path.parent, lambda _: None)
    binaries = find_binaries(major, say=lambda _: None)
    with start_embedded(binaries, say=lambda _: None, room=contents.read_bytes) as server:
        target = server.create_database("restored")
        started = time.monotonic()
        done = restore(target, backup, contents, JOBS, lambda _: None)
        restored = time.monotonic() - started
        analyze(target, JOBS)
        times = []
        # amcheck is for throwaway servers alone.
        for each in (replace(target, throwaway=False), target):
            started = time.monotonic()
            census = take_census(each, contents, JOBS, lambda _: None)
            times.append(time.monotonic() - started)
    if done.errors or census.rows != contents.rows:
        raise RuntimeError(f"errors {done.errors[:1]}, or rows that differ")
    return restored, times[0], times[1]
