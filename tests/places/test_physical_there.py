"""Physical backups in a bucket of a real S3 server: drilled as those of this machine are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.fleet.due import answer
from restore_drill.fleet.known import known_of
from restore_drill.fleet.model import Database
from restore_drill.selection import remote
from tests.helpers.buckets import BUCKET, keys_of, put
from tests.helpers.drills import ROOT, Drill, command, run_drill
from tests.helpers.physical import Source, source

HERE = f"s3://{BUCKET}"
ALL = ("-k", "not redis")


@pytest.fixture(scope="module")
def server() -> Iterator[Source]:
    """A server whose increments can be taken, and that has no tablespace."""
    with source(17, rows=200) as made:
        made.sql("ALTER TABLE events SET TABLESPACE pg_default")
        made.sql("DROP TABLESPACE ts1")
        yield made


def upload(url: str, folder: Path, to: str) -> None:
    """Put the files in `folder` there: a bucket knows neither links nor empty folders."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            put(url, f"{to}/{path.relative_to(folder)}", path.read_bytes())


def drill_of(s3: str, report_dir: Path, *arguments: str, at: str = "") -> Drill:
    """A drill with BACKUP_PATH in the bucket, where `at` says where."""
    place = {"BACKUP_PATH": f"{HERE}/{at}"} if at else {}
    return run_drill(*arguments, report_dir=report_dir, cwd=ROOT, **place, **keys_of(s3))


def test_an_increment_comes_with_what_it_needs(server: Source, s3: str, report_dir: Path) -> None:
    """Tars, the newest of which is an increment; one that is none of theirs is not fetched."""
    full = server.base_backup("full", "-z", form="tar")
    server.commit("between")
    other = server.base_backup("other", "-z", form="tar")
    manifest = f"--incremental={full}/backup_manifest"
    increment = server.base_backup("increment", "-z", manifest, form="tar")
    server.commit("behind")
    server.switch()
    for folder, name in ((full, "2026-11-27"), (other, "2026-11-28"), (increment, "2026-11-29")):
        upload(s3, folder, f"chain/base/{name}")
    upload(s3, server.archive, "chain/wal")

    drill = run_drill(
        *ALL, report_dir=report_dir, BACKUP_PATH=f"{HERE}/chain", cwd=ROOT, **keys_of(s3)
    )
    assert drill.code == 0, drill.output
    notes = " ".join(drill.result["notes"])
    assert "it is restored from 2 backups: 2026-11-27, 2026-11-29" in notes
    assert f"WAL archive beside the backup: {HERE}/chain/wal" in notes
    assert "skipped" not in notes
    assert drill.result["recovery"]["fetched"] > 0

    named = f"--backup={HERE}/chain/base/2026-11-29"
    drill = drill_of(s3, report_dir, "-k", "is_complete", named)
    assert drill.code == 0, drill.output
    assert "restored from 2 backups" in " ".join(drill.result["notes"])


def test_damage_is_shown_by_its_url(server: Source, s3: str, report_dir: Path) -> None:
    """A tar that is cut short."""
    folder = server.base_backup("cut", form="tar")
    with (folder / "base.tar").open("r+b") as file:
        file.truncate(2 << 20)
    upload(s3, folder, "cut/2026-11-29")
    drill = drill_of(s3, report_dir, "-k", "is_complete", at="cut")
    assert drill.code == 1, drill.output
    assert f"{HERE}/cut/2026-11-29 (pg_basebackup, tar" in drill.output
    assert "files-" not in drill.output


def test_ours_is_proven(server: Source, s3: str, report_dir: Path, tmp_path: Path) -> None:
    """Its facts come along: rows and content are those of the source."""
    url = f"postgresql://postgres@/shop?host={server.folder}&port=5432"
    taken = command("backup", "--physical", "--checkpoint=fast", f"--to={tmp_path}/ours",
                    DATABASE_URL=url)  # fmt: skip
    assert taken.returncode == 0, taken.stderr
    upload(s3, tmp_path / "ours", "ours")
    drill = run_drill(
        *ALL, report_dir=report_dir, BACKUP_PATH=f"{HERE}/ours", cwd=ROOT, **keys_of(s3)
    )
    assert drill.code == 0, drill.output
    assert drill.result["strength"] == "proven"


def test_a_base_backup_that_was_drilled_is_not_due(
    server: Source, s3: str, report_dir: Path, tmp_path: Path
) -> None:
    """Its list knows the compressed size alone, and its name has no time."""
    upload(s3, server.base_backup("due", "-z", form="tar"), "due/b")
    history = {"DRILL_HISTORY": str(tmp_path / "history.jsonl")}
    place, keys = f"{HERE}/due", keys_of(s3)
    drill = run_drill(report_dir=report_dir, BACKUP_PATH=place, cwd=ROOT, **history, **keys)
    assert drill.code == 0, drill.output
    environment = {**history, **keys}
    shop = Database("shop", "f", backups=place, every=9e9, environment=environment)
    known = known_of([shop])["shop"]
    assert known.newest[0].size < drill.result["backup"]["bytes"]
    assert (found := answer(known)).why.startswith("passed") and not found.is_due, found

    put(s3, "due/b/base.tar.gz", b"other")
    remote.clear()
    assert answer(known_of([shop])["shop"]).why == "no drill has proved its newest backup: b"
