"""What result.json says beside the verdict: who drilled what, where, chosen from what, digests."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from pathlib import Path

import pytest

from restore_drill import __version__
from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import USUAL, Shops
from tests.helpers.shop_drills import CRITERIA

NEWEST, OLDER, OTHER = (
    "shop_20261101_050000.dump",
    "shop_20261031_050000.dump",
    "club_20261001_050000.dump",
)


def sha256(path: Path) -> str:
    """Digest of the file at `path`, as `sha256sum` gives it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the backups and the criteria of the drill lie."""
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def drill(shops: Shops, folder: Path) -> Drill:
    """A drill that had three backups to choose from."""
    for name in (NEWEST, OLDER, OTHER):
        shutil.copy(shops.dump(USUAL, "custom.dump"), folder / name)
    (folder / OTHER).write_bytes(b"")
    (folder / "criteria.toml").write_bytes(CRITERIA.replace("\n", "\r\n").encode())
    return run_drill(
        f"--criteria={folder / 'criteria.toml'}", "-k", "not redis", "--max-backup-age=99999h",
        report_dir=folder / "report", BACKUP_PATH=str(folder),
    )  # fmt: skip


def test_digests_are_those_of_the_files(drill: Drill, folder: Path) -> None:
    """Backup, criteria and page can be checked with sha256sum."""
    digests = drill.result["digests"]

    names = {
        "backup": folder / NEWEST,
        "criteria": folder / "criteria.toml",
        "report": folder / "report" / "report.html",
    }
    assert {name: each["sha256"] for name, each in digests.items() if each} == {
        name: sha256(path) for name, path in names.items()
    }
    assert digests["backup"]["path"] == str(folder / NEWEST)
    assert digests["report"]["path"] == "report.html"


def test_candidates_say_why_each_was_not_drilled(drill: Drill) -> None:
    """The newest of the newest series is chosen; the others are there with the reason."""
    found = drill.result["candidates"]

    assert found["total"] == 3
    assert [(each["name"], each["chosen"], each["why_not"]) for each in found["newest"]] == [
        (NEWEST, True, None),
        (OLDER, False, "an older backup of the same series"),
        (OTHER, False, "not a backup: zero bytes"),
    ]


def test_tool_machine_and_versions_are_named(drill: Drill) -> None:
    """Which release drilled on which machine, with which PostgreSQL and Python."""
    result = drill.result

    assert result["tool"] == {"name": "restore-drill", "version": __version__}
    assert result["machine"]["host"] == platform.node()
    assert result["machine"]["cores"] == os.cpu_count()
    assert result["machine"]["memory_bytes"] > 1 << 28
    versions = result["versions"]
    assert versions["python"] == platform.python_version()
    assert versions["source"].startswith(f"{USUAL}.")
    assert versions["target"] == result["target"]["server_version"]
    assert versions["pg_dump"].startswith(f"{USUAL}.")


def test_source_and_target_are_identified(drill: Drill) -> None:
    """The database that was dumped by its name, the one that was verified by its server too."""
    identity = drill.result["identity"]

    assert identity["source"]["database"] == "shop"
    target = identity["target"]
    assert (target["kind"], target["database"]) == ("embedded", "shop")
    assert target["oid"] > 16000
    assert int(target["system_identifier"]) > 0
