"""Backups and files beside them that the drill's user may not read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest

from restore_drill.backups.model import Backup
from restore_drill.backups.read import expected_sha256
from restore_drill.config.criteria import load_criteria
from restore_drill.config.environment import read_environment
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.drift.reference import read_reference
from restore_drill.manifest.file import read_manifest
from restore_drill.selection.chosen import Chosen, choose
from tests.helpers.drills import ROOT
from tests.helpers.folders import DUMP

NOBODY = 65534


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Run what is inside without the rights of root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of backups that anybody reaches."""
    top = Path(tempfile.gettempdir())
    for each in takewhile(lambda path: path != top, (tmp_path, *tmp_path.parents)):
        each.chmod(0o755)  # pytest closes its own again, however many there are
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o755)
    return folder


def settings(**given: str) -> Settings:
    """Settings of a drill that was given these options and variables."""
    made = settings_from({}, here=ROOT, root=ROOT)
    paths = {name: Path(value) for name, value in given.items()}
    return replace(made, backup=paths.get("backup"), backup_path=paths.get("backup_path"))


def selected(folder: Path) -> Chosen:
    """What is drilled of `folder`, by an ordinary user."""
    given = settings(backup_path=str(folder))
    with as_ordinary_user():
        return choose(given)


def write(path: Path, mode: int = 0o644) -> Path:
    """A dump at `path`."""
    path.write_bytes(DUMP)
    path.chmod(mode)
    return path


def dump_folder(path: Path, mode: int, inside: int) -> Path:
    """A directory dump at `path`."""
    path.mkdir()
    write(path / "toc.dat", inside)
    path.chmod(mode)
    return path


def assert_names(found: object, closed: Path, mode: str) -> None:
    """The error names what is closed, its owner and mode, who runs the drill, and a remedy."""
    assert isinstance(found, CouldNotRun)
    told = str(found)
    assert "cannot be read: Permission denied" in told
    assert f"checked: {closed} belongs to " in told
    assert f"mode {mode}; the drill runs as " in told
    assert "make it readable for " in told


@pytest.mark.parametrize(("mode", "inside"), [(0o700, 0o600), (0o755, 0o600), (0o700, 0o644)])
def test_a_closed_directory_dump_is_named(folder: Path, mode: int, inside: int) -> None:
    """A directory dump of another user, closed as a whole or file by file, could not be drilled."""
    path = dump_folder(folder / "shop_20261127_050000", mode, inside)
    is_whole = mode == 0o700

    found = selected(folder)

    assert_names(found, path if is_whole else path / "toc.dat", "0700" if is_whole else "0600")


def test_a_closed_file_is_named(folder: Path) -> None:
    """The only backup of the folder is closed: no verdict, instead of no backup."""
    path = write(folder / "shop_20261127_050000.dump", 0o600)

    assert_names(selected(folder), path, "0600")


def test_the_newest_of_the_series_is_closed(folder: Path) -> None:
    """An older backup takes no place of a newer one that cannot be read."""
    write(folder / "shop_20261126_050000.sql")
    path = write(folder / "shop_20261127_050000.sql", 0o600)

    assert_names(selected(folder), path, "0600")


def test_what_is_older_or_of_another_kind_is_passed_over(folder: Path) -> None:
    """Closed files that are not what is to be drilled are named, and the drill goes on."""
    write(folder / "shop_20261126_050000.sql", 0o600)
    write(folder / "other_20261128_050000.sql", 0o600)
    write(folder / "shop_20261128_050000.log", 0o600)
    (folder / "lost+found").mkdir(mode=0o700)
    path = write(folder / "shop_20261127_050000.sql")

    found = selected(folder)

    assert isinstance(found, Backup)
    assert found.path == path
    assert sorted(found.passed_over) == [
        "other_20261128_050000.sql: cannot be read: Permission denied",
        "shop_20261126_050000.sql: cannot be read: Permission denied",
    ]


@pytest.mark.parametrize("mode", [0o700, 0o744, 0o711])
def test_a_closed_backup_path_is_named(folder: Path, mode: int) -> None:
    """BACKUP_PATH that may not be listed or entered could not be drilled."""
    write(folder / "shop_20261126_050000.sql")
    folder.chmod(mode)

    assert_names(selected(folder), folder, f"{mode:04o}")


def test_a_named_backup_below_a_closed_folder(folder: Path) -> None:
    """The folder that is in the way is named."""
    given = settings(backup=str(write(folder / "shop_20261126_050000.sql")))
    folder.chmod(0o700)

    with as_ordinary_user():
        found = choose(given)

    assert_names(found, folder, "0700")


def test_closed_files_beside_the_backup_could_not_be_checked(folder: Path) -> None:
    """A manifest and a checksum that may not be read are named, with owner and mode."""
    backup = write(folder / "shop.sql")
    manifest = write(folder / "shop.sql.manifest.json", 0o600)
    checksum = write(folder / "shop.sql.sha256", 0o600)

    with as_ordinary_user():
        with pytest.raises(CouldNotRun) as of_manifest:
            read_manifest(manifest)
        with pytest.raises(CouldNotRun) as of_checksum:
            expected_sha256(backup)

    assert_names(of_manifest.value, manifest, "0600")
    assert_names(of_checksum.value, checksum, "0600")


def test_closed_files_of_settings_are_usage_errors(folder: Path) -> None:
    """Criteria file, reference and .env that may not be read are named, with owner and mode."""
    criteria, env = write(folder / "criteria.toml", 0o600), write(folder / ".env", 0o600)

    with as_ordinary_user():
        for read in (load_criteria, read_reference):
            with pytest.raises(UsageError, match=r"criteria.toml belongs to .*, mode 0600"):
                read(criteria)
        with pytest.raises(UsageError, match=r"\.env belongs to .*, mode 0600"):
            read_environment(env.parent)
