"""Whole drills of encrypted backups: green, could not run, red; and what lies around them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.helpers import sealing
from tests.helpers.drills import ROOT, command, inherited, run_drill
from tests.helpers.manifests import ROLES as MAKE_ROLES
from tests.helpers.manifests import take
from tests.helpers.sealing import PASSPHRASE, Keys
from tests.helpers.shop import USUAL, Shops

ROLES = (
    b"--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE a;\n"
    b"--\n-- PostgreSQL database cluster dump complete\n--\n"
)


def name_of(days: int) -> str:
    """Name of a dump that was taken so many days ago."""
    return f"shop_{datetime.now(UTC) - timedelta(days=days):%Y%m%d_%H%M%S}.dump"


UNUSED = """
import sys
import restore_drill.manifest.basis, restore_drill.restore.restorers, restore_drill.selection.chosen
loaded = {"pyrage", "cryptography", "restore_drill.backups.wraps.piped"} & sys.modules.keys()
sys.exit(", ".join(loaded) or 0)
"""
"""Fails where the engine imports what only encrypted backups need."""


def test_plain_backups_need_nothing_of_it() -> None:
    """A drill of a plain backup loads no decryption; asked of a process that has loaded nothing."""
    done = subprocess.run(
        [sys.executable, "-c", UNUSED], env=inherited() | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder(shops: Shops, keys: Keys, tmp_path: Path) -> Path:
    """A series that is encrypted from some day on, with roles, which are younger, beside it."""
    found = tmp_path / "backups"
    found.mkdir()
    dump = shops.dump(USUAL, "custom.dump")
    for days in (3, 2):
        shutil.copy(dump, found / name_of(days))
    newest = found / f"{name_of(1)}.age"
    newest.write_bytes(sealing.by_age(keys, dump.read_bytes()))
    digest = hashlib.sha256(newest.read_bytes()).hexdigest()
    newest.with_name(f"{newest.name}.sha256").write_text(f"{digest}  {newest.name}\n")
    roles = found / f"globals_{datetime.now(UTC):%Y%m%d_%H%M%S}.sql.age"
    roles.write_bytes(sealing.by_age(keys, ROLES))
    return found


OPTIONS = ("-k", "not redis", "--max-backup-age=30h")


def test_encrypted_backup_is_drilled_as_what_it_holds(
    folder: Path, keys: Keys, tmp_path: Path, report_dir: Path
) -> None:
    """Its series goes on, its checksum is that of the encrypted file, nothing plain stays."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    drill = run_drill(
        *OPTIONS, report_dir=report_dir, BACKUP_PATH=str(folder), TMPDIR=str(temporary),
        DRILL_DECRYPT_KEY_FILE=str(keys.age()),
    )  # fmt: skip

    assert drill.code == 0, drill.output
    assert drill.result["backup"]["format"] == "custom, age"
    assert {"test_backup_did_not_shrink", "test_backup_matches_its_checksum"} <= drill.ran
    assert "another series" not in drill.output
    assert "globals_" in drill.output and "only roles and tablespaces" in drill.output
    assert not any(temporary.iterdir())


def test_without_the_key_the_drill_could_not_run(
    folder: Path, tmp_path: Path, report_dir: Path
) -> None:
    """What needs no key is checked; the rest says where the key is looked for, and so do others."""
    there = str(folder)

    drill = run_drill("-k", "backup", OPTIONS[2], report_dir=report_dir, BACKUP_PATH=there)
    plan = run_drill("--dry-run", report_dir=tmp_path / "plan", BACKUP_PATH=there)
    checkup = command("doctor", BACKUP_PATH=there)

    assert drill.code == plan.code == checkup.returncode == 6, drill.output
    assert drill.verdict == "could-not-run"
    young = {"test_backup_exists", "test_backup_is_not_empty", "test_backup_is_young_enough"}
    assert young <= drill.ran
    for output in (drill.output, plan.output, checkup.stdout):
        assert "the key is missing: the backup is encrypted with age" in output
        assert "DRILL_DECRYPT_KEY_FILE" in output


@pytest.mark.parametrize("key", ["here", "not here"])
def test_damaged_file_is_red_with_and_without_its_key(
    key: str, folder: Path, keys: Keys, report_dir: Path
) -> None:
    """With the key it is read up to the damage; without, its checksum shows it."""
    newest = max(folder.glob("shop_*.age"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    has_key = key == "here"

    drill = run_drill(
        *OPTIONS, f"--backup={newest}", report_dir=report_dir,
        DRILL_DECRYPT_COMMAND=f"cat {keys.age()}" if has_key else "echo password",
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert "test_backup_is_complete" in drill.failed
    assert ("damaged or truncated" in drill.output) is has_key
    assert ("not the file that" in drill.output) is not has_key
    assert "AGE-SECRET-KEY" not in drill.output


def test_manifest_of_the_dump_is_that_of_the_encrypted_file(
    shops: Shops, keys: Keys, tmp_path: Path, report_dir: Path
) -> None:
    """What was encrypted after it was taken is compared with its source; another dump is not it."""
    source = shops.source(USUAL)
    with source.connect() as connection:
        connection.execute(MAKE_ROLES)
    dump = take(source, tmp_path / "taken")
    sealed = dump.with_name(f"{dump.name}.gpg")
    sealed.write_bytes(sealing.by_gpg_passphrase(keys, dump.read_bytes()))
    dump.unlink()

    drill = run_drill(
        "-k", "not redis", f"--backup={sealed}", report_dir=report_dir,
        DRILL_DECRYPT_COMMAND=f"printf '{PASSPHRASE}'",
    )  # fmt: skip

    assert drill.code == 0, drill.output
    assert "test_backup_matches_its_manifest" in drill.ran
    assert PASSPHRASE not in drill.output
