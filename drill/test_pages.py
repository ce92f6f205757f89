"""The files of a recovered server: each page, each index entry, each row, in every database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.facts.model import Facts

if TYPE_CHECKING:
    from restore_drill.facts.physical.examination import Examination

pytestmark = [pytest.mark.verify, pytest.mark.reads_rows]


def test_every_page_is_sound(examination: Examination) -> None:
    """No page of any file has a wrong checksum, is cut off or lost, and no file is missing."""
    found = [*examination.pages.problems]
    assert not found, message(
        f"{show_count(len(found), 'file')} damaged: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_every_page_is_sound", "damaged"),
    )
    if not examination.pages.pages:
        pytest.skip("the pages of this server were not read")


def test_index_entries_lead_to_rows(examination: Examination) -> None:
    """Every entry of every B-tree index, catalogs included, leads to a row that is there."""
    found = [each.problem for each in examination.pages.dangling]
    assert not found, message(
        f"rows are lost: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_index_entries_lead_to_rows", "lost"),
    )
    if not examination.pages.pages:
        pytest.skip("the pages of this server were not read")


def test_tables_and_indexes_are_sound(examination: Examination) -> None:
    """Amcheck finds no damage in any table or index, and each row has its index entries."""
    found = examination.storage
    assert not found, message(
        f"{show_count(len(found), 'table or index', 'tables or indexes')} damaged: {found[0]}",
        checked=found[1:],
        remedy=remedy_for("test_tables_and_indexes_are_sound", "damaged"),
    )
    if not examination.examined:
        pytest.skip("amcheck could not be used on this server")


def test_every_database_can_be_read(examination: Examination, facts: Facts) -> None:
    """Every database of the server can be read, and pg_dump can list what is in it."""
    found = [*examination.closed, *filter(None, [facts.undumpable])]
    assert not found, message(
        found[0], checked=found[1:], remedy=remedy_for("test_every_database_can_be_read", "closed")
    )


def test_every_row_can_be_read(table: str, facts: Facts) -> None:
    """Every row of a table can be read to its end."""
    why = facts.unreadable.get(table, "")
    assert not why, message(
        f"{table} cannot be read: {why}",
        remedy=remedy_for("test_every_row_can_be_read", "damaged"),
    )
