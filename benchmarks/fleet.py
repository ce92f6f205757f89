"""Eight small drills as a fleet, against the same commands one after another and by GNU parallel.

`make bench ARGS=--fleet` or `python -m benchmarks.fleet`. Whole processes, as a user waits for
them, in turns; each must end with 0 and leave eight results that say passed. GNU parallel is left
out where it is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.sources import dump, shop_script
from benchmarks.tables import ratio, spread
from restore_drill.core.calling import SUITE
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries

SIZES = (2, 8, 1, 4, 1, 6, 2, 3)
"""MB of plain dump of each."""
GOAL = 1.7
"""So many times as fast are two workers than one drill after another, on two cores."""
ALONE, PARALLEL, ONE, TWO = (
    "one after another", "GNU parallel -j2", "fleet run --workers 1", "fleet run --workers 2",
)  # fmt: skip
MADE = "*/result.json"
"""Results below the reports of a run."""


class Sample(NamedTuple):
    """Seconds of a run, and how many of the machine's cores were at work meanwhile."""

    seconds: float
    cores: float


def main() -> None:
    """Compare, with the options of the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.fleet", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    parser.add_argument("--major", type=int, default=None, help="PostgreSQL (newest there is)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restore-drill-bench-") as name:
        print(fleet_table(Path(name), options.rounds, options.major, print))


def fleet_table(folder: Path, rounds: int, major: int | None, note: Callable[[str], None]) -> str:
    """Markdown table of all ways, over so many rounds."""
    backups = make_backups(folder, major)
    ways = ways_of(folder, backups)
    samples: dict[str, list[Sample]] = defaultdict(list)
    for number in range(rounds):
        note(f"fleet: round {number + 1} of {rounds}")
        for name, command in list(ways.items())[:: -1 if number % 2 else 1]:
            samples[name].append(run(folder, command))
    return table({name: samples[name] for name in ways})


def make_backups(folder: Path, major: int | None) -> list[Path]:
    """Archives of eight shops, and an inventory of them."""
    binaries, backups = find_binaries(major, note=lambda _: None), []
    with start_embedded(binaries, note=lambda _: None, room=0) as server:
        for number, size in enumerate(SIZES):
            target = server.create_database(f"shop{number}")
            with target.connect() as connection:
                connection.execute(shop_script(size).encode())
            backups.append(dump(target, folder / f"shop{number}.dump", "--format=custom"))
    tables = [f'[databases.{each.stem}]\nbackup = "{each}"\ncores = 1\n' for each in backups]
    (folder / "fleet.toml").write_text("\n".join(tables), encoding="utf-8")
    return backups


def ways_of(folder: Path, backups: list[Path]) -> dict[str, list[str]]:
    """The command of each way; drills of all of them have the same options."""
    drill = [sys.executable, str(SUITE / "drill")]
    own = ["--require-backup", "--target=embedded", "--jobs=1", "-p", "no:cacheprovider"]
    lines = [
        shlex.join([*drill, f"--backup={each}", f"--report-dir={folder}/report/{each.stem}", *own])
        for each in backups
    ]
    (folder / "commands").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    fleet = [*drill, "fleet", "run", f"--report-dir={folder}/report", "--workers"]
    parallel = ["parallel", "--will-cite", "-j2", "--arg-file", f"{folder}/commands"]
    ways = {ALONE: ["sh", "-e", f"{folder}/commands"], PARALLEL: parallel}
    if shutil.which("parallel") is None:
        del ways[PARALLEL]
    return {**ways, ONE: [*fleet, "1"], TWO: [*fleet, "2"]}


def run(folder: Path, command: list[str]) -> Sample:
    """One run of a way; CalledProcessError or RuntimeError unless all drills have passed."""
    report = folder / "report"
    shutil.rmtree(report, ignore_errors=True)
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    own = {"XDG_STATE_HOME": f"{folder}/state", "DRILL_HISTORY": f"{folder}/history"}
    began, busy = time.monotonic(), busy_seconds()
    subprocess.run(command, cwd=folder, env=kept | own, check=True, capture_output=True)
    seconds, busy = time.monotonic() - began, busy_seconds() - busy
    found = [*report.glob(MADE), *(report / "fleet").glob(MADE)]
    verdicts = [json.loads(each.read_bytes())["verdict"] for each in found]
    if verdicts != ["passed"] * len(SIZES):
        raise RuntimeError(f"{shlex.join(command)}: verdicts are {verdicts}")
    return Sample(seconds, busy / seconds)


def busy_seconds() -> float:
    """Seconds that all cores of this machine have worked, whoever for."""
    times = psutil.cpu_times()
    idle = ("idle", "iowait", "steal", "guest", "guest_nice")
    return float(sum(times) - sum(getattr(times, name, 0.0) for name in idle))


def table(samples: dict[str, list[Sample]]) -> str:
    """Markdown: medians, ranges, ratios to two other ways in the same rounds, cores at work."""
    taken = {name: [each.seconds for each in runs] for name, runs in samples.items()}
    cores = {name: statistics.median(run.cores for run in runs) for name, runs in samples.items()}
    lines = [
        f"### Eight small drills ({min(SIZES)} to {max(SIZES)} MB of plain dump)",
        "",
        f"| way | median s | range s | against {ALONE} | against {PARALLEL} | cores at work |",
        "|---|---|---|---|---|---|",
    ]
    for name, seconds in taken.items():
        against = ratio(taken[PARALLEL], seconds) if PARALLEL in taken else "not installed"
        ratios = f"{ratio(taken[ALONE], seconds)} | {against}"
        lines.append(f"| {name} | {spread(seconds)} | {ratios} | {cores[name]:.2f} |")
    most = (os.cpu_count() or 1) / cores[ALONE]
    verdict = (
        f"Two workers against one after another: {ratio(taken[ALONE], taken[TWO])}; the goal is "
        f"{GOAL:.1f}. All cores at work would make the same drills {most:.2f} times as fast."
    )
    return "\n".join([*lines, "", verdict, ""])


if __name__ == "__main__":
    main()
