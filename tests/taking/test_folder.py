"""Encrypted backups in a folder, old ones that are removed from it, and what must not be."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from restore_drill.config.settings import settings_from
from restore_drill.servers.model import Target
from restore_drill.taking.destination import Folder
from restore_drill.taking.proofs import drills_of, proofs_in
from restore_drill.watch.entry import note
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.histories import PASSED
from tests.helpers.manifests import fingerprint
from tests.helpers.sealing import Keys, run
from tests.helpers.shop import USUAL, Shops
from tests.helpers.takings import (
    backup_to,
    begun,
    big_database,
    by_the_docs,
    in_another_second,
    older,
    proved,
)

AGE, GPG = ".age", ".gpg"
SOMEBODY = "age1aqwwmyfjg4d4crketev2sq7sfztm3lum30lka7whc0ykuakcyp0qzs8fws"


def recipient(keys: Keys, kind: str) -> str:
    """What --encrypt-to takes of the keys."""
    if kind == AGE:
        return run("age-keygen", "-y", keys.age()).decode().strip()
    keys.gpg()
    path = keys.folder / "public.asc"
    path.write_bytes(run("gpg", "--armor", "--export", "shop@example.org", home=keys.home))
    return str(path)


def the_backup(folder: Path) -> str:
    """Name of the only backup in `folder`, with its checksum and manifest beside it."""
    (manifest,) = folder.glob("*.manifest.json")
    name = manifest.name.removesuffix(".manifest.json")
    names = {name, f"{name}.sha256", manifest.name}
    there = {each.name for each in folder.iterdir() if ".roles.sql" not in each.name}
    assert there - {".drill"} == names
    return name


def of_the_docs(name: str) -> str:
    """The lines of docs/taking-backups.md that restore a backup like `name`, for that one."""
    page = (ROOT / "docs/taking-backups.md").read_text(encoding="utf-8")
    suffixes = name.partition(".")[2]
    (line,) = re.findall(rf"^\$ (.* )(?:shop_\d+_\d+\.{suffixes}) (.*)$", page, re.MULTILINE)
    (check,) = re.findall(r"^\$ (sha256sum .*) .*\.sha256$", page, re.MULTILINE)
    return f"{check} {name}.sha256\n{line[0]}{name} {line[1]}"


@pytest.mark.parametrize(
    ("kind", "options"),
    [(AGE, ("--with-roles",)), (GPG, ("--format=plain", "--compress=zstd:3"))],
)
def test_an_encrypted_backup_is_proved_by_a_drill_and_restored_without_one(
    kind: str, options: tuple[str, ...], source: Target, shops: Shops, keys: Keys, tmp_path: Path
) -> None:
    """Its manifest is that of the source; age, gpg and PostgreSQL's own tools are enough."""
    folder = tmp_path / "backups"
    done = backup_to(source, f"--to={folder}", f"--encrypt-to={recipient(keys, kind)}", *options)
    assert done.returncode == 0, done.stderr
    name = the_backup(folder)
    assert name.endswith(kind) and b"cards" not in (folder / name).read_bytes()
    sealed = folder / f"{name.partition('.')[0]}.roles.sql.age"
    assert sealed.exists() == (kind == AGE)
    if kind == AGE:
        roles = run("age", "-d", "-i", keys.age(), data=sealed.read_bytes())
        assert b"CREATE ROLE saver;" in roles and b"PASSWORD" not in roles

    key = keys.age() if kind == AGE else keys.gpg()
    drill = run_drill(
        "-k", "not redis", report_dir=tmp_path / "report", BACKUP_PATH=str(folder),
        DRILL_DECRYPT_KEY_FILE=str(key),
    )  # fmt: skip
    assert drill.code == 0, drill.output
    assert drill.result["strength"] == "proven"
    assert "test_backup_matches_its_checksum" in drill.ran

    target = shops.database(USUAL, f"docs{kind[1:]}")
    (folder / "age.txt").write_bytes(keys.age().read_bytes())
    by_the_docs(of_the_docs(name), target, folder, GNUPGHOME=str(keys.home))
    assert fingerprint(target).tables == fingerprint(source).tables


def test_a_dump_that_is_killed_leaves_nothing(shops: Shops, keys: Keys, tmp_path: Path) -> None:
    """However much of it was encrypted already; and the command says why."""
    source = big_database(shops, "killed")
    process = begun(
        source, f"--to={tmp_path}", f"--encrypt-to={recipient(keys, AGE)}", "--compress=gzip:9"
    )
    while not any(file.stat().st_size for file in tmp_path.glob(".*.part/*.age")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    for child in psutil.Process(process.pid).children():
        if any("--format=custom" in word for word in child.cmdline()):
            child.send_signal(signal.SIGKILL)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 6, output
    assert "pg_dump failed" in output and "it was ended by signal 9" in output
    assert list(tmp_path.iterdir()) == []


def test_old_backups_go_and_no_others(source: Target, tmp_path: Path) -> None:
    """Of this command, this database and this series alone, unchanged, and never the proved one."""
    assert backup_to(source, f"--to={tmp_path}", "--with-roles").returncode == 0
    first = the_backup(tmp_path)
    third, *gone = older(tmp_path, first, 2, 3, 41)
    roles = [name.replace(".dump", ".roles.sql") for name in (first, third, gone[0])]
    assert (tmp_path / roles[0]).read_bytes().startswith(b"--\n-- PostgreSQL database cluster")
    for each in roles[1:]:
        (tmp_path / each).write_bytes(b"-- of its manifest\n")
    good, other, resized, half, moved = older(tmp_path, first, 50, 45, 46, 47, 48)
    proved(tmp_path, good, "passed", "failed")
    (tmp_path / "shop_20200101_000000.dump").write_bytes(b"PGDMP of somebody else")
    (tmp_path / resized).write_bytes(b"PGDMP of somebody else")
    manifest = tmp_path / f"{other}.manifest.json"
    manifest.write_text(manifest.read_text().replace('"database": "shop"', '"database": "b"'))
    (tmp_path / half).unlink()  # a deletion that was interrupted
    (tmp_path / moved).rename(tmp_path / f"{moved}.age")  # encrypted by the user
    before = {each.name for each in tmp_path.iterdir()}
    in_another_second()

    rules = f"--to={tmp_path}", "--keep=3"
    shown = backup_to(source, *rules, "--dry-run")
    assert {each.name for each in tmp_path.iterdir()} == before
    done = backup_to(source, *rules)

    assert (shown.returncode, done.returncode) == (0, 0), done.stderr
    gone.append(half)
    after = {each.name for each in tmp_path.iterdir()}
    assert {each.partition(".")[0] for each in before - after} == {n[:-5] for n in gone}
    assert [(tmp_path / each).exists() for each in roles] == [True, True, False]
    assert {first, third, good, other, resized, f"{moved}.age"} < after
    assert f"keep    {good}: the newest that a drill has proved" in shown.stdout
    assert "(to be taken): the newest\n" in shown.stdout
    assert ": one of the newest 3\n" in shown.stdout
    for name, why in {gone[0]: "no rule keeps it", resized: "it is not what was written"}.items():
        assert f"{name}: {why}" in shown.stdout
    assert "kept 4 backups by --keep 3; deleted 3: " in done.stdout
    assert "left alone: 2 other backups" in done.stdout
    assert "no drill is known" not in done.stdout


def test_nothing_goes_where_the_history_cannot_be_read(source: Target, tmp_path: Path) -> None:
    """The new backup stands; what was proved is not known, so nothing is deleted."""
    assert backup_to(source, f"--to={tmp_path}", "--name=shop_20260101_000000").returncode == 0
    (tmp_path / ".drill" / "history.jsonl").mkdir(parents=True)

    done = backup_to(source, f"--to={tmp_path}", "--keep=1")

    assert done.returncode == 6
    assert "the history" in done.stderr and "was taken, and is complete" in done.stderr
    assert len(list(tmp_path.glob("*.dump"))) == 2


def test_nothing_goes_where_the_history_that_is_named_is_empty(
    source: Target, tmp_path: Path
) -> None:
    """A wrong path, or a disk that is not mounted, must not look as if nothing had been proved."""
    place = tmp_path / "b"
    assert backup_to(source, f"--to={place}", "--name=shop_20260101_000000").returncode == 0

    done = backup_to(source, f"--to={place}", "--keep=1", DRILL_HISTORY=str(tmp_path / "gone"))

    assert done.returncode == 6, done.stderr
    assert "holds no drill, so what has been proved is not known" in done.stderr
    assert len(list(place.glob("*.dump"))) == 2


def test_nothing_goes_where_no_drill_is_known(source: Target, tmp_path: Path) -> None:
    """Drills of another machine may have proved the very one; a drill that failed is known, too."""
    name = "shop_20260101_000000"
    assert backup_to(source, f"--to={tmp_path}", f"--name={name}").returncode == 0
    note(
        tmp_path / ".drill" / "history.jsonl", replace(PASSED, backup="other.dump", sha256="0" * 64)
    )
    in_another_second()
    rules = f"--to={tmp_path}", "--keep=1"

    shown = backup_to(source, *rules, "--dry-run")
    done = backup_to(source, *rules)
    words = f"no drill of the backups in {tmp_path} is known"
    assert (
        shown.returncode == 0 and f"but for now nothing would be deleted: {words}" in shown.stdout
    )
    assert done.returncode == 6 and f"nothing was deleted: {words}" in done.stderr
    assert len(list(tmp_path.glob("*.dump"))) == 2

    proved(tmp_path, f"{name}.dump", "failed")
    in_another_second()
    done = backup_to(source, *rules)
    assert (done.returncode, len(list(tmp_path.glob("*.dump")))) == (0, 1), done.stderr
    assert "no drill is known to have proved any" in done.stdout


def test_no_clock_hides_a_failure(tmp_path: Path) -> None:
    """Drills count in the order in which they were noted."""
    place, sha256 = Folder(tmp_path), "0" * 64
    drills = [replace(PASSED, sha256=sha256)]
    drills.append(replace(drills[0], verdict="failed", at=PASSED.at - timedelta(hours=3)))
    for each in drills:
        note(tmp_path / ".drill" / "history.jsonl", each)

    settings = settings_from({}, here=tmp_path, root=ROOT)
    assert proofs_in(drills_of(place, settings)) == {sha256: False}


def test_drills_are_known_by_the_history_of_a_folder_around(source: Target, tmp_path: Path) -> None:
    """BACKUP_PATH is searched for folders: the proof lies there, and a torn line hides none."""
    place, name = tmp_path / "daily" / "shop", "shop_20260101_000000"
    assert backup_to(source, f"--to={place}", f"--name={name}").returncode == 0
    proved(place, f"{name}.dump", "passed")
    (place / ".drill").rename(tmp_path / ".drill")
    in_another_second()

    done = backup_to(source, f"--to={place}", "--keep=1")
    assert (done.returncode, len(list(place.glob("*.dump")))) == (0, 2), done.stderr
    assert "no drill is known" not in done.stdout

    history = tmp_path / ".drill" / "history.jsonl"
    history.write_text(f"<<<<<<< HEAD\n{history.read_text()[9:]}")
    in_another_second()
    done = backup_to(source, f"--to={place}", "--keep=1")
    assert (done.returncode, len(list(place.glob("*.dump")))) == (6, 3)
    assert f"2 lines of {history} cannot be used" in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--keep=7x",), "--keep cannot be '7x'; write it like 7d,4w,12m"),
        (("--to=",), "--to is empty (an unset variable?)"),
        (("--to=s3://",), "--to names no bucket"),
        (("--to=s3://key:hunter2@b/x",), "--to holds credentials or parameters (not shown)"),
        (("--to=ftp://host/x",), "--to names ftp://host/x, which is not a path on this machine"),
        (("--encrypt-to=/dev/null",), "/dev/null, which holds no recipient"),
        (("--format=directory", f"--encrypt-to={SOMEBODY}"), "directory cannot be encrypted"),
        (("--format=directory", "--to=s3://b/x"), "directory cannot be written to s3://b/x/"),
    ],
)
def test_errors_of_users_are_told_before_anything_is_done(
    options: tuple[str, ...], words: str, source: Target, tmp_path: Path
) -> None:
    """In one line, with exit code 4, and without what may be secret."""
    done = backup_to(source, f"--to={tmp_path / 'x'}", *options)
    assert done.returncode == 4, done.stderr
    assert words in done.stderr and "hunter2" not in done.stderr
    assert list(tmp_path.iterdir()) == []
