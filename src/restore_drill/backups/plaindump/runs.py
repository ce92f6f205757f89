"""Whole runs of INSERT statements as pg_dump writes them, recognised at once.

What stands outside of strings is put together, and so many bytes are looked through by each of a
few calls: 20 times as fast as token by token. What is not as plain as pg_dump's own INSERTs is not
taken, and is then read by psql's rules.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from restore_drill.backups.plaindump.statements import PLAIN, PLAIN_NAME, pattern

HEAD = pattern(
    rb"INSERT INTO " + PLAIN_NAME + rb"(?:\." + PLAIN_NAME + rb")? "
    rb"(?:\(" + PLAIN + rb'(?:"[^"]*+"' + PLAIN + rb"|(?!))*+\) )?"
    rb"(?:OVERRIDING SYSTEM VALUE )?VALUES \("
)
"""What each of the statements of a run begins with, up to the parenthesis of its first row."""
ROW = b"),\n\t("
"""Between two rows of one statement."""
ENDS = (b") ON CONFLICT DO NOTHING;\n", b");\n")
OF_SHAPE = b",dD"
"""What parts two values of a row, and begins a DEFAULT: a number, NULL, a boolean have none."""
ODD = b';"()\\$/:\n' + OF_SHAPE
NOT_ODD = bytes(byte for byte in range(256) if byte not in ODD)
"""What quotes nothing and ends nothing, and so may stand in a row outside of its strings."""
ROW_ODD = ROW.translate(None, NOT_ODD)
PAIR = b"''"
"""An empty string, or a quote in one: whether what stands around it is a string is the same."""
UNQUOTED = b"\0\0"
"""Stands for each PAIR of a text where those are many: only the quotes around strings part it."""
SAMPLE, OFTEN = 1 << 12, 64
"""Bytes at the beginning of a text by which it is told, and how many there are to a pair then."""


class Rows(NamedTuple):
    """Rows of a run: those that begin a statement, and those that go on with one; their shape."""

    statements: int
    more: int
    shape: bytes


class Piece(NamedTuple):
    """`size` bytes that hold `rows` rows; as many statements end there as `statements` says.

    Where none does, it ends behind a row of a statement that goes on. All rows have one `shape`:
    a comma between two values, and beside them letters where a value may be DEFAULT.
    """

    size: int
    rows: int
    statements: int
    shape: bytes


INCOMPLETE = Piece(0, 0, 0, b"")
"""The text ends before its first row does."""


def piece_of(text: bytes, head: bytes, *, is_rest: bool, escapes: bool) -> Piece | None:
    """The whole statements, or else the whole rows, that `text` begins with.

    Each begins with `head`; `is_rest` says that the text begins with a later row of one. With
    `escapes` a backslash escapes in each string. None where anything in them is not plain.
    """
    parts = parted(text, UNQUOTED)
    outside = b"'".join(parts[::2])
    mark = next((each for each in ENDS if each in outside), b"")
    last = outside.rfind(mark or ROW)
    if last < 0:
        return INCOMPLETE
    opening = 1 if is_rest else len(head)
    rows = rows_in(outside[opening:last], mark + head)
    if rows is None and mark:
        # What follows may be another table's.
        ended = re.compile(re.escape(mark) + b"(?!" + re.escape(head) + b")").search(outside)
        if ended and ended.start() < last:
            last = ended.start()
            rows = rows_in(outside[opening:last], mark + head)
    if rows is None:
        return None
    end = last + len(mark or ROW[:-1])  # the parenthesis that opens the next row comes next
    strings = outside.count(b"'", 0, end)
    size = end + strings + sum(map(len, parts[1 : 2 * strings : 2]))
    if b"\\" in text and not is_split_right(text[:size], outside[:end], escapes=escapes):
        return None
    return Piece(size, rows.statements + rows.more, rows.statements if mark else 0, rows.shape)


def parted(text: bytes, unquoted: bytes) -> list[bytes]:
    """Parts of `text` between its quotes; where pairs are many, `unquoted` stands for each PAIR.

    Then that takes less time than to part the text by them too.
    """
    has_many = text.count(PAIR, 0, SAMPLE) * OFTEN > min(len(text), SAMPLE)
    return (text.replace(PAIR, unquoted) if has_many else text).split(b"'")


def rows_in(outside: bytes, separator: bytes) -> Rows | None:
    """Rows in what stands outside of strings from the first row on; None where that is not plain.

    A `separator` stands between two statements. It is plain where no odd byte is left but those of
    the separators, and of each row the same as of the first: so many values, DEFAULT in one place.
    """
    if b"-" in outside and b"--" in outside:
        return None
    statements = outside.count(separator)
    odd = outside.translate(None, NOT_ODD)
    shape = odd.partition(b")")[0]
    if shape.strip(OF_SHAPE):
        return None
    of_statement = separator.translate(None, NOT_ODD) + shape
    if odd == shape + of_statement * statements:
        return Rows(statements + 1, 0, shape)
    rows = outside.count(ROW)
    left = odd.replace(of_statement, b"") if statements else odd
    is_whole = len(odd) - len(left) == statements * len(of_statement)
    if not is_whole or left != shape + (ROW_ODD + shape) * rows:
        return None
    return Rows(statements + 1, rows, shape)


def is_split_right(text: bytes, outside: bytes, *, escapes: bool) -> bool:
    """Whether no backslash in `text` escapes a quote, so that each of them begins or ends a string.

    One in an E'' string, or any string where it `escapes` in all, does so unless it has another
    one beside it.
    """
    if not (escapes or any(opening in outside for opening in (b"E'", b"e'", b"E\0", b"e\0"))):
        return True
    return b"\\" not in text.replace(b"\\\\", b"")
