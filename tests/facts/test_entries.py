"""The objects that pg_dump lists again, beside those of the backup."""

from __future__ import annotations

from io import BytesIO

from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.facts.entries import entries_in, lost_entries, missing, schema_dump
from tests.helpers.shop import USUAL, Shops

TABLE = """
--
-- Name: {comment}; Type: TABLE; Schema: public; Owner: me
--

CREATE TABLE public."{name}" (
    id integer
);
"""
OF_TWO_LINES = TABLE.format(comment="new line", name="new\nline")
WITH_A_BLANK = TABLE.format(comment="new line", name="new line")
BOTH = (OF_TWO_LINES + WITH_A_BLANK).encode()


def lost(restored: str) -> list[str]:
    """Names of the tables of BOTH that the dump `restored` lacks."""
    reader = Reader()
    reader.read(PlainReader(BytesIO(BOTH)).events())
    return [
        each.name for each in missing(reader.contents(), entries_in(BytesIO(restored.encode())))
    ]


def test_a_newline_in_a_name_is_no_blank() -> None:
    """A comment has a blank for it: the statement below tells two such tables apart."""
    assert lost(OF_TWO_LINES + WITH_A_BLANK) == []
    assert lost(WITH_A_BLANK) == ["new\nline"]
    assert lost(OF_TWO_LINES) == ["new line"]


def test_a_list_that_pg_dump_does_not_end_counts_for_nothing(shops: Shops) -> None:
    """A pg_dump that fails says why, and names no table; one that ends well names what is lost."""
    reader = Reader()
    reader.read(PlainReader(BytesIO(BOTH)).events())
    target = shops.database(USUAL, "listed")
    with schema_dump(target) as dump:
        whole, why_not = lost_entries(reader.contents(), dump)
    assert sorted(each.name for each in whole) == ["new\nline", "new line"]
    assert why_not == ""

    with schema_dump(target, "--table=none") as dump:
        failed = lost_entries(reader.contents(), dump)
    assert failed == ((), "pg_dump: error: no matching tables were found")
