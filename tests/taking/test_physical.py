"""Physical backups taken from real servers: whole, provable alone, and nothing half."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.verify import verify
from restore_drill.manifest.physical import comparable
from restore_drill.selection.candidate import size_of
from tests.helpers.base_backups import (
    combined,
    manifest_in,
    names_in,
    physical,
    proved,
)
from tests.helpers.copies import run_directory
from tests.helpers.drills import run_drill
from tests.helpers.physical import Source, source
from tests.helpers.points import TABLES, load
from tests.helpers.takings import in_another_second


@pytest.fixture(scope="module")
def old() -> Iterator[Source]:
    """Server 15 with a tablespace."""
    with source(15, rows=200, max_prepared_transactions="20") as found:
        found.sql(TABLES)
        yield found


@pytest.fixture(scope="module")
def new() -> Iterator[Source]:
    """Server 18 without a tablespace of its own."""
    with source(18, rows=200, max_prepared_transactions="20") as found:
        found.sql(TABLES)
        found.sql("ALTER TABLE events SET TABLESPACE pg_default")
        found.sql("DROP TABLESPACE ts1")
        yield found


@pytest.mark.parametrize("compress", [(), ("--compress=gzip:1",), ("--compress=server-lz4",)])
def test_a_backup_under_load_is_proved_from_itself_alone(
    compress: tuple[str, ...], old: Source, tmp_path: Path
) -> None:
    """Rows, content, schema and sequences; no archive is asked, and the tablespace comes along."""
    with load(old):
        done = physical(old, tmp_path, *compress)
    assert done.returncode == 0, done.stderr
    (name,) = names_in(tmp_path)
    assert name.startswith("shop_base_2")
    files = {name, f"{name}.sha256", f"{name}.manifest.json"}
    assert {each.name for each in tmp_path.iterdir()} == files
    manifest = manifest_in(tmp_path, name)
    assert manifest.physical and manifest.physical.point
    digest = subprocess.run(["sha256sum", "-c", f"{name}.sha256"], cwd=tmp_path, check=False)
    assert digest.returncode == 0 and manifest.size == size_of(tmp_path / name)
    assert manifest.physical.tablespaces == {"ts1": str(old.tablespace)}
    assert (manifest.physical.databases["shop"] or 0) > (1 << 20)
    assert f"--recover-to {manifest.physical.point.recover_to}" in done.stdout

    assert proved(old, tmp_path / name, tmp_path, name) == []
    assert list(manifest.physical.apart) == ["public.cache"]


def test_an_increment_is_proved_with_its_full_backup(new: Source, tmp_path: Path) -> None:
    """Combined by PostgreSQL's own tool; a plain full one has its WAL in its place."""
    assert physical(new, tmp_path, "--incremental").returncode == 6
    with load(new):
        first = physical(new, tmp_path, "--format=plain")
        in_another_second()
        second = physical(new, tmp_path, "--format=plain", "--incremental")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    full, increment = names_in(tmp_path)
    found = manifest_in(tmp_path, increment)
    assert found.physical and found.physical.full == full
    assert proved(new, tmp_path / full, tmp_path, full) == []
    with run_directory() as run:
        whole = combined(new, tmp_path / full, tmp_path / increment, run)
        assert proved(new, whole, tmp_path, increment) == []


def test_a_full_backup_stays_while_an_increment_needs_it(new: Source, tmp_path: Path) -> None:
    """Of the others, --keep leaves what it says; an increment goes before what it is of."""
    for options in ((), ("--incremental", "--name=other_{time}"), ()):
        assert physical(new, tmp_path, "--no-facts", *options).returncode == 0
        in_another_second()
    full, increment, _ = names_in(tmp_path)
    shown = physical(new, tmp_path, "--no-facts", "--keep=1", "--dry-run").stdout
    assert f"keep    {full}: an increment that is kept is of it" in shown
    manifest = tmp_path / f"{increment}.manifest.json"
    manifest.unlink()
    shown = physical(new, tmp_path, "--no-facts", "--keep=1", "--dry-run").stdout
    assert f"delete  {full}: no rule keeps it" in shown


def test_a_backup_without_facts_says_so(new: Source, tmp_path: Path) -> None:
    """It is whole, and a drill of it is told why there is nothing to hold it to."""
    done = physical(new, tmp_path, "--no-facts", "--compress=none")
    assert done.returncode == 0, done.stderr
    (name,) = names_in(tmp_path)
    manifest = manifest_in(tmp_path, name)
    assert manifest.physical and manifest.physical.point is None
    assert comparable(manifest.physical, manifest.system, None) == manifest.physical.why_not  # type: ignore[arg-type]
    assert "no facts to hold a drill to: it was taken without facts (--no-facts)" in done.stdout
    names = {each.name for each in (tmp_path / name).iterdir()}
    assert names == {"base.tar", "backup_manifest", "pg_wal.tar"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--encrypt-to=age1x",), "--encrypt-to is for dumps"),
        (("--with-roles",), "--with-roles is for dumps"),
        (("--to=s3://bucket/folder",), "--physical writes to a folder, not to s3://bucket/folder"),
        (("--format=custom",), "--format custom is for dumps"),
        (("--format=plain", "--compress=gzip"), "--compress is for --format tar"),
        (("--compress=bzip2",), "--compress cannot be 'bzip2'"),
        (("--max-rate=fast",), "--max-rate cannot be 'fast'"),
        (("--incremental",), "--incremental needs PostgreSQL 17, the server is of 15"),
    ],
)
def test_what_is_not_for_physical_backups_is_refused(
    options: tuple[str, ...], says: str, old: Source, tmp_path: Path
) -> None:
    """In a line, before anything is asked of the server or written."""
    done = physical(old, tmp_path / "to", *options)
    assert done.returncode == 4 and says in done.stderr, done.stderr
    assert not (tmp_path / "to").exists()


def test_a_tar_of_17_is_taken_and_verified(tmp_path: Path) -> None:
    """No pg_verifybackup reads its tars and its pg_control: all but that is held to it."""
    with source(17, rows=20, max_prepared_transactions="20") as found:
        done = physical(found, tmp_path, "--no-facts")
    assert done.returncode == 0, done.stderr
    (name,) = names_in(tmp_path)
    backup = physical_at(tmp_path / name)
    assert backup is not None
    (tmp_path / "verified").mkdir()
    verified = verify(backup, tmp_path / "verified", lambda _: None)
    assert verified.faults == ()
    (told,) = (what for what, _ in verified.told)
    assert told == "whether global/pg_control is as its manifest says"


def test_a_drill_of_one_taken_under_load_is_proven(old: Source, tmp_path: Path) -> None:
    """Without being told where to end: the manifest says it."""
    with load(old):
        done = physical(old, tmp_path / "backups")
    assert done.returncode == 0, done.stderr
    drill = run_drill(
        "-k", "not redis", report_dir=tmp_path / "report", BACKUP_PATH=str(tmp_path / "backups")
    )
    assert drill.code == 0, drill.output
    assert drill.result["strength"] == "proven"
    assert "test_backup_matches_its_manifest" in drill.ran
