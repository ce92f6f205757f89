"""Outcomes of transactions that are lost, and pages that are of a later time than the rest."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from restore_drill.facts.physical.model import PLACE
from restore_drill.facts.physical.outcomes import ALL, Known, lost_outcomes
from restore_drill.facts.physical.page_check import PageCheck

PAGE = 8192
A_PAGE = 4 * PAGE


def outcomes(folder: Path, *pages: bytes) -> Path:
    """A data directory whose first file of outcomes has these pages."""
    (folder / "pg_xact").mkdir()
    (folder / "pg_xact" / "0000").write_bytes(b"".join(each.ljust(PAGE, b"\0") for each in pages))
    return folder


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ((b"\x55", b"\x55", b"\x55"), []),
        ((b"\x55", b"", b"\x55"), ["32,768 from 32768 on are all zero"]),
        ((b"", b"\x55", b"\x55"), ["32,768 from 0 on are all zero"]),
        ((b"\x55", b"\x55", b""), []),
        ((b"\x55",), ["65,536 from 32768 on are missing"]),
    ],
    ids=["whole", "one of nothing", "the first of nothing", "the last of nothing", "cut"],
)
def test_outcomes_are_there(tmp_path: Path, pages: tuple[bytes, ...], said: list[str]) -> None:
    """Those at the end may be of one transaction that a crash has ended."""
    found = list(lost_outcomes(outcomes(tmp_path, *pages), Known(3, 3 * A_PAGE + 7)))
    whole = [each for each in said if "from 0 on" not in each]
    assert len(found) == len(whole)
    assert all(word in line for word, line in zip(whole, found, strict=True))


def test_the_first_page_counts_where_all_of_it_is_needed(tmp_path: Path) -> None:
    """From its first transaction on."""
    data = outcomes(tmp_path, b"", b"\x55")
    assert len(list(lost_outcomes(data, Known(0, 2 * A_PAGE)))) == 1


def test_numbers_begin_anew(tmp_path: Path) -> None:
    """Behind the last one comes the first again."""
    (tmp_path / "pg_xact").mkdir()
    for name in ("0FFF", "0000"):
        (tmp_path / "pg_xact" / name).write_bytes(b"\x55" * 32 * PAGE)
    known = Known(ALL - 2 * A_PAGE, ALL + 2 * A_PAGE)
    assert not list(lost_outcomes(tmp_path, known))
    (tmp_path / "pg_xact" / "0000").unlink()
    assert "are missing" in next(lost_outcomes(tmp_path, known))


@pytest.mark.parametrize(("place", "bad"), [(0x1_0000_1000, 0), (0x1_0000_1001, 1), (0, 0)])
def test_no_page_is_of_a_later_place_than_the_wal(place: int, bad: int) -> None:
    """It would be of a file that was copied when the backup was over."""
    check = PageCheck(end=0x1_0000_1000)
    page = struct.pack("<IIHHHHHH", place >> 32, place & 0xFFFFFFFF, 0, 0, 24, PAGE, PAGE, PAGE | 4)
    pages = np.frombuffer(page.ljust(PAGE, b"\0"), dtype=np.uint8).reshape(1, PAGE).copy()
    check.add(5, pages)
    assert check.bad[PLACE].count == bad and check.is_sound == (not bad)
