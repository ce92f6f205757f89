"""What a drill of an encrypted backup in a bucket takes, against the same file on this disk.

`python -m benchmarks.far --size 1000`: a plain dump of so many MB in zstd, encrypted by age, in an
S3 server of this machine. It needs zstd, age, the aws command line and the S3 server of the tests.
Beside both drills: the same by hand, `aws s3 cp | age -d | zstd -d | psql` into a server with its
default settings, which proves nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import obstore

from benchmarks.runs import STAGES, Drilled, drill, measured
from benchmarks.sources import count_rows, dump, shop_script
from benchmarks.tables import spread
from restore_drill.core.units import show_bytes
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from tests.helpers.buckets import BUCKET, READER, keys_of, s3_server, writer

Way = Callable[[], Drilled]


def main() -> None:
    """Build the backup, run all rounds, print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.far", description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="MB of plain dump (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restore-drill-far-") as name:
        folder = Path(name)
        backup, size, rows = make_backup(folder, options.size)
        (folder / "s3").mkdir()
        with s3_server(folder / "s3") as url:
            with backup.open("rb") as file:
                obstore.put(writer(url), backup.name, file)
            ways = ways_of(folder, backup, rows, keys_of(url, READER))
            samples: dict[str, list[Drilled]] = defaultdict(list)
            for _ in range(options.rounds):
                for title, way in ways.items():
                    samples[title].append(way())
        print(table(backup.stat().st_size, size, samples))


def make_backup(folder: Path, megabytes: int) -> tuple[Path, int, dict[str, int]]:
    """The encrypted dump, the bytes of its SQL, and the rows of its tables."""
    binaries = find_binaries(None, note=lambda _: None)
    with start_embedded(binaries, note=lambda _: None, room=0) as server:
        target = server.create_database("shop")
        with target.connect() as connection:
            connection.execute(shop_script(megabytes).encode())
        plain, rows = dump(target, folder / "shop.sql", "--format=plain"), count_rows(target)
    path = folder / f"shop_{datetime.now(UTC):%Y%m%d_%H%M%S}.sql.zst.age"
    shell(f"age-keygen -o {folder}/age.txt; age-keygen -y {folder}/age.txt > {folder}/to.txt", {})
    shell(f"zstd -q -3 -c {plain} | age -R {folder}/to.txt > {path}", {})
    size = plain.stat().st_size
    plain.unlink()
    return path, size, rows


def ways_of(
    folder: Path, backup: Path, rows: dict[str, int], keys: dict[str, str]
) -> dict[str, Way]:
    """What is compared."""
    key = {"DRILL_DECRYPT_KEY_FILE": f"{folder}/age.txt"}
    there = f"s3://{BUCKET}/{backup.name}"
    pipe = f"aws s3 cp --quiet {there} - | age -d -i {folder}/age.txt | zstd -q -d"
    return {
        "drill of the file on this disk": lambda: drill(folder, str(backup), key),
        "drill of the object": lambda: drill(folder, there, keys | key),
        "a pipe of aws s3 cp, age, zstd and psql": lambda: by_hand(pipe, rows, keys),
    }


def by_hand(pipe: str, rows: dict[str, int], keys: dict[str, str]) -> Drilled:
    """The pipeline into a server as it is by default; RuntimeError unless all rows are there."""
    binaries = find_binaries(None, note=lambda _: None)
    with start_embedded(binaries, note=lambda _: None, production_settings=True) as server:
        target = server.create_database("restored")
        psql = f"{target.binaries.tool('psql')} -qX -v ON_ERROR_STOP=1 -d restored"
        command = ["bash", "-c", f"set -eo pipefail; {pipe} | {psql}"]
        seconds, peak = measured(command, keys | dict(target.tool_environment))
        if count_rows(target) != rows:
            raise RuntimeError("rows differ")
    return Drilled(seconds, peak, {})


def shell(script: str, environment: dict[str, str]) -> None:
    """Run a script of bash; CalledProcessError where any part of it fails."""
    command = ["bash", "-c", f"set -eo pipefail; {script}"]
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)


def table(size: int, plain: int, samples: dict[str, list[Drilled]]) -> str:
    """Markdown: medians, ranges, ratios to the first way of the same round, memory, stages."""
    first = next(iter(samples.values()))
    sizes = f"{show_bytes(plain)} of SQL, {show_bytes(size)} there"
    lines = [
        f"### An encrypted backup in a bucket ({sizes})",
        "",
        "| way | median s | range s | against the file on disk | memory | "
        + " | ".join(STAGES)
        + " |",
        "|---|---|---|---|---|" + "---|" * len(STAGES),
    ]
    for title, runs in samples.items():
        ratios = [own.seconds / base.seconds for base, own in zip(first, runs, strict=True)]
        ratio = f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f})"
        stages = [statistics.median(run.stages.get(name, 0.0) for run in runs) for name in STAGES]
        cells = [f"{each:.1f}" if each else "" for each in stages]
        memory = show_bytes(max(run.client for run in runs))
        taken = spread([run.seconds for run in runs])
        lines.append(f"| {title} | {taken} | {ratio} | {memory} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
