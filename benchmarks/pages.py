"""What reading the files of a recovered server costs, against reading every page of them twice.

python -m benchmarks.pages [rows] [major]: a table of so many rows with three indexes. The pages are
in memory before: what is compared is the work, not the disk.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from restore_drill.facts.physical.examine import examine_targets
from restore_drill.facts.physical.reading import read_all
from restore_drill.servers.model import Target
from tests.helpers.physical import Source, source
from tests.helpers.shapes_of_files import relations_of

JOBS = 2
TABLE = """
CREATE UNLOGGED TABLE big AS SELECT n AS id, md5(n::text) AS word, n % 1000 AS number,
    repeat('x', n % 100) AS rest FROM generate_series(1, {rows}) n;
ALTER TABLE big SET LOGGED;
ALTER TABLE big ADD PRIMARY KEY (id);
CREATE INDEX big_word ON big (word);
CREATE INDEX big_number ON big (number);
VACUUM big;
CHECKPOINT
"""


def took(work: Callable[[], object]) -> float:
    """Seconds that `work` takes, at best of three."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def read_twice(data: Path) -> None:
    """Read all files of relations twice, and do nothing with them."""
    for _ in range(2):
        files = [str(each) for each in data.glob("base/*/*")]
        subprocess.run(["cat", *files], stdout=subprocess.DEVNULL, check=True)


def targets_of(server: Source) -> list[tuple[str, Target]]:
    """The way to each of its databases."""
    major, minor = server.binaries.version[:2]
    conninfo = {"host": str(server.folder), "port": "5432", "user": "postgres"}
    return [
        (
            name,
            Target("embedded", conninfo | {"dbname": name}, major * 10000 + minor, server.binaries),
        )
        for name in ("shop", "billing", "postgres", "template1")
    ]


def main(rows: int = 5_000_000, major: int = 15) -> None:
    """Measure, and print a Markdown table."""
    with source(major, maintenance_work_mem="256MB", max_wal_size="4GB") as server:
        with server.connect() as connection:
            for statement in TABLE.format(rows=rows).split(";\n"):
                connection.execute(statement.encode())
        relations = relations_of(server)

        def read(*, checksums_on: bool) -> None:
            found = read_all(
                server.data,
                relations,
                JOBS,
                lambda _: None,
                checksums_on=checksums_on,
                settle=lambda: server.sql("CHECKPOINT"),
            )
            assert found.is_sound and found.entries > 3 * rows

        size = sum(each.stat().st_size for each in server.data.glob("base/*/*"))
        lines = {
            "every page read twice (cat)": took(lambda: read_twice(server.data)),
            "pages and index entries, no checksums": took(lambda: read(checksums_on=False)),
            "pages and index entries, with checksums": took(lambda: read(checksums_on=True)),
            "memory of that": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        began = time.perf_counter()
        examined = examine_targets(server.data, targets_of(server), JOBS, lambda _: None)
        assert examined.is_sound
        lines["all of the examination, amcheck in full"] = time.perf_counter() - began
        server.stop()
        check: list[str | Path] = ["--check", "-D", server.data]
        lines["pg_checksums"] = took(lambda: server.run("pg_checksums", *check))
    print(f"| {size / 1e6:,.0f} MB, PostgreSQL {major} | s (memory: MB) |\n|---|---|")
    for name, seconds in lines.items():
        print(f"| {name} | {seconds:.2f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
