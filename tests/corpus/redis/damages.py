"""What happens to files of Redis on their way: each must be red, or told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import NamedTuple

Files = dict[str, bytes]
RED, TOLD, EITHER = "red", "told", "either"
"""What must come of it: red, told beside a pass, or one of the two (a file without checksum)."""


class OfRdb(NamedTuple):
    """A damage of an RDB file."""

    what: str
    do: Callable[[bytes], bytes]
    must: str = RED


class OfAof(NamedTuple):
    """A damage of append-only files."""

    what: str
    do: Callable[[Files], Files]
    must: str = RED


def cut(share: float) -> Callable[[bytes], bytes]:
    """All but what lies behind that share of a file."""
    return lambda data: data[: int(len(data) * share)]


def flip(share: float, bit: int = 0) -> Callable[[bytes], bytes]:
    """One bit, at that share of a file."""

    def do(data: bytes) -> bytes:
        at = min(int(len(data) * share), len(data) - 1)
        return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]

    return do


def zeroed(share: float, size: int) -> Callable[[bytes], bytes]:
    """So many bytes of nothing, as a disk may give them back; the first was something."""

    def do(data: bytes) -> bytes:
        at = next(at for at in range(int(len(data) * share), len(data)) if data[at])
        return data[:at] + bytes(size) + data[at + size :]

    return do


def without(share: float, size: int) -> Callable[[bytes], bytes]:
    """So many bytes taken out."""

    def do(data: bytes) -> bytes:
        at = int(len(data) * share)
        return data[:at] + data[at + size :]

    return do


def switched_off(data: bytes) -> bytes:
    """Its checksum is that of a server with `rdbchecksum no`."""
    return data[:-8] + bytes(8)


def off_and_flipped(share: float) -> Callable[[bytes], bytes]:
    """A bit that no checksum guards."""
    return lambda data: switched_off(flip(share)(data))


OF_RDB = (
    *(
        OfRdb(f"cut at {share:.0%}", cut(share))
        for share in (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
    ),
    OfRdb("its last byte is missing", lambda data: data[:-1]),
    OfRdb("its checksum is missing", lambda data: data[:-8]),
    OfRdb("its end mark is missing too", lambda data: data[:-9]),
    *(
        OfRdb(f"bit {bit} at {share:.0%} flipped", flip(share, bit))
        for share in (0.15, 0.3, 0.45, 0.6, 0.8, 0.95)
        for bit in (0, 7)
    ),
    OfRdb("a bit of its checksum flipped", flip(1.0)),
    *(OfRdb(f"{size} bytes at 40% zeroed", zeroed(0.4, size)) for size in (1, 64, 512)),
    *(OfRdb(f"{size} bytes at 40% missing", without(0.4, size)) for size in (1, 64, 512)),
    OfRdb("16 bytes put in", lambda data: data[:600] + b"\xaa" * 16 + data[600:]),
    OfRdb("translated to CRLF", lambda data: data.replace(b"\n", b"\r\n")),
    OfRdb("read as Latin-1, written as UTF-8", lambda data: data.decode("latin-1").encode()),
    OfRdb("its first byte is missing", lambda data: data[1:]),
    OfRdb("a newer version", lambda data: data[:5] + b"0999" + data[9:]),
    OfRdb("zero bytes", lambda _: b""),
    OfRdb("nothing but zeros", lambda data: bytes(len(data))),
    OfRdb("an HTML page", lambda _: b"<html><body>503 Service Unavailable</body></html>\n"),
    OfRdb("an error of an object store", lambda _: b"<Error><Code>AccessDenied</Code></Error>"),
    OfRdb("an error message", lambda _: b"Could not connect to Redis at 127.0.0.1:6379\n"),
    OfRdb("JSON", lambda _: b'{"error": "not found"}\n'),
    OfRdb("a dump of PostgreSQL", lambda _: b"-- PostgreSQL database dump\n\nSET x = 1;\n"),
    OfRdb("a message behind its end", lambda data: data + b"sending incremental file list\n"),
    OfRdb("a newline behind its end", lambda data: data + b"\n"),
    OfRdb("two files in one", lambda data: data + data),
    OfRdb("a message before it", lambda data: b"SYNC sent to master, writing bytes\n" + data),
    OfRdb("gzip, cut", lambda data: gzip.compress(data)[:-20]),
    OfRdb("gzip, a bit flipped", lambda data: flip(0.5)(gzip.compress(data))),
    OfRdb("gzip around a cut file", lambda data: gzip.compress(cut(0.5)(data))),
    OfRdb("checksum switched off", switched_off, TOLD),
    OfRdb("checksum switched off, cut", lambda data: switched_off(data)[:-100]),
    *(
        OfRdb(
            f"checksum switched off, a bit at {share:.0%}",
            off_and_flipped(share),
            EITHER,
        )
        for share in (0.3, 0.5, 0.7, 0.9)
    ),
)


def name_like(files: Files, part: str) -> str:
    """Name of the file that has that part in its name."""
    return next(name for name in files if part in name)


def without_lines(words: bytes) -> Callable[[bytes], bytes]:
    """Takes the lines with these `words` out of a text."""
    return lambda text: b"".join(
        line for line in text.splitlines(keepends=True) if words not in line
    )


def changed(part: str, do: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    """One file changed by `do`."""

    def all_of(files: Files) -> Files:
        name = name_like(files, part)
        return files | {name: do(files[name])}

    return all_of


def lost(part: str) -> Callable[[Files], Files]:
    """One file lost."""
    return lambda files: {name: data for name, data in files.items() if part not in name}


def half_a_transaction(data: bytes) -> bytes:
    """Cut in front of the EXEC at its end."""
    return data[: data.rindex(b"*1\r\n$4\r\nEXEC")]


def only_base(files: Files) -> Files:
    """The base alone, which is what a backup of `dump.rdb` by pattern gets."""
    return {name: data for name, data in files.items() if "base" in name}


BASE, INCR, MANIFEST = ".base.", ".incr.", "manifest"
OF_AOF = (
    OfAof("its manifest is lost", lost(MANIFEST)),
    OfAof("its manifest is empty", changed(MANIFEST, lambda _: b"")),
    OfAof("its manifest is cut", changed(MANIFEST, lambda data: data[:-9])),
    OfAof(
        "its manifest names another file", changed(MANIFEST, lambda d: d.replace(b"incr", b"inct"))
    ),
    OfAof(
        "its manifest without the base",
        changed(MANIFEST, without_lines(b"type b")),
    ),
    OfAof(
        "its manifest without the commands",
        changed(MANIFEST, without_lines(b"type i")),
    ),
    OfAof("its manifest is an HTML page", changed(MANIFEST, lambda _: b"<html>403</html>\n")),
    OfAof("its base is lost", lost(BASE)),
    OfAof("its commands are lost", lost(INCR)),
    OfAof("only its base", only_base),
    OfAof("its base is empty", changed(BASE, lambda _: b"")),
    *(
        OfAof(f"its base cut at {share:.0%}", changed(BASE, cut(share)))
        for share in (0.3, 0.6, 0.99)
    ),
    *(
        OfAof(f"a bit of its base at {share:.0%}", changed(BASE, flip(share)))
        for share in (0.3, 0.6, 0.9)
    ),
    OfAof("bytes behind its base", changed(BASE, lambda data: data + b"xx")),
    *(
        OfAof(f"commands cut at {share:.1%}", changed(INCR, cut(share)), EITHER)
        for share in (0.101, 0.333, 0.501, 0.777, 0.9, 0.995)
    ),
    OfAof("commands cut in MULTI", changed(INCR, half_a_transaction)),
    OfAof("commands emptied", changed(INCR, lambda _: b""), TOLD),
    OfAof("commands zeroed at the end", changed(INCR, lambda d: d[:-64] + bytes(64))),
    OfAof(
        "a length in a command changed",
        changed(INCR, lambda d: d.replace(b"$7\r\nlater:3", b"$8\r\nlater:3", 1)),
    ),
    OfAof("a bit of a value", changed(INCR, lambda d: d.replace(b"value 3", b"value 2", 1)), TOLD),
    OfAof("commands in CRLF twice", changed(INCR, lambda d: d.replace(b"\r\n", b"\r\r\n"))),
    OfAof("commands are an HTML page", changed(INCR, lambda _: b"<html>403</html>\n")),
    OfAof(
        "a command that no server knows", changed(INCR, lambda d: d + b"*1\r\n$8\r\nNOSUCHIT\r\n")
    ),
    OfAof(
        "a file of commands that no manifest names",
        lambda files: files | {"appendonly.aof.9.incr.aof": files[name_like(files, INCR)]},
    ),
)
