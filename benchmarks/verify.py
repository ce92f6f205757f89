"""What the verification costs beside the restore: all but amcheck, as a drill does it."""

from __future__ import annotations

import statistics
import time
from unittest.mock import patch

from benchmarks.sources import Source
from benchmarks.tables import spread
from benchmarks.ways import JOBS, backup_of
from restore_drill.backups.read import read_contents
from restore_drill.facts.checks import storage
from restore_drill.facts.collect import read_facts
from restore_drill.restore.restorers import restorer_of
from restore_drill.restore.statistics import analyze
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries


def verify_table(source: Source, rounds: int, major: int | None) -> str:
    """Markdown table: seconds of restore and verification, which share one server a round."""
    taken = [one_round(source, major) for _ in range(rounds)]
    restores = [times[0] for times in taken]
    lines = [
        "| restore and verification | median s | range s | share of the restore |",
        "|---|---|---|---|",
    ]
    names = (
        "restore-drill, plain",
        "rows, fingerprints, keys: all but amcheck",
        "the same and amcheck, as a drill verifies",
        "the same with each row in large indexes (--heapallindexed)",
    )
    for name, column in zip(names, zip(*taken, strict=True), strict=True):
        shares = [own / base for own, base in zip(column, restores, strict=True)]
        lines.append(
            f"| {name} | {spread(column)} "
            f"| {statistics.median(shares):.0%} ({min(shares):.0%}-{max(shares):.0%}) |"
        )
    return "\n".join([*lines, ""])


def one_round(source: Source, major: int | None) -> tuple[float, ...]:
    """Seconds of the restore, and of the verification: without amcheck, with it, in full.

    All of them take the fingerprints that a manifest is compared with.
    """
    path = source.dumps["plain"]
    backup = backup_of(path)
    contents = read_contents(backup, path.parent, lambda _: None)
    binaries = find_binaries(major, note=lambda _: None)
    with start_embedded(binaries, note=lambda _: None, room=contents.read_bytes) as server:
        target = server.create_database("restored")
        started = time.monotonic()
        done = restorer_of(backup).restore(target, backup, contents, JOBS, lambda _: None)
        times = [time.monotonic() - started]
        analyze(target, JOBS)

        def verify(*, in_full: bool = False) -> None:
            started = time.monotonic()
            facts = read_facts(
                target,
                contents,
                JOBS,
                lambda _: None,
                heapallindexed=in_full,
                as_major=target.major,
            )  # fmt: skip
            times.append(time.monotonic() - started)
            if done.errors or facts.rows != contents.rows or facts.fingerprint is None:
                raise RuntimeError(f"errors {done.errors[:1]}, or rows that differ")

        with patch.object(storage, "CHECKS", dict.fromkeys(storage.CHECKS, "SELECT ''")):
            verify()
        verify()
        verify(in_full=True)
    return tuple(times)
