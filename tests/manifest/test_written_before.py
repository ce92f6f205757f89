"""A manifest that an earlier restore-drill has written still says what its backup must hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.file import manifest_path, read_manifest
from restore_drill.manifest.settle import differences
from tests.helpers.drills import run_drill
from tests.helpers.manifests import restore
from tests.helpers.shop import Shops, quiet

BACKUP = Path(__file__).parent / "written_before" / "shop_20261128_090000.sql"
"""Taken on 2026-11-28 by the restore-drill of that morning, from PostgreSQL 15.20."""


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A copy of that backup, with its manifest."""
    shutil.copytree(BACKUP.parent, tmp_path / "old")
    return tmp_path / "old" / BACKUP.name


def test_nothing_in_it_is_lost_when_it_is_read() -> None:
    """What was read is written again as it stands in the file.

    Only what pg_dump wrote of each definition is read otherwise since, and counts no more.
    """
    path = manifest_path(BACKUP)
    noted = json.loads(path.read_text())
    del noted["identity"]["written"]

    assert json.loads(json.dumps(read_manifest(path).as_json())) == noted


def test_backup_is_equal_to_it(backup: Path, tmp_path: Path) -> None:
    """A drill of the backup compares with the manifest, and finds no difference."""
    drill = run_drill(
        f"--backup={backup}", "--max-backup-age=9999d", "-k", "not redis",
        report_dir=tmp_path / "report",
    )  # fmt: skip

    assert drill.code == 0, drill.output
    assert "Equal to the source, according to its manifest: 122 rows" in drill.output
    assert drill.result["strength"] == "proven"


def test_change_is_reported_by_it(shops: Shops) -> None:
    """One value, one sequence and one definition that differ from it are named."""
    target = shops.database(15, "written_before")
    restore(target, BACKUP.read_bytes())
    with target.connect() as connection:
        connection.execute("UPDATE public.cards SET price = price + 1 WHERE id = 7")
        connection.execute("SELECT setval('public.cards_id_seq', 500)")
        connection.execute("COMMENT ON TABLE public.cards IS 'what was sold'")

    found = differences(
        read_manifest(manifest_path(BACKUP)).fingerprint, read_fingerprint(target, 2, quiet), target
    )

    assert found == [
        "table public.cards has its 80 rows, but different content in columns price, seen",
        "sequence public.cards_id_seq is at 500, in the source it was at 80",
        "comment on table public.cards has changed",
    ]
