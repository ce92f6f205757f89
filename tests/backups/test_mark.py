"""A backup that is written anew while it is drilled: what was read is not what is restored."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.backups.mark import mark_of, refuse_changed
from restore_drill.backups.read import read_contents
from restore_drill.core.errors import CouldNotRun
from tests.helpers.drills import run_drill
from tests.helpers.restoring import backup_of
from tests.helpers.shop import USUAL, Shops, quiet


def test_a_change_is_noticed(tmp_path: Path) -> None:
    """Of a file, and of one in a directory; a look at it, and its end, are no change."""
    path = tmp_path / "dump" / "toc.dat"
    path.parent.mkdir()
    path.write_bytes(b"1")
    for each in (path, path.parent):
        os.utime(path, ns=(1, 1))
        mark = mark_of(each)
        os.utime(path, ns=(2, 1))  # it was read
        refuse_changed(each, mark)
        path.write_bytes(b"2")
        with pytest.raises(CouldNotRun, match="changed while it was being drilled"):
            refuse_changed(each, mark)
    mark = mark_of(path)
    path.unlink()
    refuse_changed(path, mark)


def test_a_backup_that_is_still_written_is_not_damaged(shops: Shops, tmp_path: Path) -> None:
    """What is cut may go on: only one that has not changed meanwhile is judged."""
    path = tmp_path / "shop.sql"
    whole = shops.dump(USUAL, "plain.sql").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    backup = replace(backup_of(path), mark=mark_of(path))
    assert read_contents(backup, tmp_path, quiet).faults
    with path.open("ab") as file:
        file.write(whole[len(whole) // 2 : -100])

    with pytest.raises(CouldNotRun, match="changed while it was being read: it may still be"):
        read_contents(backup, tmp_path, quiet)


def test_a_backup_that_is_overwritten_proves_nothing(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Though the other one is as good: no digest is of what was restored."""
    path = tmp_path / "shop.sql"
    path.write_bytes(shops.dump(USUAL, "plain.sql").read_bytes())
    drill = run_drill(
        "-p", "tests.helpers.overwrite", report_dir=report_dir, BACKUP_PATH=str(tmp_path)
    )
    assert drill.code == 6, drill.output
    assert f"{path} changed while it was being drilled" in drill.output
    assert "put the time into the names of the backups" in drill.output
