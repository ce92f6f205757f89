"""pg_dumpall's output: one database in it is drilled, several are refused, a cut is noticed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fixtures.target.model import Target
from tests.drills import run_drill
from tests.shop import Shops, fill_shop

TABLE = "CREATE TABLE a (i int); INSERT INTO a VALUES (1)"


@pytest.fixture(scope="module")
def one(shops: Shops) -> Target:
    """A server of its own with one filled database."""
    target = shops.throwaway(15)
    fill_shop(target, TABLE)
    return target


def pg_dumpall(target: Target, path: Path) -> Path:
    """Dump the whole server of `target`."""
    subprocess.run(
        [target.binaries.tool("pg_dumpall"), f"--file={path}"],
        env=target.tool_environment,
        check=True,
    )
    return path


def test_cluster_dump_of_one_database_passes(one: Target, tmp_path: Path, report_dir: Path) -> None:
    """pg_dumpall's output with tables in one database is drilled like pg_dump's."""
    path = pg_dumpall(one, tmp_path / "all.sql")

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["tables"]["public.a"]["rows"] == 1


def test_cut_between_databases_is_red(one: Target, tmp_path: Path, report_dir: Path) -> None:
    """The end marker of one database is not that of the whole."""
    path = pg_dumpall(one, tmp_path / "all.sql")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"-- PostgreSQL database cluster dump complete")])

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert "end marker is missing" in drill.failed["test_backup_is_complete"]


def test_several_databases_are_refused(one: Target, tmp_path: Path, report_dir: Path) -> None:
    """Several databases in one file could not run, with what to do."""
    with one.connect() as connection:
        connection.execute("CREATE DATABASE other")
    with one.connect(dbname="other") as connection:
        connection.execute(TABLE.encode())
    path = pg_dumpall(one, tmp_path / "all.sql")

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 6, drill.output
    assert "the backup holds 2 databases, and a drill restores one" in drill.output
