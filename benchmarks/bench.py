"""Compares the drill's restore with psql and pg_restore: `make bench`, `ARGS="--rounds 3 --large"`.

Every way restores into a new database; the ways take turns, so that a noisy machine treats them
alike. The table goes to standard output, what is going on to standard error.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.sources import Source, count_rows, make_source, shop_script, small_tables_script
from benchmarks.ways import WAYS, Way, measure
from fixtures.target.embedded import EmbeddedServer, start_embedded
from fixtures.target.find import find_binaries
from fixtures.units import show_bytes

Samples = dict[str, list[tuple[float, int]]]


def main() -> None:
    """Build the sources, run all rounds, print one table a source."""
    options = read_options()
    binaries = find_binaries(options.major, say=say)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {binaries.name}, {os.cpu_count()} cores, ", end="")
    print(f"{platform.machine()}, {options.rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="restore-drill-bench-") as name:
        for title, script in scripts(options):
            folder = Path(name) / title.replace(" ", "-")
            folder.mkdir()
            say(f"{title}: building")
            with start_embedded(binaries, say=say) as server:
                source = make_source(server, "source", script, folder)
            samples: Samples = defaultdict(list)
            for number in range(options.rounds):
                say(f"{title}: round {number + 1} of {options.rounds}")
                for way in WAYS:
                    samples[way.name].append(run_once(way, source, options.major))
            print(table(title, source, samples), flush=True)


def read_options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[80, 240], help="MB of dump")
    parser.add_argument("--large", action="store_true", help="a shop of 1200 MB too")
    parser.add_argument("--tables", type=int, default=300, help="small tables; 0 for none (300)")
    parser.add_argument("--major", type=int, default=None, help="PostgreSQL (newest there is)")
    return parser.parse_args()


def scripts(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Titles and scripts of the databases to compare on."""
    sizes = [*options.sizes, *([1200] if options.large else [])]
    found = [(f"shop of {size} MB", shop_script(size)) for size in sizes]
    if options.tables:
        found.append((f"{options.tables} small tables", small_tables_script(options.tables)))
    return found


def run_once(way: Way, source: Source, major: int | None) -> tuple[float, int]:
    """Seconds and bytes of one run on a fresh server; RuntimeError unless all rows are there."""
    server: EmbeddedServer
    binaries = find_binaries(major, say=say)
    with start_embedded(binaries, say=lambda _: None, is_faithful=not way.is_tuned) as server:
        target = server.create_database("restored")
        result = measure(way, target, source)
        rows = count_rows(target)
    if rows != source.rows:
        raise RuntimeError(f"{way.name}: rows differ: {rows} instead of {source.rows}")
    return result


def table(title: str, source: Source, samples: Samples) -> str:
    """Markdown table: medians, ranges, ratios to the first way (median of pairs), memory."""
    size = show_bytes(source.dumps["plain"].stat().st_size)
    lines = [
        f"### {title[:1].upper()}{title[1:]} ({size} of plain dump)",
        "",
        "| way | median s | range s | against the first | range | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    first = [seconds for seconds, _ in samples[WAYS[0].name]]
    for name, runs in samples.items():
        taken = [seconds for seconds, _ in runs]
        ratios = [base / own for base, own in zip(first, taken, strict=True)]
        lines.append(
            f"| {name} | {statistics.median(taken):.2f} | {min(taken):.2f}-{max(taken):.2f} "
            f"| {statistics.median(ratios):.2f}x | {min(ratios):.2f}-{max(ratios):.2f} "
            f"| {show_bytes(max(peak for _, peak in runs))} |"
        )
    return "\n".join([*lines, ""])


def say(text: str) -> None:
    """One line about what is going on."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
