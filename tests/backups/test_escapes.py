"""Where a text ends in encodings whose longer characters may end with the byte of a backslash."""

from __future__ import annotations

import io

import pytest

from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.events import Cut, Event, Inserts, MetaCommand, Statement
from restore_drill.backups.plaindump.lexer import PlainReader

TEXTS = {
    "SJIS": "表ソ能十ｱｿ",
    "SHIFT_JIS_2004": "表ソ能十",
    "BIG5": "功許蓋",
    "GBK": "誠乗俓",
    "GB18030": "誠乗俓㐀",
    "UHC": "각똠",
}
"""Among them one of a byte each in SJIS, and one of four in GB18030."""


def events_of(dump: bytes, *, in_runs: bool) -> list[Event]:
    """All events of a dump."""
    return list(PlainReader(io.BytesIO(dump), in_runs=in_runs).events())


@pytest.mark.parametrize("in_runs", [False, True], ids=["singly", "in runs"])
@pytest.mark.parametrize("encoding", TEXTS)
def test_byte_of_a_longer_character_escapes_nothing(encoding: str, in_runs: bool) -> None:  # noqa: FBT001
    """Nor does it where a backslash escapes in each text, or in E'' texts alone."""
    codec = {"SJIS": "cp932"}.get(encoding, encoding)
    inserts = [f"INSERT INTO public.t VALUES ('{each}');" for each in TEXTS[encoding]]
    inserts += [f"INSERT INTO public.t VALUES ('a\\\\{each}''\\\\');" for each in TEXTS[encoding]]
    opening = f"SET client_encoding = '{encoding}';\nSET standard_conforming_strings = off;\n"
    old = (opening + "\n".join(inserts) + "\n").encode(codec)
    new = old.replace(b"strings = off", b"strings = on").replace(b"('", b"(E'")
    for dump in (old, new):
        found = events_of(dump, in_runs=in_runs)
        assert not [each for each in found if isinstance(each, Cut | MetaCommand)]
        count = sum(isinstance(each, Statement) for each in found[2:])
        count += sum(each.statements for each in found if isinstance(each, Inserts))
        assert count == len(inserts)
        reader = Reader()
        reader.read(found)
        assert reader.contents().rows == {"public.t": len(inserts)}


@pytest.mark.parametrize("behind", ["SET client_encoding = 'UTF8'", "RESET ALL", "DISCARD ALL"])
def test_encoding_is_followed(behind: str) -> None:
    """A backslash behind a byte of another encoding escapes again."""
    dump = b"SET NAMES SJIS;\n%b;\nSELECT E'\x95\\';';\n" % behind.encode()

    assert events_of(dump, in_runs=False)[-1] == Statement(3, b"SELECT E'\x95\\';';")


def test_meta_command_shows_no_words_that_may_be_of_a_row() -> None:
    """Where quotes are not as they were, rows look like them."""
    reader = Reader()
    reader.read(events_of(b"SELECT 1 \\secret word\n;\n\\! id\n", in_runs=False))

    assert "secret" not in reader.faults[0] and "psql meta-command" in reader.faults[0]
    assert "psql meta-command '\\\\!'" in reader.faults[1]


def test_end_of_rows_where_none_are_is_damage() -> None:
    """Not an attack; and it is noted once."""
    reader = Reader()
    reader.read(events_of(b"SELECT 1;\n\\.\n\\.\nSELECT 2;\n", in_runs=False))

    assert reader.faults == ["line 2: an end of rows (\\.) where none are"]
