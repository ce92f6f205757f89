"""Compares the drill's restore with psql and pg_restore: `make bench`, `ARGS="--sizes 80"`.

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

from benchmarks.small import small_table
from benchmarks.sources import Source, count_rows, make_source, shop_script, small_tables_script
from benchmarks.tables import spread
from benchmarks.verify import verify_table
from benchmarks.ways import BEST, FIRST, FLOOR, WAYS, Way, measure
from restore_drill.core.units import show_bytes
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries

LARGE = 500_000_000
"""Bytes of a plain dump above which extra ways are left out."""

Samples = dict[str, list[tuple[float, int]]]


def main() -> None:
    """Build the sources, run all rounds, print one table a source."""
    options = read_options()
    binaries = find_binaries(options.major, note=note)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {binaries.name}, {os.cpu_count()} cores, ", end="")
    print(f"{platform.machine()}, {options.rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="restore-drill-bench-") as name:
        for title, script in scripts(options):
            folder = Path(name) / title.replace(" ", "-")
            folder.mkdir()
            note(f"{title}: building")
            with start_embedded(binaries, note=note) as server:
                source = make_source(server, "source", script, folder)
            samples: Samples = defaultdict(list)
            for number in range(options.rounds):
                note(f"{title}: round {number + 1} of {options.rounds}")
                for way in ways_for(source):
                    samples[way.name].append(run_once(way, source, options.major))
            print(table(title, source, samples), flush=True)
            print(verify_table(source, options.rounds, options.major), flush=True)
        if options.drill:
            print(small_table(Path(name), options.rounds, options.major), flush=True)


def read_options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[80, 240, 1200], help="MB of dump (80 240 1200)"
    )
    parser.add_argument("--tables", type=int, default=300, help="small tables; 0 for none (300)")
    parser.add_argument(
        "--drill",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="time the whole drill of a small backup too (yes)",
    )
    parser.add_argument("--major", type=int, default=None, help="PostgreSQL (newest there is)")
    return parser.parse_args()


def scripts(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Titles and scripts of the databases to compare on."""
    found = [(f"shop of {size} MB", shop_script(size)) for size in options.sizes]
    if options.tables:
        found.append((f"{options.tables} small tables", small_tables_script(options.tables)))
    return found


def ways_for(source: Source) -> list[Way]:
    """Ways to compare on `source`: all, or for a large dump those that matter most."""
    is_large = source.dumps["plain"].stat().st_size > LARGE
    return [way for way in WAYS if not (is_large and way.is_extra)]


def run_once(way: Way, source: Source, major: int | None) -> tuple[float, int]:
    """Seconds and bytes of one run on a fresh server; RuntimeError unless all rows are there."""
    server: EmbeddedServer
    binaries = find_binaries(major, note=note)
    room = source.dumps["plain"].stat().st_size if way.in_memory else None
    with start_embedded(
        binaries, note=lambda _: None, room=room, production_settings=not way.is_tuned
    ) as server:
        server.sorts_by_locale = way.sorts_by_locale
        target = server.create_database("restored")
        result = measure(way, target, source)
        rows = count_rows(target)
    if rows != source.rows:
        raise RuntimeError(f"{way.name}: rows differ: {rows} instead of {source.rows}")
    return result


def table(title: str, source: Source, samples: Samples) -> str:
    """Markdown table: medians, ranges, ratios to three ways (medians of pairs), memory."""
    size = show_bytes(source.dumps["plain"].stat().st_size)
    lines = [
        f"### {title[:1].upper()}{title[1:]} ({size} of plain dump)",
        "",
        f"| way | median s | range s | against psql -f | against {BEST} | yardstick | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in samples.items():
        taken = [seconds for seconds, _ in runs]
        ratios = " | ".join(ratio(samples[base], runs) for base in (FIRST, BEST, FLOOR))
        lines.append(
            f"| {name} | {spread(taken)} | {ratios} | {show_bytes(max(peak for _, peak in runs))} |"
        )
    return "\n".join([*lines, ""])


def ratio(base: list[tuple[float, int]], runs: list[tuple[float, int]]) -> str:
    """How many times as fast `runs` are as those of `base` in the same rounds: median and range."""
    ratios = [one / own for (one, _), (own, _) in zip(base, runs, strict=True)]
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f})"


def note(text: str) -> None:
    """One line about what is going on."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
