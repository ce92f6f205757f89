"""What an archive lacks is known by names and histories, as a real recovery finds it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.backups.physical.model import lsn_of
from restore_drill.backups.physical.wal_names import Segment, name_of, segment_of
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.holes import Gap, Survey, Switch, survey, switches_in
from tests.helpers.physical import Source, source
from tests.helpers.promotions import promote, resized
from tests.helpers.replay import replay, run_directory

MB = 1 << 20
ONE = Segment(1, 3)


def segments(timeline: int, *numbers: int, size: int = 16 * MB) -> list[str]:
    """Names of segments."""
    return [name_of(Segment(timeline, number), size) for number in numbers]


def seen(names: list[str], **histories: str) -> Survey:
    """Survey of `names` from the third segment on; histories as `_2="1 0/5000000"`."""
    parsed = {
        int(key[1:]): switches_in(text.replace(";", "\n").encode(), int(key[1:]))
        for key, text in histories.items()
    }
    return survey(names, ONE, 16 * MB, parsed)


def test_a_row_of_segments_has_no_hole() -> None:
    """Older ones than the first needed do not matter."""
    found = seen(segments(1, 1, 3, 4, 5))
    assert (found.gaps, found.newest) == ((), segments(1, 5)[0])


def test_segments_missing_in_a_row_are_one_gap() -> None:
    """The first needed one too; how many they are is said, and they are never all listed."""
    found = seen(segments(1, 5, 8))
    four, six, seven = segments(1, 4, 6, 7)
    assert found.gaps == (Gap(segments(1, 3)[0], four, 2), Gap(six, seven, 2))
    far = seen(["00000001FFFFFFFF000000FF", *segments(1, 3)])
    assert far.gaps[0].segments > 10**11


def test_an_archive_without_any_of_it_has_no_newest() -> None:
    """Nothing is known of gaps then."""
    assert seen(segments(1, 1, 2)) == Survey(seen([]).path, (), "")


def test_the_way_goes_over_to_the_next_timeline_where_it_branches() -> None:
    """The segment in which it branches is needed of the new one, and of the old one no more."""
    names = [*segments(1, 3, 4), *segments(2, 5, 6)]
    found = seen(names, _2="1\t0/5000AB0\tno recovery target specified")
    assert (found.gaps, found.newest) == ((), names[-1])
    assert [each[:3] for each in found.path] == [(1, 3, 4), (2, 5, None)]
    (lost,) = segments(2, 5)
    lacking = seen([*segments(1, 3, 4, 5, 6, 7), *segments(2, 6)], _2="1\t0/5000AB0\tx")
    assert lacking.gaps == (Gap(lost, lost, 1),)


def test_a_timeline_may_branch_at_the_begin_of_a_segment() -> None:
    """Then none of the old one is cut."""
    found = seen([*segments(1, 3, 4), *segments(2, 5)], _2="1\t0/5000000\tx")
    assert found.gaps == ()


def test_a_history_that_is_missing_hides_what_comes_behind_it() -> None:
    """The server asks for one after the other, and never learns of the third timeline."""
    names = [*segments(1, 3), *segments(3, 4)]
    found = seen(names, _3="1\t0/4000000\tx")
    assert (found.histories, found.newest) == ((3,), segments(1, 3)[0])


def test_a_timeline_that_has_only_its_history_is_the_end_of_the_one_before() -> None:
    """It was just begun when the archive was copied."""
    found = seen(segments(1, 3, 4), _2="1\t0/5000000\tx")
    assert (found.gaps, found.newest) == ((), segments(1, 4)[0])


def test_a_partial_segment_counts_at_the_end_alone() -> None:
    """Elsewhere it is what a promotion has cut off."""
    assert seen([*segments(1, 3), f"{segments(1, 4)[0]}.partial"]).newest == segments(1, 4)[0]
    (lost,) = segments(1, 4)
    cut = seen([*segments(1, 3, 5), f"{segments(1, 4)[0]}.partial"])
    assert cut.gaps == (Gap(lost, lost, 1),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2\t0/5000000\tx;1\t0/6000000\tx", "not in order"),
        ("7\t0/5000000\tx", "not in order"),
        ("", "names no timeline"),
        ("1 at some time", "a line of it"),
    ],
)
def test_a_damaged_history_is_none(text: str, words: str) -> None:
    """What the server would take for another past."""
    with pytest.raises(ValueError, match=words):
        switches_in(text.replace(";", "\n").encode(), 3)


def test_a_timeline_of_another_past_is_refused() -> None:
    """One that does not come from the backup's, or branched before it, or is not there."""
    history = {2: [Switch(1, lsn_of("0/2000000"))]}
    for first, timeline, words in (
        (Segment(1, 3), "2", "begun before the backup"),
        (Segment(3, 3), "2", "does not come from timeline 3"),
        (Segment(1, 3), "9", "no history of timeline 9"),
    ):
        with pytest.raises(ValueError, match=words):
            survey([], first, 16 * MB, history, timeline)


@pytest.mark.parametrize("size", [1, 16, 64, 1024])
def test_names_follow_the_size_of_segments(size: int) -> None:
    """Over the end of a half of the name too."""
    each = 4096 // size
    last = Segment(1, 2 * each - 1)
    assert name_of(last, size * MB) == f"0000000100000001{each - 1:08X}"
    assert name_of(Segment(1, last.number + 1), size * MB) == "000000010000000200000000"
    assert segment_of(name_of(last, size * MB), size * MB) == last
    assert segment_of(f"0000000100000001{each:08X}", size * MB) is None


Promoted = tuple[Source, Path, list[str]]


@pytest.fixture(scope="module")
def promoted() -> Iterator[Promoted]:
    """A server of three timelines, segments of a megabyte; its backup, its commits in order."""
    with source(rows=50) as found:
        resized(found, 1)
        backup = found.base_backup("backup", "-X", "none")
        commits = []
        for timeline in (1, 2, 3):
            for each in ("a", "b"):
                commits.append(f"commit {timeline}{each}")
                found.commit(commits[-1])
                if each == "a":
                    found.switch()
            if timeline < 3:
                assert promote(found) == timeline + 1
        found.switch()
        yield found, backup, commits


def surveyed(archive: Path, first: Segment) -> Survey:
    """What is in the archive from `first` on, by its names and histories."""
    histories = {
        int(path.name[:8], 16): switches_in(path.read_bytes(), int(path.name[:8], 16))
        for path in archive.glob("*.history")
    }
    return survey(Folder(archive).names(), first, MB, histories)


def test_a_gap_is_where_a_real_recovery_ends(promoted: Promoted, tmp_path: Path) -> None:
    """Over three timelines: each file is taken away in turn, and recovered without it."""
    found, backup, commits = promoted
    label = (backup / "backup_label").read_text()
    first = segment_of(label.split("(file ")[1][:24], MB)
    assert first is not None
    whole = surveyed(found.archive, first)
    assert (whole.gaps, whole.newest[:8], len(whole.path)) == ((), "00000003", 3)
    files = [
        each
        for each in sorted(found.archive.iterdir())
        if each.name[8:24] >= label.split("(file ")[1][8:24]
    ]
    missed = 0
    for path in [None, *files]:
        archive = Path(shutil.copytree(found.archive, tmp_path / "archive"))
        if path is not None:
            (archive / path.name).unlink()
        there = surveyed(archive, first)
        with (
            run_directory(found) as run,
            Fetcher(Folder(archive), run, found.launcher) as fetcher,
            replay(found, run, backup, fetcher.command) as server,
        ):
            is_whole = server.wait() and server.events() == commits
        assert is_whole == (there == whole), (path, there)
        missed += not is_whole
        shutil.rmtree(archive)
    assert missed >= 5
