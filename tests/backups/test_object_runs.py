"""Large objects are read in runs: the same as statement by statement, however the bytes arrive."""

from __future__ import annotations

from io import BytesIO

import pytest

from restore_drill.backups.model import Contents
from restore_drill.backups.plaindump import lines
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.events import Event, LargeObjects
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.object_reader import ObjectReader, events_of

FRAME = b"""--
-- PostgreSQL database dump
--

-- Dumped from database version 16.2
-- Dumped by pg_dump version 16.2

SET standard_conforming_strings = on;

CREATE TABLE public.t (id integer);

%b
--
-- PostgreSQL database dump complete
--
"""
HEADER = b"--\n-- %bName: %b; Type: %b; Schema: -; Owner: %b\n--\n\n"
RULES = (
    b"COMMENT ON LARGE OBJECT %d IS 'it''s -- 1; COMMIT;';\n\n",
    b'ALTER LARGE OBJECT %d OWNER TO "an ""odd; name";\n\n',
    b"GRANT ALL ON LARGE OBJECT %d TO anna WITH GRANT OPTION;\n",
    b"REVOKE ALL ON LARGE OBJECT %d FROM bert;\n",
)
PIECES = (b"", b"\\x" + b"0123456789abcdef" * 60, b"\\x")


def data(oid: int) -> bytes:
    """What pg_dump writes for the data of an object."""
    pieces = (b"SELECT pg_catalog.lowrite(0, '%b');\n" % piece for piece in PIECES if piece)
    opened = b"SELECT pg_catalog.lo_open('%d', 131072);\n" % oid
    return opened + b"".join(pieces) * (oid % 3) + b"SELECT pg_catalog.lo_close(0);\n\n"


def of_16(count: int) -> bytes:
    """Objects as pg_dump up to 16 writes them: an entry for each, one for all their data."""
    made = b"".join(
        HEADER % (b"", b"%d" % oid, b"BLOB", b"anna")
        + b"SELECT pg_catalog.lo_create('%d');\n\n\n" % oid
        + b"ALTER LARGE OBJECT %d OWNER TO anna;\n\n" % oid
        for oid in range(1, count)
    )
    frame = HEADER % (b"Data for ", b"BLOBS", b"BLOBS", b"-") + b"BEGIN;\n\n"
    rules = HEADER % (b"", b"LARGE OBJECT 2", b"ACL", b"anna")
    rules += b"".join(rule % 2 for rule in RULES)
    return made + frame + b"".join(map(data, range(1, count))) + b"COMMIT;\n\n" + rules


def of_17(count: int) -> bytes:
    """Objects as pg_dump since 17 writes them: an entry for as many as have the same owner."""
    made = HEADER % (b"", b"1..%d" % count, b"BLOB METADATA", b"anna")
    made += b"".join(b"SELECT pg_catalog.lo_create('%d');\n" % oid for oid in range(1, count))
    made += b"".join(b"ALTER LARGE OBJECT %d OWNER TO anna;\n" % oid for oid in range(1, count))
    entry = (
        HEADER % (b"Data for ", b"1..%d" % count, b"BLOBS", b"anna") + b"BEGIN;\n\n%bCOMMIT;\n\n"
    )
    parts = (entry % b"".join(map(data, range(at, at + 5))) for at in range(1, count, 5))
    return made + b"\n" + b"".join(parts)


OTHER = (
    b"BEGIN;\nINSERT INTO public.t VALUES (1);\nCOMMIT;\n",
    b"SELECT pg_catalog.lo_import('/etc/passwd');\n",
    b"SELECT pg_catalog.lowrite(0, 'x'); SELECT pg_catalog.lo_close(0);\n",
    b"SELECT pg_catalog.lo_create('1') \\! ls\n;\n",
    b"GRANT ALL ON TABLE public.t TO carl;\n",
    b"COMMENT ON LARGE OBJECT 1 IS 'a\n--\n-- Name: x; Type: TABLE; Schema: -; Owner: -\n--\n';\n",
    b"SET standard_conforming_strings = off;\nSELECT pg_catalog.lowrite(0, '\\x00');\n",
)
"""What no run takes."""
DUMPS = {
    "16": of_16(60),
    "17": of_17(60),
    "others": b"".join(of_16(7) + other for other in OTHER),
    "cut": of_16(9)[:-700],
}


def read(reader: PlainReader) -> Contents:
    """What `reader` finds."""
    found = Reader()
    found.read(reader.events())
    found.check_end()
    return found.contents()


@pytest.mark.parametrize("chunk", [70, 1000, 1 << 20])
@pytest.mark.parametrize("dump", DUMPS)
def test_runs_say_what_their_statements_say(
    dump: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events, and what is read from them, are those of the statements one by one."""
    text = FRAME % DUMPS[dump]
    one_by_one = list(PlainReader(BytesIO(text)).events())
    monkeypatch.setattr(lines, "CHUNK", chunk)
    monkeypatch.setattr("restore_drill.backups.plaindump.object_reader.SHORT", chunk)
    events: list[Event] = []
    runs = 0
    for event in ObjectReader(BytesIO(text)).events():
        runs += isinstance(event, LargeObjects)
        events += events_of(event) if isinstance(event, LargeObjects) else [event]

    assert events == one_by_one
    assert runs
    assert read(ObjectReader(BytesIO(text))) == read(PlainReader(BytesIO(text)))


def test_nearly_all_is_in_runs() -> None:
    """A dump of many objects comes as a few events."""
    for objects in (of_16, of_17):
        events = list(ObjectReader(BytesIO(FRAME % objects(3000))).events())
        assert len(events) < 30


def test_numbers_are_those_of_the_dump() -> None:
    """Objects are counted, not texts about them."""
    contents = read(ObjectReader(BytesIO(FRAME % of_16(60))))

    assert contents.large_objects == 59
    assert set(contents.roles) >= {"anna", "bert", 'an "odd; name'}
    assert len(contents.entries) == 59 + 2
    assert not contents.faults and not contents.changes
