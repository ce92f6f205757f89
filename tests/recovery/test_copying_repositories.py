"""Backups of pgBackRest and Barman are restored into the drill's own folder alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.repositories import use_pgbackrest
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.core.errors import BackupFault
from restore_drill.recovery.copying import copy_backup
from restore_drill.recovery.safe import make_safe
from tests.helpers.copies import census, census_of, run_directory, started
from tests.helpers.physical import Source, source
from tests.helpers.repositories import Barman, Rest, barman_server, pgbackrest_repository
from tests.helpers.shop import quiet

pytestmark = pytest.mark.skipif(
    not (shutil.which("pgbackrest") and shutil.which("barman")), reason="no pgbackrest or barman"
)
DANGEROUS = """
[global:restore]
delta=y
tablespace-map=ts1={live}
link-all=y
link-map=pg_wal={live}
recovery-option=primary_conninfo=host=production
db-exclude=shop
target=2020-01-01
"""
"""What may stand in a configuration that was written for a restore in production."""


@pytest.fixture(scope="module")
def rest() -> Iterator[Rest]:
    """Repository with a full and an incremental backup."""
    with source(15, rows=200) as shop:
        found = pgbackrest_repository(shop)
        found.backup()
        shop.commit("later", 50)
        found.backup("incr")
        shop.switch()
        yield found


@pytest.fixture
def run() -> Iterator[Path]:
    """A run directory."""
    with run_directory() as found:
        yield found


def set_of(path: Path, name: str = "") -> Physical:
    """The backup set at `path`."""
    found = physical_at(path, set_name=name)
    assert found is not None
    return found


def rows_in(shop: Source, run: Path, archive: Path) -> int:
    """Rows of the copy in `run`, recovered with the WAL of the source's own archive."""
    for segment in archive.iterdir():
        shutil.copy(segment, run / "data/pg_wal")
    shop.launcher.own(*(run / "data/pg_wal").iterdir())
    with started(shop, run) as connection:
        found = connection.execute("SELECT count(*) FROM events").fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("number", [0, 1])
def test_a_set_of_pgbackrest_is_restored_and_starts(number: int, rest: Rest, run: Path) -> None:
    """Full and incremental; neither repository nor source are touched."""
    shop = rest.source
    before = census(rest.path / "backup") | census_of(shop)
    label = str(rest.info()[0]["backup"][number]["label"])
    found = copy_backup(set_of(rest.path, label), run / "data", quiet)
    make_safe(run / "data")
    assert found.had_label
    (link,) = (run / "data/pg_tblspc").iterdir()
    assert link.readlink() == run / "tablespaces" / link.name
    assert sorted(each.name for each in run.iterdir()) == ["data", "tablespaces"]
    assert not (run / "data/recovery.signal").exists()
    assert rows_in(shop, run, shop.archive) == 550
    assert census(rest.path / "backup") | census_of(shop) == before


def test_a_dangerous_configuration_of_pgbackrest_is_not_obeyed(
    rest: Rest, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would write over the running source, and leave databases out."""
    shop = rest.source
    config = run / "dangerous.conf"
    config.write_text(
        rest.config.read_text(encoding="utf-8") + DANGEROUS.format(live=shop.tablespace),
        encoding="utf-8",
    )
    monkeypatch.setenv("PGBACKREST_DELTA", "y")
    monkeypatch.setenv("PGBACKREST_TABLESPACE_MAP", f"ts1={shop.tablespace}")
    before = census_of(shop)
    use_pgbackrest(PgBackRest("main", config))
    try:
        copy_backup(set_of(rest.path), run / "data", quiet)
    finally:
        use_pgbackrest(None)
    make_safe(run / "data")
    assert rows_in(shop, run, shop.archive) == 550
    assert census_of(shop) == before


def test_a_damaged_file_in_a_repository_is_a_fault_at_once(
    rest: Rest, tmp_path: Path, run: Path
) -> None:
    """PgBackRest tries it again for 40 s unless it is told not to."""
    repository = Path(shutil.copytree(rest.path, tmp_path / "repo"))
    found = set_of(repository)
    largest = max(
        (each for each in repository.glob("backup/main/*F/bundle/*")),
        key=lambda each: each.stat().st_size,
    )
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 0x10
    largest.write_bytes(data)
    with pytest.raises(BackupFault, match="a file of it is damaged or missing"):
        copy_backup(found, run / "data", quiet)
    assert list((run / "data").iterdir()) == []


@pytest.fixture(scope="module")
def barman() -> Iterator[Barman]:
    """Barman server with one backup."""
    with source(15, rows=200) as shop:
        found = barman_server(shop)
        found.backup()
        yield found


def test_a_backup_of_barman_is_copied_and_starts(barman: Barman, run: Path) -> None:
    """From its folders, without barman; its tablespace is the backup's, not the source's."""
    shop = barman.source
    before = census(barman.server / "base") | census_of(shop)
    found = copy_backup(set_of(barman.server), run / "data", quiet)
    make_safe(run / "data")
    assert found.had_label and not found.told
    (link,) = (run / "data/pg_tblspc").iterdir()
    assert link.readlink() == run / "tablespaces" / link.name
    assert rows_in(shop, run, shop.archive) == 500
    assert census(barman.server / "base") | census_of(shop) == before


def test_a_barman_backup_that_lost_its_tablespace_is_a_fault(
    barman: Barman, tmp_path: Path, run: Path
) -> None:
    """Though the link of it leads to one that is there: to that of the running source."""
    server = Path(shutil.copytree(barman.server, tmp_path / "shop", symlinks=True))
    (data,) = server.glob("base/*/data")
    (link,) = (data / "pg_tblspc").iterdir()
    shutil.rmtree(data.parent / link.name)
    link.unlink()
    link.symlink_to(barman.source.tablespace)
    with pytest.raises(BackupFault, match=f"the backup lacks tablespace {link.name}"):
        copy_backup(set_of(server), run / "data", quiet)
