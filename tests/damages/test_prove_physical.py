"""`--prove` of physical backups: every damage that can be done is noticed, and the backup stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.verify import verify
from restore_drill.damages.physical.files import CONTROLS, CUT, FLIPPED, LABEL_LOST, LOST
from restore_drill.damages.physical.rehearsal import PHYSICAL_DAMAGES
from restore_drill.damages.physical.shadow import shadowed
from tests.helpers.drills import Drill, run_drill
from tests.helpers.physical import Source, source
from tests.helpers.repositories import barman_server, pgbackrest_repository


@pytest.fixture(scope="module")
def server() -> Iterator[Source]:
    """A server with a plain backup and one in tars, and WAL in its archive behind both."""
    with source(15, rows=200) as found:
        found.base_backup("plain")
        found.base_backup("tars", form="tar")
        for what in ("one", "two", "three"):
            found.commit(what)
            found.switch()
        yield found


def proved(backup: Path, report_dir: Path) -> Drill:
    """The drill of `backup` with --prove, which is green."""
    drill = run_drill("--prove", "-k", "not redis", f"--backup={backup}", report_dir=report_dir)
    assert drill.code == 0, drill.output
    return drill


def noticed(drill: Drill) -> set[str]:
    """Names of the damages that were done; each was noticed by a criterion that is for it."""
    entries = {entry["damage"]: entry["noticed_by"] for entry in drill.result["proof"]}
    for damage in PHYSICAL_DAMAGES:
        if damage.name in entries:
            names = {name.split("[")[0] for name in entries[damage.name]}
            assert names & damage.caught_by, (damage.name, names)
    return set(entries)


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file below `folder`."""
    return {
        str(each): (each.lstat().st_size, each.lstat().st_mtime_ns)
        for each in sorted(folder.rglob("*"))
    }


def test_damages_of_a_folder_are_noticed(server: Source, report_dir: Path) -> None:
    """Files, WAL, pages and age: each is noticed, and nothing of backup and archive is changed."""
    backup = server.folder / "plain"
    before = files_of(backup), files_of(server.archive)

    drill = proved(backup, report_dir)

    assert noticed(drill) == {each.name for each in PHYSICAL_DAMAGES} - {"cut_tar"}
    assert (files_of(backup), files_of(server.archive)) == before
    why = " ".join(entry["why"] for entry in drill.result["not_checked"])
    assert "not tried: a tar is cut in the middle: it has no tars" in why


def test_damages_of_tars_are_noticed(server: Source, report_dir: Path) -> None:
    """What cannot be done to tars is told; the rest is noticed."""
    drill = proved(server.folder / "tars", report_dir)

    one_by_one = {"flipped_bit", "cut_file", "lost_file", "lost_label", "lost_wal"}
    assert noticed(drill) == {each.name for each in PHYSICAL_DAMAGES} - one_by_one
    why = " ".join(entry["why"] for entry in drill.result["not_checked"])
    assert "its files do not lie there one by one" in why


def test_damaged_wal_of_a_repository_is_noticed(server: Source, report_dir: Path) -> None:
    """Each recovery opens the archive anew; a repository's files are left alone."""
    repository = pgbackrest_repository(server)
    repository.backup()
    for what in ("four", "five", "six"):
        server.commit(what)
        server.switch()
    before = files_of(repository.path)

    drill = run_drill(
        "--prove", "-k", "segment or wal or target or lost_file",
        f"--backup={repository.path}", report_dir=report_dir,
    )  # fmt: skip

    assert drill.code == 0, drill.output
    assert noticed(drill) == {"lost_segment", "changed_segment"}
    files = {name: each for name, each in before.items() if Path(name).is_file()}
    assert files.items() <= files_of(repository.path).items()  # it archives meanwhile


def test_damages_of_a_backup_of_barman_are_noticed(server: Source, tmp_path: Path) -> None:
    """Its tablespaces lie beside its data; what is not damaged has no fault."""
    barman = barman_server(server)
    barman.backup()
    physical = physical_at(barman.path)
    assert physical is not None

    for number, do in enumerate((CONTROLS[0], FLIPPED.do, CUT.do, LOST.do, LABEL_LOST.do)):
        (shadow := tmp_path / f"{number}").mkdir()
        (work := tmp_path / f"{number}.work").mkdir()
        faults = verify(do(physical, shadow), work, lambda _: None).faults
        assert bool(faults) == (number > 0), faults


def test_a_damaged_copy_takes_the_room_of_one_file(server: Source, tmp_path: Path) -> None:
    """All else are links to the backup: one of 500 GB is not copied."""
    physical = physical_at(server.folder / "plain")
    assert physical is not None
    name = next(iter(physical.newest.path.glob("base/*/1255"))).relative_to(physical.newest.path)

    found, changed = shadowed(physical, tmp_path, str(name))

    copied = [each for each in tmp_path.rglob("*") if each.is_file() and not each.is_symlink()]
    assert copied == [changed]
    assert (found.newest.path / "global").samefile(physical.newest.path / "global")
