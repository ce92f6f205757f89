"""Chains of incremental backups are combined in the drill's own folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault
from tests.helpers.copies import census, copied_to, run_directory, started
from tests.helpers.physical import Source, source


@pytest.fixture(scope="module")
def shop() -> Iterator[Source]:
    """Server 18 with a chain of three plain backups, and one of three in tars."""
    with source(18, rows=200) as found:
        for form in ("plain", "tar"):
            last = found.base_backup(f"{form}-full", form=form)
            for number in (1, 2):
                found.commit(f"{form} {number}", 50)
                since = f"--incremental={last}/backup_manifest"
                last = found.base_backup(f"{form}-{number}", since, form=form)
        yield found


@pytest.fixture
def run() -> Iterator[Path]:
    """A run directory."""
    with run_directory() as found:
        yield found


@pytest.mark.parametrize(("name", "rows"), [("plain-1", 550), ("plain-2", 600), ("tar-2", 700)])
def test_a_chain_starts_once_it_is_combined(name: str, rows: int, shop: Source, run: Path) -> None:
    """Plain or in tars, with the tablespace; no member was touched, and none is left unpacked."""
    members = [each for each in shop.folder.iterdir() if each.name.startswith(("plain", "tar"))]
    before = census(*members)
    found = copied_to(run, shop.folder / name)
    assert found.had_label and found.bytes > 1 << 20
    assert sorted(each.name for each in run.iterdir()) == ["data", "tablespaces"]
    (link,) = (run / "data/pg_tblspc").iterdir()
    assert link.readlink() == run / "tablespaces" / link.name
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (rows,)
    assert census(*members) == before


def test_a_chain_whose_wal_lies_behind_a_link(shop: Source, tmp_path: Path, run: Path) -> None:
    """Which pg_combinebackup leaves out."""
    for each in ("plain-full", "plain-1"):
        shutil.copytree(shop.folder / each, tmp_path / each, symlinks=True)
    wal = tmp_path / "plain-1/pg_wal"
    wal.rename(tmp_path / "wal")
    wal.symlink_to(tmp_path / "wal")
    copied_to(run, tmp_path / "plain-1")
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (550,)


def test_a_chain_without_its_full_backup_is_a_fault(
    shop: Source, tmp_path: Path, run: Path
) -> None:
    """What the tool says is repeated; nothing is left."""
    for each in ("plain-1", "plain-2"):
        shutil.copytree(shop.folder / each, tmp_path / "deep/deeper" / each, symlinks=True)
    with pytest.raises(BackupFault, match="cannot be combined"):
        copied_to(run, tmp_path / "deep/deeper/plain-2")
    assert list((run / "data").iterdir()) == []
    assert sorted(each.name for each in run.iterdir()) == ["data"]
