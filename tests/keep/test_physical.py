"""A recovered server stays up after its drill, and is ended like any other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from restore_drill.keep.kept import kept_servers
from tests.helpers.drills import run_drill
from tests.helpers.keeping import answer
from tests.helpers.physical import source


@pytest.mark.usefixtures("place")
def test_a_recovered_server_is_kept(report_dir: Path) -> None:
    """The command that is shown opens the database of the criteria; the files go at its end."""
    with source(15, rows=50) as server:
        backup = server.base_backup("base")
        drill = run_drill("--keep=always", "-k", "wal", f"--backup={backup}", report_dir=report_dir)

    assert drill.code == 0, drill.output
    (line,) = [line for line in drill.output.splitlines() if "bin/psql" in line]
    found = re.search(r"host=(\S+?)/way ", line)
    assert found is not None
    (kept,) = [each for each in kept_servers() if str(each.run) == found[1]]
    try:
        psql = line.partition("· ")[2]
        assert answer(f'{psql} -XAtc "SELECT count(*) FROM customers"') == "50"
        assert kept.what == "database shop"
    finally:
        assert kept.end()
    assert not kept.run.exists()
