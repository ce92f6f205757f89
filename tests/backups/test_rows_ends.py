"""Files of rows without compression that are cut: pg_restore would restore what is left of them."""

from __future__ import annotations

import shutil
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups.read import read_contents
from restore_drill.backups.rows_ends import has_end
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump, quiet

SOURCE = """
CREATE TABLE a_log (line text); INSERT INTO a_log SELECT 'line ' || n FROM generate_series(1, 99) n;
CREATE TABLE b_log (line text); INSERT INTO b_log VALUES ('a'), (''), (''), (E'\\\\.'), (E'\\n');
CREATE TABLE c_none (line text); CREATE TABLE d (); INSERT INTO d DEFAULT VALUES;
CREATE TABLE e (id integer PRIMARY KEY); SELECT lo_from_bytea(0, 'a large object');
CREATE TABLE f_sql (line text); INSERT INTO f_sql VALUES ('INSERT INTO t VALUES (1);'), ('x');
"""
OPTIONS = {
    "copy": ("--compress=0",),
    "inserts": ("--compress=0", "--inserts"),
    "rows": ("--compress=0", "--column-inserts", "--rows-per-insert=4"),
}


@pytest.fixture(scope="module")
def archives(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of directory archives and tar archives without compression, by names of OPTIONS."""
    folder = tmp_path_factory.mktemp("archives")
    target = new_database(shops, USUAL, None, "UTF8")
    fill_shop(target, SOURCE)
    for name, options in OPTIONS.items():
        pg_dump(target, folder / name, "--format=directory", *options)
        pg_dump(target, folder / f"{name}.tar", "--format=tar", *options[1:])
    return folder


def first_rows(path: Path) -> Path:
    """The file of the first table's rows in a directory archive."""
    return next(file for file in path.glob("*.dat") if b"line 99" in file.read_bytes())


@pytest.mark.parametrize("name", OPTIONS)
def test_rows_that_end_at_a_line_are_seen_to_be_cut(
    name: str, archives: Path, tmp_path: Path
) -> None:
    """As SQL, what follows would be rows of the table, which would have as many as are counted."""
    whole = archives / name
    assert read_contents(backup_of(whole), tmp_path, quiet).is_complete
    path = Path(shutil.copytree(whole, tmp_path / name))
    rows = first_rows(path)
    data = rows.read_bytes()
    # With rows of several to a statement, the last line of one in the middle.
    rows.write_bytes(data[: data.index(b"\n", data.index(b"line 52")) + 1])

    contents = read_contents(backup_of(path), tmp_path, quiet)

    assert contents.faults == (
        f"{rows.name} is cut: pg_restore would restore its first rows alone, and report nothing",
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_member_of_a_tar_that_is_cut_is_seen(name: str, archives: Path, tmp_path: Path) -> None:
    """The same in a tar whose members were put together anew."""
    whole = archives / f"{name}.tar"
    assert read_contents(backup_of(whole), tmp_path, quiet).is_complete
    cut = tmp_path / "cut.tar"
    with tarfile.open(whole) as source, tarfile.open(cut, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member in source:
            data = source.extractfile(member).read()  # type: ignore[union-attr]
            if b"line 99" in data and member.name.endswith(".dat") and member.name != "toc.dat":
                data = data[: data.index(b"\n", data.index(b"line 52")) + 1]
            member.size = len(data)
            tar.addfile(member, BytesIO(data))

    faults = read_contents(backup_of(cut), tmp_path, quiet).faults

    assert len(faults) == 1 and "is cut: the end of its rows is missing" in faults[0]


@pytest.mark.parametrize(
    ("data", "is_whole"),
    [
        (b"\\.\n\n\n", True),
        (b"1\n\\.\n\n\n", True),
        (b"1\n\\.\n", True),
        (b"\n\n", True),
        (b"\n\n\n\n", False),
        (b"1\\\\.\n", False),
        (b"1\n", False),
        (b"1", False),
        (b"INSERT INTO t VALUES (1);\n\n\n", True),
        (b"INSERT INTO t VALUES (1);\n", False),
        (b"INSERT INTO t VALUES (1", False),
    ],
)
def test_end_is_that_of_pg_dump(data: bytes, is_whole: bool) -> None:  # noqa: FBT001
    """Rows of COPY, INSERTs, and no INSERT at all."""
    assert has_end(BytesIO(data), len(data)) == is_whole
