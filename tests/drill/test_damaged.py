"""Damaged backups turn the drill red, each with the words that name its damage."""

from __future__ import annotations

import gzip
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump

DrillFile = Callable[..., Drill]

CRITERIA = """
[tables]
artists = { min_rows = 20 }
purchases = { min_rows = 60, max_rows = 60 }
cards = { min_rows = 200, references = ["artists", "purchases"] }
"""

COPY_CARDS = re.compile(rb"(COPY public\.cards [^\n]*\n)(.*?)(\n\\\.\n)", re.DOTALL)


def cut_in_copy(dump: bytes) -> bytes:
    """End in the middle of the rows of public.cards."""
    return dump[: dump.index(b"COPY public.cards") + 2000]


def cut_after_copy(dump: bytes) -> bytes:
    """End after all data: every row is there and no key."""
    return dump[: dump.rindex(b"\n\\.\n") + 4]


def cut_in_statement(dump: bytes) -> bytes:
    """End inside a statement."""
    return dump[: dump.rindex(b"ADD CONSTRAINT") + 5]


def drop_rows(dump: bytes) -> bytes:
    """Leave half of the cards out."""
    return COPY_CARDS.sub(lambda m: m[1] + b"\n".join(m[2].split(b"\n")[::2]) + m[3], dump)


def empty_table(dump: bytes) -> bytes:
    """Leave all cards out."""
    return COPY_CARDS.sub(lambda m: m[1] + b"\\.\n", dump)


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


def lose_artist(dump: bytes) -> bytes:
    """Leave the row out that cards reference: orphans."""
    return re.sub(rb"\n3\tartist 3\t[^\n]*", b"", dump)


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


def translate_newlines(dump: bytes) -> bytes:
    """Nothing but zero bytes."""
    return bytes(len(dump))


def append_garbage(dump: bytes) -> bytes:
    """Binary rubbish in the middle."""
    middle = dump.index(b"COPY public.cards") + 1500
    return dump[:middle] + bytes(range(256)) * 4 + dump[middle + 1024 :]


PLAIN: dict[Callable[[bytes], bytes], tuple[str, str]] = {
    cut_in_copy: ("test_backup_is_complete", "ends inside the COPY data of public.cards"),
    cut_after_copy: ("test_backup_is_complete", "end marker is missing"),
    cut_in_statement: (
        "test_backup_is_complete",
        "ends inside a statement that begins with ALTER TABLE",
    ),
    drop_rows: (
        "test_table_has_rows[public.cards]",
        "public.cards has 100 rows, expected at least 200",
    ),
    empty_table: ("test_table_has_rows[public.cards]", "public.cards has 0 rows"),
    drop_foreign_key: (
        "test_required_references_exist[public.cards]",
        "public.cards has no foreign key to public.artists",
    ),
    drop_statement: ("test_every_object_came_back", "INDEX public.cards_title_idx"),
    lose_artist: ("test_restore_has_no_errors", "cause: orphan rows"),
    fail_in_sql: ("test_restore_has_no_errors", "syntax_error"),
    spoil_row: ("test_restore_has_no_errors", "missing data for column"),
    reset_sequence: ("test_sequences_are_ahead", "public.purchases_id_seq gives 1"),
    run_program: ("test_backup_is_complete", "psql meta-command '\\\\!'"),
    translate_newlines: ("test_backup_is_complete", "binary data of an unknown kind"),
    append_garbage: ("test_restore_has_no_errors", "line "),
}


@pytest.fixture
def drill_file(tmp_path: Path, report_dir: Path) -> DrillFile:
    """Function that drills one backup against criteria for the shop."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(CRITERIA)

    def run(path: Path, *arguments: str) -> Drill:
        return run_drill(
            f"--criteria={criteria}", "-k", "not redis", *arguments,
            report_dir=report_dir, BACKUP_PATH=str(path.parent),
        )  # fmt: skip

    return run


@pytest.mark.parametrize("damage", PLAIN, ids=lambda damage: damage.__name__)
def test_damaged_plain_dump_is_red(
    damage: Callable[[bytes], bytes],
    shops: Shops,
    tmp_path: Path,
    drill_file: DrillFile,
) -> None:
    """Each damage of a plain dump fails the criterion that names it."""
    whole = shops.dump(USUAL, "plain.sql").read_bytes()
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql"
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole
    criterion, words = PLAIN[damage]

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


@pytest.mark.parametrize("major", sorted({USUAL, 18}))
def test_cut_custom_archive_is_red(
    major: int, shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A truncated custom archive, which `pg_restore --list` passes, is red."""
    whole = shops.dump(major, "custom.dump").read_bytes()
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.dump"
    path.write_bytes(whole[:-600])

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert "pg_restore cannot read it" in drill.failed["test_backup_is_complete"]


def test_flipped_byte_in_archive_is_red(
    shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A flipped byte in the compressed data of an archive is red."""
    whole = bytearray(shops.dump(USUAL, "custom.dump").read_bytes())
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.dump"
    whole[-900] ^= 0xFF
    path.write_bytes(whole)

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert drill.failed


def test_cut_tar_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A truncated tar archive, on which pg_restore can hang, is red."""
    whole = shops.dump(USUAL, "archive.tar").read_bytes()
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.tar"
    path.write_bytes(whole[: len(whole) // 2])

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert "tar file" in drill.failed["test_backup_is_complete"]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_directory_without_a_member_is_red(
    damage: str, shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A directory archive that lacks a file, or has an empty or cut one, is red."""
    (tmp_path / "db").mkdir()
    path = Path(shutil.copytree(shops.dump(USUAL, "directory"), tmp_path / "db" / "backup_dir"))
    member = max(path.glob("*.dat.gz"), key=lambda file: file.stat().st_size)
    if damage == "missing":
        member.unlink()
    else:
        member.write_bytes(member.read_bytes()[:40] if damage == "cut" else b"")

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert member.name.split(".")[0] in drill.failed["test_backup_is_complete"] or damage == "cut"


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_broken_gzip_is_red(
    damage: str, shops: Shops, tmp_path: Path, drill_file: DrillFile
) -> None:
    """A gzip file that is cut, or whose checksum is wrong, is red."""
    packed = bytearray(gzip.compress(shops.dump(USUAL, "plain.sql").read_bytes()))
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql.gz"
    if damage == "flipped":
        packed[-6] ^= 0xFF
    path.write_bytes(packed if damage == "flipped" else packed[: len(packed) // 2])

    drill = drill_file(path)

    assert drill.code == 1, drill.output
    assert "gzip compression cannot be read to the end" in drill.failed["test_backup_is_complete"]


def test_wrong_checksum_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup that is not what its .sha256 says is red."""
    (tmp_path / "db").mkdir()
    path = Path(shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "db" / "backup.sql"))
    path.with_name("backup.sql.sha256").write_text("0" * 64 + "  backup.sql\n")

    drill = drill_file(path)

    assert drill.code == 1
    assert "is not what its .sha256 says" in drill.failed["test_backup_matches_its_checksum"]


def test_stale_backup_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup older than the RPO budget is red, by the time in its name."""
    (tmp_path / "db").mkdir()
    path = Path(
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "db" / "backup_20231201_050001.sql")
    )

    drill = drill_file(path, "-m", "select")

    assert drill.code == 1
    message = drill.failed["test_backup_is_young_enough"]
    assert "2023-12-01 05:00:01 UTC by its name" in message
    assert "allowed are 1 d 2 h" in message


def test_backup_from_the_future_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A time in the future lies."""
    (tmp_path / "db").mkdir()
    path = Path(
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "db" / "backup_20990101.sql")
    )

    drill = drill_file(path, "-m", "select")

    assert drill.code == 1
    assert "in the future" in drill.failed["test_backup_is_young_enough"]


def test_shrunken_backup_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup much smaller than those before it is red."""
    whole = shops.dump(USUAL, "plain.sql").read_bytes()
    (tmp_path / "db").mkdir()
    for day in (1, 2, 3):
        (tmp_path / "db" / f"backup_2023120{day}.sql").write_bytes(whole + b"\n" * 40_000)
    path = tmp_path / "db" / "backup_20231204.sql"
    path.write_bytes(whole)

    drill = drill_file(path, "-m", "select")

    assert "median of 3" in drill.failed["test_backup_did_not_shrink"]


def test_directory_without_backups_is_red(tmp_path: Path, drill_file: DrillFile) -> None:
    """A backup directory in which no finished backup lies is red, and says what lies there."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "backup.sql.part").write_text("--")
    (tmp_path / "db" / "zero.sql").write_text("")

    drill = drill_file(tmp_path / "db" / "none")

    assert drill.code == 1, drill.output
    message = drill.failed["test_backup_exists"]
    assert "no backups found" in message
    assert "backup.sql.part: still being written, by its name" in message
    assert "zero.sql: zero bytes" in message


def test_error_page_in_place_of_a_backup_is_red(tmp_path: Path, drill_file: DrillFile) -> None:
    """An HTML page named .sql is not passed over: it is the newest backup, and none."""
    (tmp_path / "db").mkdir()
    path = tmp_path / "db" / "backup.sql"
    path.write_text("<!DOCTYPE html><html><body>503</body></html>")

    drill = drill_file(path)

    assert drill.code == 1
    assert "an HTML or XML page" in drill.failed["test_backup_is_complete"]


def test_orphans_in_the_source_are_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """Orphans under a NOT VALID key restore without an error, and the rows tell."""
    source = shops.database(USUAL, "orphans")
    fill_shop(
        source,
        "CREATE TABLE artists (id int PRIMARY KEY); CREATE TABLE cards (id int, artist_id int);"
        "CREATE TABLE purchases (id int); INSERT INTO cards VALUES (1, 7), (2, NULL);"
        "ALTER TABLE cards ADD CONSTRAINT cards_artist_fkey FOREIGN KEY (artist_id)"
        " REFERENCES artists (id) NOT VALID",
    )
    (tmp_path / "db").mkdir()
    path = pg_dump(source, tmp_path / "db" / "backup.dump", "--format=custom")

    drill = drill_file(path)

    assert drill.code == 1
    assert "test_restore_has_no_errors" not in drill.failed
    message = drill.failed["test_foreign_keys_hold[public.cards]"]
    assert "artist_id -> public.artists (cards_artist_fkey): 1 orphan row" in message
    assert "test_constraints_are_validated" not in drill.failed


def test_schema_only_dump_is_red(shops: Shops, tmp_path: Path, drill_file: DrillFile) -> None:
    """A dump without data is red."""
    (tmp_path / "db").mkdir()
    path = pg_dump(shops.source(USUAL), tmp_path / "db" / "backup.sql", "--schema-only")

    drill = drill_file(path)

    assert drill.code == 1
    assert "test_database_has_rows" in drill.failed


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
    for file in drill.report_dir.iterdir():
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
    assert re.search(r"! Not reached because of that: \d\d criteria", drill.output)
    assert any("not reached: " in each["why"] for each in drill.result["not_checked"])
    assert len(failed) == 1, part.output
    assert "was not restored: it is damaged" in next(iter(failed.values()))
