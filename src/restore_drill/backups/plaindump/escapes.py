"""The rest of a text in which a backslash escapes, by the encoding that the dump is in.

In some a byte of a longer character may be that of a backslash: it escapes nothing, by psql's rules
and the server's.
"""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.codec import codec_of

ESCAPED = re.compile(rb"[^\\']*+(?:(?:\\.|'')[^\\']*+)*+'", re.DOTALL)


def behind(leads: bytes) -> re.Pattern[bytes]:
    """The same where one of `leads` is the first byte of two."""
    longer = b"[" + leads + rb"].|[\x80-\xff]"
    plain = rb"[^\\'\x80-\xff]*+"
    return re.compile(
        plain + b"(?:(?:" + longer + rb"|\\.|'')" + plain + b")*+'",
        re.DOTALL,
    )


JAPANESE = behind(rb"\x81-\x9f\xe0-\xfc")
"""Between them are the katakana of one byte."""
OTHERS = behind(rb"\x80-\xff")
"""A character of four bytes in GB18030 may be taken for two of two: a digit comes second."""
BY_CODEC = {
    **dict.fromkeys(map(codec_of, ("SJIS", "SHIFT_JIS_2004")), JAPANESE),
    **dict.fromkeys(map(codec_of, ("BIG5", "GBK", "UHC", "GB18030", "JOHAB")), OTHERS),
}


def escaped_in(encoding: str) -> re.Pattern[bytes]:
    """The rest of such a text in `encoding`, as SET client_encoding takes it."""
    return BY_CODEC.get(codec_of(encoding), ESCAPED)
