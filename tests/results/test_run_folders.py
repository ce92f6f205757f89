"""Each run keeps a folder of its own, and the report directory holds the newest one's files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from restore_drill.results import run_folders
from restore_drill.results.newest import FILES, clear, latest_in, show
from restore_drill.results.run_folders import at_work, folder_name, make_folder, prune
from tests.helpers.mini_drill import FILES as WRITTEN
from tests.helpers.mini_drill import command, drill, environment, make_project

AT = datetime(2026, 11, 27, 5, 0, 59, tzinfo=UTC)


def result_in(name: str | None) -> str:
    """The result that a drill leaves in the folder `name`; of an older release without one."""
    found = {"schema": 2, "verdict": "passed", "started_at": "", "checks": []}
    return json.dumps(found | ({"run_folder": name} if name else {}))


def run_in(top: Path, name: str, result: str = "") -> Path:
    """A folder of a run in `top` that has ended."""
    folder = make_folder(top, name)
    (folder / "result.json").write_text(result or result_in(folder.name))
    return folder


def days(top: Path, *numbers: int) -> list[Path]:
    """Folders of runs, one on each of the days of a month."""
    return [run_in(top, f"2026-11-{number:02}T0500Z-shop") for number in numbers]


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("shop", "-shop"),
        ("", ""),
        ("../../etc/passwd", "-etc-passwd"),
        ('a b\n\x1b[31m:*?"<>|\\c\udcff', "-a-b-31m-c"),
        ("..", ""),
        ("Übersicht.2", "-Übersicht.2"),
        ("ж" * 200, "-" + "ж" * 40),
    ],
)
def test_names_are_safe(what: str, name: str, tmp_path: Path) -> None:
    """Time in UTC, and letters, digits and three signs of the name, in at most 80 bytes."""
    away = AT.astimezone(timezone(timedelta(hours=3)))

    assert folder_name(away, what) == f"2026-11-27T0500Z{name}"
    folder = make_folder(tmp_path, folder_name(AT, what))
    assert folder.parent == tmp_path and list(tmp_path.iterdir()) == [folder]


def test_runs_of_one_minute_have_folders_of_their_own(tmp_path: Path) -> None:
    """The second has a number; nothing of the first is written over."""
    names = [run_in(tmp_path, folder_name(AT, "shop")).name for _ in range(3)]

    first = "2026-11-27T0500Z-shop"
    assert names == [first, f"{first}-2", f"{first}-3"]


def test_the_files_of_the_newest_lie_above_and_no_others(tmp_path: Path) -> None:
    """They are regular files, in step with `latest`; what the newest did not write is gone."""
    old, new = days(tmp_path, 1, 2)
    for name in FILES:
        (old / name).write_text("old")
    (new / "report.html").write_text("new")
    show(old)
    assert {(tmp_path / name).read_text() for name in FILES} == {"old"}
    show(new)
    show(new)

    assert (tmp_path / "latest").readlink() == Path(new.name)
    assert (tmp_path / "report.html").read_text() == "new"
    assert not (tmp_path / "report.html").is_symlink()
    left = {"latest", old.name, new.name, "report.html", "result.json"}
    assert {path.name for path in tmp_path.iterdir()} == left
    clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {old.name, new.name}
    assert (new / "report.html").read_text() == "new"


def test_without_links_files_are_copied_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without links, `latest` is a file that names the folder."""

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    first, second = days(tmp_path, 1, 2)
    show(first)
    show(second)

    assert (tmp_path / "latest").read_text() == f"{second.name}\n"
    assert latest_in(tmp_path) == second.name
    assert (tmp_path / "result.json").read_text() == result_in(second.name)
    clear(tmp_path)
    assert not (tmp_path / "latest").exists()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_latest_of_the_user_stays(kind: str, tmp_path: Path) -> None:
    """What no drill has made is neither removed nor replaced."""
    latest, (folder,) = tmp_path / "latest", days(tmp_path, 1)
    if kind == "folder":
        (latest / "mine").mkdir(parents=True)
    elif kind == "file":
        latest.write_text("mine")
    else:
        latest.symlink_to("/etc")
    before = latest.lstat().st_ino
    clear(tmp_path)
    show(folder)

    assert latest.lstat().st_ino == before
    assert (tmp_path / "result.json").is_file()


def test_the_oldest_are_pruned(tmp_path: Path) -> None:
    """So many are kept, this one and the one that `latest` names always."""
    first, second, third, fourth, fifth = days(tmp_path, 1, 2, 3, 4, 5)
    show(second)

    assert prune(first, 2) == [third]
    left = sorted(path for path in tmp_path.iterdir() if path.name.startswith("2026"))
    assert left == [first, second, fourth, fifth]
    assert prune(fifth, 1) == [first, fourth]


def test_what_no_drill_has_made_is_never_pruned(tmp_path: Path) -> None:
    """Other names, links, copies of a run, folders without a result or with one of another kind."""
    top, away = tmp_path / "top", tmp_path / "away"
    top.mkdir()
    newest = run_in(top, "2026-11-27T0500Z")
    kept = [
        run_in(top, "backups"),
        run_in(top, "2026-11-01"),
        run_in(top, "2026-11-01T0500Z-other", "{}"),
        run_in(top, "2026-11-02T0500Z-torn", result_in("2026-11-02T0500Z-torn")[:-9]),
        run_in(top, "2026-11-02T0500Z-list", "[]"),
        run_in(top, "2026-11-02T0500Z-before", result_in(None)),
        run_in(top, "2026-11-02T0500Z-audit-copy", result_in("2026-11-02T0500Z-shop")),
        make_folder(top, "2026-11-03T0500Z-empty"),
    ]
    link, linked = top / "2026-11-04T0500Z-link", top / "2026-11-05T0500Z-linked"
    away.mkdir()
    link.symlink_to(run_in(away, "2026-11-04T0500Z"))
    linked.mkdir()
    (linked / "result.json").symlink_to(link / "result.json")

    assert prune(newest, 1) == []
    assert all(path.exists() for path in (*kept, link, linked, newest))


def test_a_copy_that_fails_leaves_no_verdict_of_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk without links nothing lies above, rather than files of two runs."""
    old, new = days(tmp_path, 1, 2)
    (new / "report.html").write_text("new")
    show(old)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="No space"):
        show(new)

    assert {path.name for path in tmp_path.iterdir()} == {old.name, new.name}


def test_one_that_cannot_be_removed_keeps_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are removed; it is reported, and keeps its result for the next time."""
    stuck, other, newest = days(tmp_path, 1, 2, 3)
    (stuck / "held").mkdir()
    remove_tree = shutil.rmtree

    def refuse(path: Path) -> None:
        if path.name == "held":
            raise PermissionError(13, "Permission denied", str(path))
        remove_tree(path)

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(PermissionError, match="held"):
        prune(newest, 1)

    assert (stuck / "result.json").is_file() and not other.exists()


def test_what_a_link_inside_leads_to_stays(tmp_path: Path) -> None:
    """Pruning removes a link, and not what it leads to."""
    old, new = days(tmp_path, 1, 2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    (old / "link").symlink_to(tmp_path / "mine")

    assert prune(new, 1) == [old]
    assert (tmp_path / "mine" / "file").read_text() == "mine"


def test_a_drill_at_work_keeps_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its lock; where there are no locks, what was changed within an hour is left alone."""
    old, new = days(tmp_path, 1, 2)
    with at_work(old):
        assert prune(new, 1) == []

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(run_folders, "flock", refuse)
    assert prune(new, 1) == []
    os.utime(old, (0, 0))
    assert prune(new, 1) == [old]


def test_each_drill_keeps_its_folder(tmp_path: Path) -> None:
    """Three drills, two kept: the history and the terminal name folders, `latest` the last one."""
    project = make_project(tmp_path / "project")
    red = drill(project, "--keep-reports=2", mode="wrong")
    history = project / "backups" / ".drill" / "history.jsonl"
    (first,) = red.runs
    assert json.loads(history.read_text())["report"] == str(first)
    assert red.out.splitlines()[-1] == f"· Report: drill-report/{first.name}/report.html"
    copy = Path(shutil.copytree(first, first.with_name("2026-10-02T0500Z-audit-copy")))
    second = drill(project, mode="", DRILL_KEEP_REPORTS="2")
    assert first in second.runs
    third = drill(project, "--keep-reports=2")

    assert first.name.endswith("Z-backup") and first not in third.runs
    assert copy in third.runs and (copy / "result.json").is_file()
    assert len(third.runs) == 3 and third.files == WRITTEN
    newest = third.folder / "latest"
    assert {path.name for path in newest.iterdir()} == WRITTEN
    for name in WRITTEN:
        assert (newest / name).samefile(third.folder / name)
    assert third.result["verdict"] == "passed"


def test_no_old_verdict_is_left_by_a_drill_that_is_killed(tmp_path: Path) -> None:
    """From its begin on there is none, and no `latest`; the run before keeps its folder."""
    project = make_project(tmp_path / "project")
    (before,) = drill(project).runs
    with subprocess.Popen(
        command("drill"), cwd=project, env=environment(project, "hang"), stdout=subprocess.DEVNULL
    ) as process:
        try:
            while not (project / "hanging").exists():
                assert process.poll() is None
                time.sleep(0.02)
        finally:
            process.kill()

    assert [path.name for path in (project / "drill-report").iterdir()] == [before.name]
    assert (before / "result.json").is_file()
