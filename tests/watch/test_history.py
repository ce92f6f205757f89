"""The history: added to safely, and a chain that shows what was changed, removed or inserted."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from restore_drill.config.settings import settings_from
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.results.result import build_result
from restore_drill.watch import append as appending
from restore_drill.watch.append import append
from restore_drill.watch.entry import MOST_TABLES, drill_of, note
from restore_drill.watch.history import history_path, load_history, read_history
from restore_drill.watch.verify import verify
from tests.helpers.drills import ROOT
from tests.helpers.histories import caller
from tests.watch.test_status import FAILED, PASSED

OLD = '{"at": "2026-01-0%d", "verdict": "passed", "strength": null, "backup": "a.dump", "size": 1, '
OLD += '"rows": 2, "restore": 1.5, "verify": 0.5, "total": 3.0, "red": []}\n'
"""A line of the first version, which had neither series nor hash."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a history is to be."""
    return tmp_path / ".drill" / "history.jsonl"


def a_history(path: Path, old: int = 2, new: int = 4) -> list[bytes]:
    """Lines of a history of `old` drills of the first version and `new` of this one."""
    path.parent.mkdir()
    path.write_text("".join(OLD % day for day in range(1, old + 1)))
    for number in range(new):
        note(path, replace(PASSED, rows=100 + number))
    return path.read_bytes().splitlines(keepends=True)


def test_a_drill_comes_back_as_it_was_noted(path: Path) -> None:
    """Every field is read as it was written; lines of the first version still count."""
    whole = replace(
        FAILED, series="db/shop", findings=("test_x: two rows are missing",), age=3600.5,
        sha256="ab", database="shop", system="7570000000000000001", tables={"public.cards": 900},
        budgets={"restore": 120.0}, versions={"drill": "1.0", "postgresql": "15.20"},
        machine="db1", setup="embedded, 2 jobs", report="/var/reports/1",
    )  # fmt: skip
    path.parent.mkdir()
    path.write_text(OLD % 1)
    note(path, whole)

    first, last = read_history(path)

    assert last == whole
    assert (first.backup, first.rows, first.series, first.tables) == ("a.dump", 2, None, {})


def test_an_entry_holds_what_a_drill_has_found(tmp_path: Path) -> None:
    """Budgets, versions, machine, setup, findings and the largest tables: lists are bounded."""
    record = Record()
    record.backup = {
        "path": str(tmp_path / "db" / "shop_2026-11-28.dump"), "bytes": 12, "sha256": "ab",
        "age_seconds": 7.5, "database": "shop", "source_version": "14.2",
    }  # fmt: skip
    record.target = {"kind": "embedded", "server_version": "15.20"}
    record.budgets = {"restore": 120.0, "verify": None}
    record.tables = {f"t{n:04}": {"rows": n} for n in range(3000)} | {"unread": {"rows": None}}
    record.checks = [
        {"id": f"drill/test_x.py::test_x[{n}]", "outcome": "failed", "message": "bad\nmore"}
        for n in range(30)
    ]
    result = build_result(record, Redactor(), verdict="failed", reasons=[])
    given = {"machine": "db1", "jobs": "3", "max_backup_age": "1h"}
    settings = settings_from(given, here=tmp_path, root=ROOT)

    drill = drill_of(result, settings, tmp_path / "report")

    assert drill.series == "db/shop" and drill.database == "shop" and drill.age == 7.5
    assert drill.rows == sum(range(3000))
    assert len(drill.tables) == MOST_TABLES and next(iter(drill.tables)) == "t2999"
    assert drill.budgets == {"age": 3600.0, "restore": 120.0}
    assert drill.versions["postgresql"] == "15.20" and drill.versions["source"] == "14.2"
    assert (drill.machine, drill.setup) == ("db1", "embedded, 3 jobs")
    assert drill.findings[0] == "test_x[0]: bad" and len(drill.findings) == len(drill.red) == 5
    assert drill.report == str(tmp_path / "report")


def test_a_drill_that_was_ended_notes_why(tmp_path: Path) -> None:
    """Where no criterion failed the entry has the reason, on one line of bounded length."""
    reasons = ["interrupted (Ctrl-C)", "x" * 1000]
    result = build_result(Record(), Redactor(), verdict="could-not-run", reasons=reasons)

    drill = drill_of(result, settings_from({}, here=tmp_path, root=ROOT))

    assert drill.findings[0] == "interrupted (Ctrl-C)" and len(drill.findings[1]) == 300
    assert drill.machine == os.uname().nodename


def test_a_history_that_nobody_touched_holds(path: Path) -> None:
    """Old lines, a torn one, and the entries behind them."""
    a_history(path)
    with path.open("ab") as file:
        file.write(b'{"at": "2026-')
    note(path, PASSED)

    chain = verify(path.read_bytes())

    assert (chain.faults, chain.entries, chain.torn, chain.unproved) == ([], 5, [7], 2)
    assert chain.last is not None and chain.last.number == 5
    assert verify(b"").faults == [] and verify((OLD % 1).encode()).entries == 0


CHANGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a number": (
        lambda lines: [*lines[:3], lines[3].replace(b'"rows": 101', b'"rows": 999'), *lines[4:]],
        "4: was changed: its hash does not match its content",
    ),
    "a line of before": (
        lambda lines: [lines[0].replace(b'"size": 1', b'"size": 7'), *lines[1:]],
        "3: lines above it, from before there were hashes, were changed or removed",
    ),
    "an entry removed": (
        lambda lines: [*lines[:3], *lines[4:]],
        "4: 1 entry between it and line 3 was removed",
    ),
    "the first removed": (lambda lines: lines[4:], "1: 2 entries above it were removed"),
    "old lines removed": (
        lambda lines: lines[2:],
        "1: lines above it, from before there were hashes, were removed",
    ),
    "an entry twice": (
        lambda lines: [*lines[:4], lines[3], *lines[4:]],
        "4: was inserted: the entry on line 5 follows that on line 3",
    ),
    "a line without hash": (
        lambda lines: [*lines[:4], (OLD % 3).encode(), *lines[4:]],
        "5: was changed or inserted: it has no hash at its end",
    ),
    "blanks at the ends": (
        lambda lines: [line.replace(b"\n", b" \n") for line in lines],
        "3: was changed: its hash is not where it was written",
    ),
    "two exchanged": (
        lambda lines: [*lines[:3], lines[4], lines[3], lines[5]],
        "4: 1 entry between it and line 3 was removed",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_tampering_shows(change: str, path: Path) -> None:
    """Which line it is, and what was done to it."""
    changed, expected = CHANGES[change]
    lines = changed(a_history(path))

    faults = verify(b"".join(lines)).faults

    assert next(f"{fault.line}: {fault.what}" for fault in faults).startswith(expected)


def test_what_the_chain_excuses_no_reader_believes(path: Path) -> None:
    """A line that is no text, as a torn one is, counts as no drill; nor does a skip without end."""
    a_history(path)
    whole = load_history(path)
    later = (PASSED.at + timedelta(hours=1)).isoformat()
    with path.open("ab") as file:
        file.write(json.dumps(PASSED.as_json() | {"at": later}).encode()[:-1] + b', "x": "\xff"}\n')

    assert verify(path.read_bytes()).torn == [len(path.read_bytes().splitlines())]
    assert load_history(path).drills == whole.drills

    skip = {"kind": "skip", "at": later, "reason": "r", "approved_by": "a", "by": "b"}
    append(path, skip | {"until": "9999-12-31", "series": None})
    append(path, skip | {"until": "2999-12-31", "series": None})

    history = load_history(path)
    assert (history.skips, history.damaged) == ([], whole.damaged + 3)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "lost link"])
def test_what_is_no_file_is_no_history(kind: str, tmp_path: Path) -> None:
    """Nobody waits at a pipe, or reads a device for ever."""
    path = tmp_path / "history.jsonl"
    make: dict[str, Callable[[], None]] = {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/full"),
        "folder": path.mkdir,
        "lost link": lambda: path.symlink_to(tmp_path / "gone"),
    }
    make[kind]()

    with pytest.raises(CouldNotRun, match=r"not a regular file|directory|does not exist"):
        load_history(path)


def test_a_forged_entry_with_a_hash_of_its_own_shows(path: Path, tmp_path: Path) -> None:
    """One made by these very functions, put in the place of another."""
    lines = a_history(path)
    other = tmp_path / "other" / "history.jsonl"
    other.parent.mkdir()
    other.write_bytes(b"".join(lines[:3]))
    note(other, replace(PASSED, rows=1))
    forged = other.read_bytes().splitlines(keepends=True)[3]

    (instead,) = verify(b"".join([*lines[:3], forged, *lines[4:]])).faults
    (between,) = verify(b"".join([*lines[:3], forged, *lines[3:]])).faults

    assert instead == (4, "was changed: the entry on line 5 follows another one")
    assert between == (4, "was inserted: the entry on line 5 follows that on line 3")


def test_many_writers_at_once_leave_one_chain(path: Path) -> None:
    """Four processes note thirty drills each: none is lost, none torn, all in one chain."""
    path.parent.mkdir()
    code = "import sys; from pathlib import Path; from restore_drill.watch.append import append\n"
    code += "for n in range(30): append(Path(sys.argv[1]), {'n': n, 'text': 'x' * 9000})"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], env=environment) for _ in range(4)
    ]
    assert [each.wait(60) for each in started] == [0, 0, 0, 0]

    chain = verify(path.read_bytes())

    assert (chain.faults, chain.entries, chain.torn) == ([], 120, [])


def test_a_full_disk_leaves_the_history_as_it_was(path: Path) -> None:
    """What was written of an entry is taken back; the next one goes on."""
    a_history(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
        with pytest.raises(OSError, match=r"No space|too large") as caught:
            note(path, PASSED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, former)

    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert path.read_bytes() == before
    note(path, PASSED)
    assert verify(path.read_bytes()).faults == []


def test_a_lock_that_is_never_left_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait has a limit, and nothing is written."""
    a_history(path)
    before = path.read_bytes()
    monkeypatch.setattr(appending, "PATIENCE", 0.1)
    with path.open("rb") as other:
        appending.lock(other.fileno())
        with pytest.raises(OSError, match="another process has locked it"):
            note(path, PASSED)

    assert path.read_bytes() == before


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe would wait for ever."""
    os.mkfifo(tmp_path / "history.jsonl")

    with pytest.raises(OSError, match="not a regular file"):
        append(tmp_path / "history.jsonl", {})


def test_names_out_of_a_dump_do_nothing(path: Path) -> None:
    """A control character in a table's name is spelled out in the file, and read as it was."""
    path.parent.mkdir()
    note(path, replace(PASSED, tables={"public.\x1b[2J\u202e": 1}))

    assert b"\x1b" not in path.read_bytes() and "\u202e" not in path.read_text()
    assert list(read_history(path)[0].tables) == ["public.\x1b[2J\u202e"]
    assert json.loads(path.read_text())["number"] == 1


def test_the_history_lies_where_it_is_set(tmp_path: Path) -> None:
    """DRILL_HISTORY names a file, or a folder; BACKUP_PATH otherwise; a URL is refused."""

    def place(**given: str) -> Path | None:
        return history_path(settings_from(given, here=tmp_path, root=ROOT))

    (tmp_path / "backups").mkdir()
    assert place() is None
    assert place(history="h/drills.jsonl") == tmp_path / "h" / "drills.jsonl"
    assert place(history="backups") == tmp_path / "backups" / "history.jsonl"
    assert place(history="new/") == tmp_path / "new" / "history.jsonl"
    with pytest.raises(UsageError) as refused:
        place(history="https://key:secret@host/history.jsonl")
    assert str(refused.value).startswith("--history (DRILL_HISTORY) is a URL (not shown")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"at": "9999-12-31T23:59:59+00:00"},
        {"at": "0001-01-01T00:00:00+23:00"},
        {"restore": float("nan")},
        {"restore": float("inf")},
        {"size": 10**400},
        {"tables": {"x": "y"}},
        {"tables": ["x"]},
        {"findings": "text"},
        {"budgets": {"restore": None}},
    ],
    ids=str,
)
def test_what_cannot_be_shown_is_passed_over(
    change: dict[str, object],
    tmp_path: Path,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line with what no drill writes is counted, and breaks neither status nor dashboard."""
    path.parent.mkdir()
    path.write_text(json.dumps(PASSED.as_json() | change) + "\n")
    note(path, PASSED)
    call = caller(tmp_path, monkeypatch, capsys)

    code, told = call("status", "--max-age=300000d")

    assert code == 0, told
    assert "! 1 line of" in told and "1 drill recorded" in told
    assert call("dashboard", "--out=site", "--max-age=300000d")[0] == 0


def test_a_line_of_brackets_is_no_entry(path: Path) -> None:
    """Nested so deeply that its reader gives up."""
    path.parent.mkdir()
    note(path, PASSED)
    with path.open("a") as file:
        file.write("[" * 200_000 + "\n")
    note(path, PASSED)

    assert len(read_history(path)) == 2
    assert verify(path.read_bytes()).faults == []
