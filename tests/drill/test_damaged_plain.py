"""Damages to the text of a plain dump turn the drill red, each with the words that name it."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from restore_drill.damages.files import Edit
from tests.corpus import edits
from tests.helpers.shop import USUAL, Shops
from tests.helpers.shop_drills import DrillFile


def cut_in_copy(dump: bytes) -> bytes:
    """End in the middle of the rows of public.cards."""
    return dump[: dump.index(b"COPY public.cards") + 2000]


def cut_after_copy(dump: bytes) -> bytes:
    """End after all data: every row is there and no key."""
    return dump[: dump.rindex(b"\n\\.\n") + 4]


def cut_in_statement(dump: bytes) -> bytes:
    """End inside a statement."""
    return dump[: dump.rindex(b"ADD CONSTRAINT") + 5]


drop_rows = edits.rows_of(rb"public\.cards", lambda rows: rows[::2])
empty_table = edits.rows_of(rb"public\.cards", lambda _: [])
lose_artist = edits.rows_of(rb"public\.artists", lambda rows: rows[:2] + rows[3:])


def drop_foreign_key(dump: bytes) -> bytes:
    """Leave a foreign key out, comment and all."""
    return re.sub(
        rb"--\n-- Name: cards cards_artist_id_fkey;.*?ON DELETE CASCADE;\n",
        b"",
        dump,
        flags=re.DOTALL,
    )


def drop_statement(dump: bytes) -> bytes:
    """Leave an index out, but not its entry in the table of contents."""
    return re.sub(rb"CREATE INDEX cards_title_idx[^;]*;", b"", dump)


def fail_in_sql(dump: bytes) -> bytes:
    """A statement that the server refuses."""
    return dump.replace(b"CREATE INDEX cards_title_idx", b"CREATE INDEXX cards_title_idx")


def spoil_row(dump: bytes) -> bytes:
    """A row that lost a column."""
    return re.sub(rb"\n7\tCard[^\n]*\t[^\n]*", b"\n7\tgone", dump)


def reset_sequence(dump: bytes) -> bytes:
    """A sequence that starts anew."""
    return dump.replace(
        b"setval('public.purchases_id_seq', 60, true)",
        b"setval('public.purchases_id_seq', 1, false)",
    )


def run_program(dump: bytes) -> bytes:
    """A meta-command that would run a program."""
    return dump.replace(
        b"SET default_tablespace", b"\\! touch /tmp/restore-drill-pwned\nSET default_tablespace", 1
    )


def zeros(dump: bytes) -> bytes:
    """Nothing but zero bytes."""
    return bytes(len(dump))


def put_garbage_in(dump: bytes) -> bytes:
    """Binary rubbish in the middle."""
    middle = dump.index(b"COPY public.cards") + 1500
    return dump[:middle] + bytes(range(256)) * 4 + dump[middle + 1024 :]


PLAIN: dict[str, tuple[Edit, str, str]] = {
    "cut_in_copy": (
        cut_in_copy,
        "test_backup_is_complete",
        "ends inside the COPY data of public.cards",
    ),
    "cut_after_copy": (cut_after_copy, "test_backup_is_complete", "end marker is missing"),
    "cut_in_statement": (
        cut_in_statement,
        "test_backup_is_complete",
        "ends inside a statement that begins with ALTER TABLE",
    ),
    "drop_rows": (
        drop_rows,
        "test_table_has_rows[public.cards]",
        "public.cards has 100 rows, expected at least 200",
    ),
    "empty_table": (empty_table, "test_table_has_rows[public.cards]", "public.cards has 0 rows"),
    "drop_foreign_key": (
        drop_foreign_key,
        "test_required_references_exist[public.cards]",
        "public.cards has no foreign key to public.artists",
    ),
    "drop_statement": (
        drop_statement,
        "test_every_object_came_back",
        "INDEX public.cards_title_idx",
    ),
    "lose_artist": (lose_artist, "test_restore_has_no_errors", "cause: orphan rows"),
    "fail_in_sql": (fail_in_sql, "test_restore_has_no_errors", "syntax_error"),
    "spoil_row": (spoil_row, "test_restore_has_no_errors", "missing data for column"),
    "reset_sequence": (
        reset_sequence,
        "test_sequences_are_ahead",
        "public.purchases_id_seq gives 1",
    ),
    "run_program": (run_program, "test_backup_is_complete", "psql meta-command '\\\\!'"),
    "zeros": (zeros, "test_backup_is_complete", "binary data of an unknown kind"),
    "put_garbage_in": (put_garbage_in, "test_restore_has_no_errors", "line "),
}


@pytest.mark.parametrize("damage", PLAIN)
def test_damaged_plain_dump_is_red(
    damage: str,
    shops: Shops,
    tmp_path: Path,
    drill_file: DrillFile,
) -> None:
    """Each damage of a plain dump fails the criterion that names it."""
    whole = shops.dump(USUAL, "plain.sql").read_bytes()
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql"
    edit, criterion, words = PLAIN[damage]
    path.write_bytes(edit(whole))
    assert path.read_bytes() != whole

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert drill.verdict == "failed"
    assert criterion in drill.failed, drill.output
    assert words in drill.failed[criterion]
    assert not Path("/tmp/restore-drill-pwned").exists()  # noqa: S108


def test_healthy_shop_meets_the_same_criteria(
    shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """The criteria that the damages break hold for the dump they were made from."""
    (tmp_path / "db").mkdir()
    path = Path(shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "db" / "backup.sql"))

    drill = drill_file(path)

    assert drill.code == 0, drill.output


def test_row_data_is_not_shown(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """No value of a row gets into any output, also where the server's message quotes it."""
    secret = b"Confidential-4711"
    whole = shops.dump(USUAL, "plain.sql").read_bytes()
    spoiled = re.sub(rb"\n7\tCard[^\n\t]*\t\d+", b"\n7\tCard\t" + secret, whole)
    assert secret in spoiled
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql"
    path.write_bytes(spoiled)

    drill = drill_file(path)

    assert "invalid_text_representation" in drill.failed["test_restore_has_no_errors"]
    files = [file for file in drill.report_dir.rglob("*") if file.is_file()]
    assert {"report.html", "result.json", "junit.xml"} <= {file.name for file in files}
    for file in files:
        assert secret not in file.read_bytes(), file
    assert secret.decode() not in drill.output


def test_one_cut_file_is_one_failure(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """What a damaged backup keeps from being checked is skipped with the reason, not failed."""
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql"
    path.write_bytes(cut_in_copy(shops.dump(USUAL, "plain.sql").read_bytes()))

    part = drill_file(path, "-k", "cards")
    failed = part.failed
    drill = drill_file(path)

    suite = ET.parse(drill.report_dir / "junit.xml").getroot().find("testsuite")  # noqa: S314
    assert suite is not None
    assert drill.code == part.code == 1
    assert set(drill.failed) == {"test_backup_is_complete"}
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "0")
    reasons = [skip.attrib["message"] for skip in suite.iter("skipped")]
    assert sum(reason.startswith("not reached: backup.sql was not") for reason in reasons) > 20
    assert re.search(r"! Not run because of this: \d\d criteria", drill.output)
    assert any("not reached: " in each["why"] for each in drill.result["not_checked"])
    assert len(failed) == 1, part.output
    assert "was not restored: it is damaged" in next(iter(failed.values()))
