"""Constraints that the restore could not make: red, with the rows that break them."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.read import read_contents
from restore_drill.restore.lost_rules import lost_rules
from restore_drill.restore.plain import restore_plain
from restore_drill.results.meaning import meaning_of
from tests.helpers.drills import run_drill
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import Shops, fill_shop, pg_dump, quiet

SOUND = """
CREATE TABLE one (id int PRIMARY KEY, code text);
CREATE UNIQUE INDEX "one's code" ON one (code);
CREATE TABLE two (a int, b int, CONSTRAINT "a, b" UNIQUE NULLS NOT DISTINCT (a, b));
CREATE TABLE three (mail text);
CREATE UNIQUE INDEX small ON three (lower(mail));
CREATE TABLE four (span int4range, EXCLUDE USING gist (span WITH &&));
CREATE TABLE whole (id int PRIMARY KEY);
INSERT INTO one VALUES (101, 'x'), (102, 'y'), (103, 'z');
INSERT INTO two VALUES (1, NULL), (2, NULL);
INSERT INTO three VALUES ('a@b'), ('C@d');
INSERT INTO four VALUES ('[1,3)'), ('[5,7)');
INSERT INTO whole VALUES (1), (2);
"""
DAMAGES = {
    b"102\ty": b"101\tx", b"103\tz": b"101\tx", b"2\t\\N": b"1\t\\N", b"C@d": b"A@b",
    b"[5,7)": b"[2,4)",
}  # fmt: skip


def damaged(shops: Shops, tmp_path: Path) -> Path:
    """Dump in which each table but one has rows that its constraint forbids."""
    source = new_database(shops, 15, None, "UTF8")
    fill_shop(source, SOUND)
    path = pg_dump(source, tmp_path / "backup.sql")
    text = path.read_bytes()
    for sound, broken in DAMAGES.items():
        assert sound in text
        text = text.replace(sound, broken)
    path.write_bytes(text)
    return path


def test_rows_that_break_a_lost_constraint_are_counted(shops: Shops, tmp_path: Path) -> None:
    """A key of plain columns with its rows; of any other it is known that it was not restored."""
    backup = backup_of(damaged(shops, tmp_path))
    target = new_database(shops, 15, None, "UTF8")
    done = restore_plain(target, backup, read_contents(backup, tmp_path, quiet), quiet)

    found = {each.name: each for each in lost_rules(done, target)}

    assert {name: (each.kind, each.broken) for name, each in found.items()} == {
        "one_pkey": ("unique", 2), "one's code": ("unique", 2), "a, b": ("unique", 1),
        "small": ("unique", None), "four_span_excl": ("exclusion", None),
    }  # fmt: skip
    assert "unique_violation" in found["small"].problem
    with target.connect() as connection:
        rows = {name: connection.execute(each.query.encode()).fetchall() if each.query else []
                for name, each in found.items()}  # fmt: skip
    assert {name: len(each) for name, each in rows.items() if each} == {
        "one_pkey": 3, "one's code": 3, "a, b": 2,
    }  # fmt: skip


def test_selection_reports_lost_constraints(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """Nor is a restore with errors called a restore where no selected criterion reports them."""
    path = damaged(shops, tmp_path)

    drill = run_drill(f"--backup={path}", "-k", "constraints_hold", report_dir=report_dir)

    assert set(drill.failed) == {
        f"test_constraints_hold[public.{name}]" for name in ("one", "two", "three", "four")
    }
    assert (
        "2 rows violate it, so it was not restored"
        in (drill.failed["test_constraints_hold[public.one]"])
    )

    drill = run_drill(f"--backup={path}", "-k", "sequences_are_ahead", report_dir=report_dir)

    assert drill.code == 0
    assert any("the restore reported 5 errors" in each for each in drill.result["warnings"])
    assert "Database restored in" not in drill.output
    assert "with errors, which these criteria do not report" in meaning_of(drill.result)
