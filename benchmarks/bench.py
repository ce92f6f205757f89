"""Compares the drill's restore with psql and pg_restore: `make bench`, `ARGS="--sizes 80"`.

Every way restores into a new database; the ways take turns, so that a noisy machine treats them
alike. The table goes to standard output, what is going on to standard error.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.fleet import fleet_table
from benchmarks.runs import Sample, run_once
from benchmarks.shape_table import compare_shapes
from benchmarks.small import small_table
from benchmarks.sources import Shape, Source, make_source, shop_script, small_tables_script
from benchmarks.tables import ratio, spread
from benchmarks.verify import verify_table
from benchmarks.ways import BEST, FIRST, FLOOR, WAYS, ways_for
from restore_drill.core.units import show_bytes
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries

Samples = dict[str, list[Sample]]


def main() -> None:
    """Build the sources, run all rounds, print one table a source."""
    options = read_options()
    binaries = find_binaries(options.major, note=note)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {binaries.name}, {os.cpu_count()} cores, ", end="")
    print(f"{platform.machine()}, {options.rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="restore-drill-bench-") as name:
        if options.shapes is not None:
            compare_shapes(Path(name), options.shapes, options.rounds, options.major, note)
            return
        if options.fleet:
            print(fleet_table(Path(name), options.rounds, options.major, note))
            return
        for title, script in scripts(options):
            folder = Path(name) / title.replace(" ", "-")
            folder.mkdir()
            note(f"{title}: building")
            with start_embedded(binaries, note=note) as server:
                source = make_source(server, "source", Shape(title, script), folder)
            samples: Samples = defaultdict(list)
            for number in range(options.rounds):
                note(f"{title}: round {number + 1} of {options.rounds}")
                for way in ways_for(source, WAYS):
                    samples[way.name].append(run_once(way, source, options.major))
            print(table(title, source, samples), flush=True)
            print(verify_table(source, options.rounds, options.major), flush=True)
        if options.drill:
            print(small_table(Path(name), options.rounds, options.major), flush=True)


def read_options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=None, help="rounds (5; --shapes alone: 3)")
    parser.add_argument(
        "--shapes", nargs="*", metavar="WORD", help="compare other shapes than the shop: without a "
        "word most, small (ten minutes); `all` (a night) or words of their titles: at full size",
    )  # fmt: skip
    parser.add_argument(
        "--fleet", action="store_true", help="eight small drills at once, and not restores"
    )
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
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.shapes == [] else 5)
    return options


def scripts(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Titles and scripts of the databases to compare on."""
    found = [(f"shop of {size} MB", shop_script(size)) for size in options.sizes]
    if options.tables:
        found.append((f"{options.tables} small tables", small_tables_script(options.tables)))
    return found


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
        taken = [run.seconds for run in runs]
        bases = [[run.seconds for run in samples[base]] for base in (FIRST, BEST, FLOOR)]
        ratios = " | ".join(ratio(base, taken) for base in bases)
        memory = show_bytes(max(run.client for run in runs))
        lines.append(f"| {name} | {spread(taken)} | {ratios} | {memory} |")
    return "\n".join([*lines, ""])


def note(text: str) -> None:
    """One line about what is going on."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
