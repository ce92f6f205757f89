"""Dumps with mistakes in their midst: every way must meet the same errors, at the same lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from restore_drill.damages.files import Edit
from tests.corpus.drift import cases
from tests.corpus.edits import to_crlf, without_statement
from tests.corpus.ways.forms import FORMS

SCRIPT = Path(__file__).with_name("mistakes.sql").read_text(encoding="utf-8")
EDITED = [
    form
    for form in FORMS
    if form.name in ("plain", "inserts", "rows of 100", "rows of 7, columns", "on conflict")
]
"""Forms that mistakes are put into."""

VALUES = rb"(?:[^\n']|'(?:[^']|'')*')*"
ONE_OF_MANY = re.compile(rb"\t\(" + VALUES + rb"\)(?=[,;]\n)[,;]?")
ALONE = re.compile(
    rb"^INSERT INTO public\.\w+ (?:\([^()]*\) )?VALUES \(" + VALUES + b";", re.MULTILINE
)
"""Rows of an INSERT of several, and of one."""


@dataclass(frozen=True)
class Mistake:
    """One mistake: what `edit` does to a dump; psql's own errors count unless the dump is cut."""

    name: str
    edit: Edit
    is_cut: bool = False


def starts(data: bytes, table: bytes) -> list[int]:
    """Where statements that fill `table` begin."""
    pattern = rb"^(?:COPY|INSERT INTO) public\." + table + rb"[ (]"
    return [found.start() for found in re.finditer(pattern, data, re.MULTILINE)]


def between(table: bytes, sql: bytes) -> Edit:
    """Put `sql` before the statement in the midst of those that fill `table`."""

    def edit(data: bytes) -> bytes:
        places = starts(data, table)
        at = places[len(places) // 2]
        return data[:at] + sql + b"\n" + data[at:]

    return edit


def behind(kind: bytes, sql: bytes) -> Edit:
    """Put `sql` before the heading of the first entry of a kind."""

    def edit(data: bytes) -> bytes:
        at = data.index(b"; Type: " + kind + b"; Schema:")
        at = data.rindex(b"--\n-- ", 0, at)
        return data[:at] + sql + b"\n" + data[at:]

    return edit


def row(table: bytes, share: float, change: Callable[[bytes], bytes]) -> Edit:
    """Change one row of `table`, the one at `share` of them, which is written on lines of its own.

    It is given to `change` with what ends it: a tab-separated line, `(...),` or a whole INSERT.
    """

    def edit(data: bytes) -> bytes:
        places = starts(data, table)
        if data.startswith(b"COPY", places[0]):
            begin = data.index(b"\n", places[0]) + 1
            end = data.index(b"\n\\.\n", begin) + 1
            rows = [(found.start() + begin, found.end() + begin)
                    for found in re.finditer(rb"[^\n]*\n", data[begin:end])]  # fmt: skip
        else:
            end = data.index(b";\n\n\n--", places[-1])
            text = data[places[0] : end + 1]
            lines = [*ONE_OF_MANY.finditer(text)] or [*ALONE.finditer(text)]
            rows = [(each.start() + places[0], each.end() + places[0]) for each in lines]
        start, stop = rows[int(share * (len(rows) - 1))]
        return data[:start] + change(data[start:stop]) + data[stop:]

    return edit


def doubled(text: bytes) -> bytes:
    """A row twice; the last of a statement ends it as before."""
    if text.startswith(b"\t("):
        return text[:-1] + b",\n" + text
    return text + b"\n" * (not text.endswith(b"\n")) + text


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """One change within a row, by regular expression."""
    return lambda text: re.sub(old, new, text, count=1)


def cut(share: float) -> Edit:
    """End at `share` of the bytes."""
    return lambda data: data[: int(len(data) * share)]


def cut_in(table: bytes, rows: float) -> Edit:
    """End within a row of `table`."""

    def edit(data: bytes) -> bytes:
        mark = b"--cut here--"
        marked = row(table, rows, lambda text: text[: len(text) // 2] + mark)(data)
        return marked[: marked.index(mark)]

    return edit


STRANGE = {name: sql.encode() for name, sql in cases("ways/strange.sql").items()} | {
    "another encoding": b"SET client_encoding = 'LATIN1';\n"
    b"INSERT INTO public.e_fifth VALUES (2, '\xe4');\nSET client_encoding = 'UTF8';",
    "a byte that is no text": b"INSERT INTO public.e_fifth VALUES (1, 'x\xff');",
}
"""Statements that pg_dump does not write among rows."""
EARLY = (
    "an update", "a division by zero", "a transaction", "a role", "no SQL", "strings of old",
    "a block that warns", "a lost column", "numbers of one sequence for two tables",
)  # fmt: skip
"""Those that are put elsewhere too."""
PAIR = rb"\d+(\t|, )\d+"
CHANGED: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "a row twice": (b"a_first", doubled),
    "a row twice, without a key": (b"e_fifth", doubled),
    "an orphan": (b"b_second", swapped(PAIR, rb"9\g<0>9")),
    "a wrong number": (b"b_second", swapped(PAIR, rb"x\g<1>1")),
    "a check": (b"a_first", swapped(rb"\d+\.\d+", b"-1")),
    "no partition": (rb"c_third\w*", swapped(rb"202\d-", b"1999-")),
    "overlapping": (b"b_second", swapped(rb"\[\d+,\d+\)", b"[15,25)")),
    "no text": (b"e_fifth", swapped(rb"e(?='|\n)", b"\xff")),
    "a column too many": (b"e_fifth", swapped(rb"(\d)(\t|, )", rb"\1\g<2>\1\2")),
}
"""What happens to single rows: table, and what becomes of one."""


def in_rows() -> Iterator[Mistake]:
    """Mistakes in the first row of a table, in its middle one and in the last."""
    for share in (0.0, 0.5, 1.0):
        for name, (table, change) in CHANGED.items():
            yield Mistake(f"{name}, at {share:.0%}", row(table, share, change))
        opened = row(b"e_fifth", share, swapped(rb"e(?='|\n)", b"e' "))
        yield Mistake(f"an open quote, at {share:.0%}", opened, is_cut=True)
        for table in (b"a_first", b"e_fifth"):
            name = f"cut in a row of {table.decode()}, at {share:.0%}"
            yield Mistake(name, cut_in(table, share), is_cut=True)


def mistakes() -> Iterator[Mistake]:
    """All mistakes."""
    for name, sql in STRANGE.items():
        yield Mistake(f"{name} among rows", between(b"e_fifth", sql))
    for name in EARLY:
        yield Mistake(f"{name} before indexes", behind(b"INDEX", STRANGE[name]))
        if name != "a role":  # that would be more errors than a restore goes on after
            yield Mistake(f"{name} before tables", behind(b"TABLE", STRANGE[name]))
    yield from in_rows()
    for share in (0.2, 0.4, 0.6, 0.8, 0.95):
        yield Mistake(f"cut at {share:.0%}", cut(share), is_cut=True)
    for kind in (b"TABLE", b"CONSTRAINT", b"FK CONSTRAINT", b"FUNCTION"):
        yield Mistake(f"without a {kind.decode()}", without_statement(kind))
    yield Mistake("twice", lambda data: data + data)
    yield Mistake("CRLF", to_crlf, is_cut=True)
    yield Mistake("its first half behind", lambda data: data + data[: len(data) // 2], is_cut=True)
    yield Mistake("all mistakes at once", several)


def several(data: bytes) -> bytes:
    """Some mistakes in one dump."""
    for table, share in ((b"a_first", 0.3), (b"b_second", 0.7)):
        data = row(table, share, doubled)(data)
    return between(b"e_fifth", b"SELECT 1/0;\n" * 5)(data)


MISTAKES = [*mistakes()]
