"""An atomic snapshot of a running server's file system: whole, if somebody answers for that."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.helpers.drills import run_drill
from tests.helpers.physical import source

BIG = "INSERT INTO bare SELECT n, md5(n::text) FROM generate_series(1, 100000) n"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a server whose processes stand still, behind rows that no checkpoint has written."""
    folder = tmp_path_factory.mktemp("snapshot") / "data"
    with source(15, rows=50) as made:
        made.sql("ALTER TABLE events SET TABLESPACE pg_default")
        made.sql("DROP TABLESPACE ts1")
        for _ in range(3):
            made.sql(BIG)
        made.commit("newest", 7)
        first = int((made.data / "postmaster.pid").read_text().split("\n", 1)[0])
        server = psutil.Process(first)
        processes = [server, *server.children(recursive=True)]
        for each in processes:
            each.suspend()
        try:
            subprocess.run(["cp", "-a", made.data, folder], check=True)
        finally:
            for each in processes:
                each.resume()
    return folder


def criteria(tmp_path: Path) -> str:
    """Option that names a criteria file which answers for it."""
    path = tmp_path / "criteria.toml"
    rows = '[tables."public.events"]\nmin_rows = 507\n[tables."public.bare"]\nmin_rows = 300000\n'
    path.write_text(f'[backup]\natomic_snapshot = true\ndatabase = "shop"\n{rows}')
    return f"--criteria={path}"


def test_it_is_red_until_somebody_answers_for_it(
    snapshot: Path, report_dir: Path, tmp_path: Path
) -> None:
    """A copy of a running server may lack changes; the message names the key that says it is none.

    With that all of it is there, and the report says what was taken for granted.
    """
    drill = run_drill("-k", "is_complete", f"--backup={snapshot}", report_dir=report_dir)
    assert drill.code == 1, drill.output
    assert "atomic_snapshot = true under [backup]" in drill.output

    drill = run_drill("-k", "not redis", f"--backup={snapshot}", criteria(tmp_path),
                      report_dir=report_dir)  # fmt: skip
    assert drill.code == 0, drill.output
    told = {each["what"] for each in drill.result["not_checked"]}
    assert "whether the copy, and its tablespaces, are of one moment" in told
    assert "where the WAL in the snapshot ends: that cannot be told from damage" in told


def test_a_hole_in_its_wal_is_red(snapshot: Path, report_dir: Path, tmp_path: Path) -> None:
    """Recovery would end there, and be content."""
    shutil.copytree(snapshot, tmp_path / "data", symlinks=True)
    wal = tmp_path / "data" / "pg_wal"
    (wal / sorted(each.name for each in wal.iterdir() if len(each.name) == 24)[-2]).unlink()
    drill = run_drill("-k", "is_complete", f"--backup={tmp_path / 'data'}", criteria(tmp_path),
                      report_dir=report_dir)  # fmt: skip
    assert drill.code == 1, drill.output
    assert "the WAL in the backup lacks the segment" in drill.output
