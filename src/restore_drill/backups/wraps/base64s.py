"""Base64, as openssl and armor write it: lines of it, with a line before and behind at most."""

from __future__ import annotations

import binascii
import io
import re
from typing import IO

from restore_drill.backups.reading import Reading
from restore_drill.backups.wraps.findings import Damaged

FRAME = re.compile(rb"-----(BEGIN|END)[^\n]*\n?")
BLANKS = re.compile(rb"\s+")


class Base64Reader(Reading):
    """The bytes behind base64; Damaged where it is none, or ends inside a group."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Read `stream`."""
        self.stream = stream
        self.rest = b""
        self.ready = memoryview(b"")

    def give(self, size: int) -> memoryview:
        """The next bytes of what was decoded."""
        while not self.ready:
            piece = self.stream.read(1 << 18)
            if not piece and not self.rest:
                break
            self.decode(piece)
        data, self.ready = self.ready[:size], self.ready[size:]
        return data

    def decode(self, piece: bytes) -> None:
        """Decode the whole groups of what is left and `piece`, all of it at the end."""
        text = self.rest + piece
        if piece and b"-----" in text:
            # A frame's line may be cut by the piece's end: keep what follows the last line end.
            cut = text.rfind(b"\n") + 1
            text, tail = text[:cut], text[cut:]
        else:
            tail = b""
        text = BLANKS.sub(b"", FRAME.sub(b"", text))
        whole = len(text) // 4 * 4 if piece else len(text)
        self.rest = text[whole:] + tail
        try:
            self.ready = memoryview(binascii.a2b_base64(text[:whole], strict_mode=True))
        except binascii.Error as error:
            raise Damaged(f"its base64 is damaged: {error}") from None
        if not piece:
            self.rest = b""


def open_base64(stream: IO[bytes]) -> IO[bytes]:
    """Bytes behind the base64 in `stream`."""
    return io.BufferedReader(Base64Reader(stream), 1 << 18)
