"""Damages to the bytes of one file: each takes the bytes, and gives those that are left."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from restore_drill.damages.files import Edit

END_MARKER = b"--\n-- PostgreSQL database dump complete\n--\n"
ENTRY = re.compile(rb"^--\n-- (?:Data for )?Name: .*; Type: (.*); Schema: .*\n--\n\n", re.MULTILINE)
ROW = rb"[^\n]*\n"


def cut_last(count: int) -> Edit:
    """Lose the last `count` bytes."""
    return lambda data: data[:-count]


def cut_behind(pattern: bytes, which: float) -> Edit:
    """End right behind the match of `pattern` that stands at the share `which` of all of them."""

    def edit(data: bytes) -> bytes:
        ends = [found.end() for found in re.finditer(pattern, data, re.MULTILINE)]
        return data[: ends[int(which * (len(ends) - 1))]]

    return edit


def zero(share: float, count: int = 512) -> Edit:
    """Put zero bytes in place of `count` bytes at `share`."""

    def edit(data: bytes) -> bytes:
        place = min(int(len(data) * share), len(data) - count)
        return data[:place] + bytes(count) + data[place + count :]

    return edit


def on_line(share: float, change: Callable[[bytes], bytes]) -> Edit:
    """Put what `change` makes of the line at `share` in its place."""

    def edit(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        place = int(len(lines) * share)
        lines[place] = change(lines[place])
        return b"".join(lines)

    return edit


def swap_blocks(share: float, count: int = 256) -> Edit:
    """Exchange two neighbouring blocks of `count` bytes."""

    def edit(data: bytes) -> bytes:
        place = int(len(data) * share)
        first, second = data[place : place + count], data[place + count : place + 2 * count]
        return data[:place] + second + first + data[place + 2 * count :]

    return edit


def rows_of(table: bytes, change: Callable[[list[bytes]], list[bytes]]) -> Edit:
    """Change the list of rows that lie in the COPY of `table`, or its INSERTs."""

    def edit(data: bytes) -> bytes:
        copy = re.search(rb"^COPY " + table + rb" .*\n", data, re.MULTILINE)
        if copy:
            end = data.index(b"\n\\.\n", copy.end() - 1) + 1
            rows = data[copy.end() : end].splitlines(keepends=True)
            return data[: copy.end()] + b"".join(change(rows)) + data[end:]
        found = list(re.finditer(rb"^INSERT INTO " + table + rb" .*\n", data, re.MULTILINE))
        rows = change([each.group() for each in found])
        return data[: found[0].start()] + b"".join(rows) + data[found[-1].end() :]

    return edit


def without_copy(table: bytes) -> Edit:
    """Lose the COPY of `table` with its rows; its heading stays."""
    pattern = re.compile(rb"^COPY " + table + rb" .*?\n\\\.\n", re.MULTILINE | re.DOTALL)
    return lambda data: pattern.sub(b"", data, count=1)


def without_statement(kind: bytes, *, heading: bool = True) -> Edit:
    """Lose the statements of the last entry of `kind`, with its heading or without."""

    def edit(data: bytes) -> bytes:
        entries = [*ENTRY.finditer(data)]
        places = [each.start() for each in entries] + [data.rindex(END_MARKER)]
        for (start, end), entry in reversed([*zip(pairwise(places), entries, strict=True)]):
            if entry.group(1) == kind:
                return data[: entry.end() if heading else start] + data[end:]
        raise LookupError(kind)

    return edit


def without_marker(data: bytes) -> bytes:
    """Lose pg_dump's end marker."""
    return data.replace(END_MARKER, b"")


def to_crlf(data: bytes) -> bytes:
    """Line ends of another system, as a transfer in text mode makes them."""
    return data.replace(b"\n", b"\r\n")


def to_utf16(data: bytes) -> bytes:
    """Text as PowerShell's redirect writes it."""
    return data.decode().encode("utf-16")


def to_latin1(data: bytes) -> bytes:
    """Text converted, but still said to be UTF-8."""
    return data.decode().encode("latin-1", "replace")


HTML = b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>\n"
STDERR = b"pg_dump: error: query failed: server closed the connection unexpectedly\n"
