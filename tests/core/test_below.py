"""The files of a folder, in the order by which digests of folders have always been made."""

from __future__ import annotations

import hashlib
from pathlib import Path

from restore_drill.backups.mark import mark_of
from restore_drill.backups.read import sha256_of
from restore_drill.core.below import files_below

NAMES = ["toc.dat", "3000.dat.gz", "a.b/1", "a/2", "a/b/3", "a-b"]


def test_files_are_sorted_as_paths_are(tmp_path: Path) -> None:
    """By folder, then by name: digests in manifests that are there depend on it."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name * 9000, encoding="ascii")
    (tmp_path / "link").symlink_to(tmp_path / "toc.dat")
    (tmp_path / "folder").symlink_to(tmp_path / "a")

    found = files_below(tmp_path)

    wanted = sorted(Path(name) for name in [*NAMES, "link"])
    assert [name for name, _ in found] == [path.as_posix() for path in wanted]
    assert [stat.st_size for _, stat in found] == [
        (tmp_path / each).stat().st_size for each in wanted
    ]
    lines = [
        f"{path.as_posix()}\0{hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()}\n"
        for path in wanted
    ]
    assert sha256_of(tmp_path) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_mark_tells_a_file_from_another_below(tmp_path: Path) -> None:
    """Its name, its size: each makes another mark."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_text("one", encoding="ascii")
    before = mark_of(tmp_path)

    (tmp_path / "a" / "1").rename(tmp_path / "1")

    assert before
    assert mark_of(tmp_path) != before
