"""Copies of physical backups against cp and tar, one after the other, on the same disk.

    python -m benchmarks.copies [ROWS [ROUNDS]]

A server is filled with so many customers (four orders each), and backed up plain and as tars. The
fastest of some rounds counts: what else runs on a machine only ever adds to a time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.core.units import show_bytes
from restore_drill.recovery.copying import copy_backup
from tests.helpers.physical import source
from tests.helpers.shop import quiet

FORMS = {"plain": (), "tar": (), "gzip": ("--gzip",)}


def ours(backup: Path, folder: Path) -> None:
    """Copy as a drill does."""
    found = physical_at(backup)
    assert found is not None
    copy_backup(found, folder / "data", quiet)


def by_tools(backup: Path, folder: Path) -> None:
    """Copy by hand."""
    if (backup / "PG_VERSION").exists():
        for place, name in ((backup, "data"), (Path(f"{backup}.ts1"), "ts1")):
            run("cp", "-a", "--reflink=auto", place, folder / name)
        return
    for each in sorted(backup.glob("*.tar*")):
        to = folder / each.name.partition(".")[0]
        to.mkdir()
        run("tar", "xf", each, "-C", to)


def run(*command: str | Path) -> None:
    """Run a program to its end."""
    subprocess.run([*map(str, command)], check=True)


def timed(copy: Callable[[Path, Path], None], backup: Path, base: Path) -> float:
    """Seconds of one copy into a new folder, which is removed."""
    folder = Path(tempfile.mkdtemp(prefix="rd-bench-", dir=base))
    try:
        began = time.perf_counter()
        copy(backup, folder)
        return time.perf_counter() - began
    finally:
        shutil.rmtree(folder)


def main(rows: int, rounds: int) -> None:
    """Take the backups, copy them in turns, and print the fastest."""
    with source(15, rows=rows) as server:
        for name, options in FORMS.items():
            form = "plain" if name == "plain" else "tar"
            backup = server.base_backup(name, *options, form=form)
            found = physical_at(backup)
            assert found is not None
            pairs = [(timed(ours, backup, server.folder), timed(by_tools, backup, server.folder))
                     for _ in range(rounds)]  # fmt: skip
            own, tools = (min(each) for each in zip(*pairs, strict=True))
            size = show_bytes(found.size + found.wal_size)
            print(f"{name:6} {size:>9}: {own:.2f} s, by hand {tools:.2f} s ({own / tools:.2f})")


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + [200_000, 5][len(given) :]))
