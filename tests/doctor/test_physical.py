"""What doctor and the plan of a drill say of a physical backup; nothing of it is copied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.doctor.test_doctor import check_up, nothing_set, texts  # noqa: F401 - a fixture too
from tests.helpers.base_backups import names_in, physical
from tests.helpers.drills import run_drill
from tests.helpers.physical import Source, copied, source

NAMES = ("backups", "servers", "machine")


@pytest.fixture(scope="module")
def server() -> Iterator[Source]:
    """A server with a base backup `base`, and a segment of WAL behind it in its archive."""
    with source(15, rows=50) as found:
        found.base_backup("base")
        found.commit("after")
        found.switch()
        yield found


def test_what_would_be_drilled_is_known(server: Source) -> None:
    """Kind, size, end, archive with its newest segment, build, room; nothing stops it."""
    found = check_up(*NAMES, backup=str(server.folder / "base"))

    fine, notes = "\n".join(texts(found, "ok")), "\n".join(texts(found, "note"))
    newest = max(each.name for each in server.archive.iterdir() if len(each.name) == 24)
    assert "a drill would use base: pg_basebackup, plain" in fine
    assert f"its WAL comes from {server.archive}" in fine and f"the newest {newest}" in fine
    assert "recovery would end with the newest WAL" in fine
    assert "PostgreSQL 15." in fine and "would start on a copy of its files" in fine
    assert "the copy would live" in fine
    assert "of files and 16.8 MB of WAL, from PostgreSQL 15" in notes
    assert "no recovery can stop before that" in notes and "1 tablespace" in notes
    assert not found.stops and "of SQL" not in fine + notes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"recover_to": "2020-01-01"}, "lies before the end of the backup"),
        ({"recover_to": "nonsense"}, "is no target of a recovery"),
        ({"recover_to": "2999-01-01"}, "lies in the future"),
        ({"timeline": "5"}, "--timeline 5 is not there: "),
        ({"target": "container"}, "cannot take a physical backup"),
    ],
)
def test_what_a_drill_would_refuse_is_said(
    options: dict[str, str], said: str, server: Source
) -> None:
    """And the rest is examined all the same."""
    found = check_up(*NAMES, backup=str(server.folder / "base"), **options)

    assert any(said in each for each in texts(found, "bad")), texts(found, "bad")
    assert found.stops and texts(found, "ok", "backups")
    assert found.code == 4, "as in a drill"


@pytest.mark.parametrize(
    ("goal", "kind", "said"),
    [
        ("lsn:5/0", "bad", "recovery would not reach lsn:5/0: the WAL ends at 0/"),
        ("end", "ok", "recovery would end at lsn:0/"),
        ("immediate", "ok", "recovery would end at the end of the backup"),
        ("now", "note", "whether the WAL has that only a recovery shows"),
        ("name:nosuch", "note", "recovery is to end at name:nosuch; whether the WAL has that"),
        ("xid:9999", "note", "recovery is to end at xid:9999; whether the WAL has that"),
    ],
)
def test_what_is_known_of_a_target_is_said(goal: str, kind: str, said: str, server: Source) -> None:
    """An LSN by the names of the segments; no tick where only a recovery shows it."""
    newest = max(each.name for each in server.archive.iterdir() if len(each.name) == 24)
    here = {"end": f"lsn:0/{newest[-2:]}000028", "now": str(datetime.now(UTC))}

    found = check_up("backups", backup=str(server.folder / "base"), recover_to=here.get(goal, goal))

    assert any(said in each for each in texts(found, kind)), found.facts
    assert kind == "ok" or "would end" not in "".join(texts(found, "ok"))
    assert found.code == 0 and bool(found.fails) == (kind == "bad")


@pytest.mark.parametrize(("goal", "is_reached"), [("latest", False), ("lsn", True), ("now", False)])
def test_a_gap_in_a_folder_is_told(
    goal: str, server: Source, tmp_path: Path, *, is_reached: bool
) -> None:
    """By the names alone; one behind an LSN does not stand in its way."""
    base = server.folder / "base"
    begin = max(each.name for each in (base / "pg_wal").iterdir() if len(each.name) == 24)
    next_, missing, newest = (f"{begin[:-2]}{int(begin[-2:], 16) + n:02X}" for n in (1, 2, 3))
    (tmp_path / "wal").mkdir()
    for name in (next_, newest):
        (tmp_path / "wal" / name).touch()
    goals = {"lsn": f"lsn:0/{next_[-2:]}000028", "now": str(datetime.now(UTC))}

    found = check_up(
        "backups", backup=str(base), wal=str(tmp_path / "wal"), recover_to=goals.get(goal, goal)
    )

    (warned,) = (each for each in texts(found, "warn") if "gap" in each)
    assert f"{missing} is missing" in warned
    assert ("a drill would fail" in warned) != is_reached
    assert ("would end at" in "".join(texts(found, "ok"))) == is_reached


def test_our_own_backup_ends_where_its_facts_were_read(server: Source, tmp_path: Path) -> None:
    """No archive is asked for, which would make it plausible where it is proven alone."""
    assert physical(server, tmp_path).returncode == 0
    (name,) = names_in(tmp_path)

    found = check_up("backups", backup=str(tmp_path / name))

    assert not texts(found, "warn", "backups"), found.facts
    (said,) = (each for each in texts(found, "ok") if "would end" in each)
    assert "would end at lsn:0/" in said and "proves its content" in said


def test_a_lacking_archive_is_said(server: Source, tmp_path: Path) -> None:
    """All that is in the backup is what can be recovered then."""
    (tmp_path / "lone").mkdir()
    lone = copied(server.folder / "base", tmp_path / "lone" / "base")

    found = check_up("backups", backup=str(lone))

    warned = "\n".join(texts(found, "warn"))
    assert "no WAL archive is known: recovery would end with the WAL in it" in warned


def test_the_plan_says_what_would_be_done(server: Source, report_dir: Path) -> None:
    """What is copied and from where WAL comes; what the damages of --prove take."""
    backup = f"--backup={server.folder / 'base'}"
    drill = run_drill("--dry-run", "--prove", backup, report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert f"Its WAL comes from {server.archive}" in drill.output, drill.output
    assert "files are copied, a server starts on the copy" in drill.output
    assert "the smallest database is copied" in drill.output
    assert "of SQL" not in drill.output and "Step 4" not in drill.output
