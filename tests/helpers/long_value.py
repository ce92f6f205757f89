"""Reads and restores a dump with one value of many megabytes, and tells what memory that took.

Run as a process of its own: `python -m tests.helpers.long_value KIND MEGABYTES`.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
from restore_drill.restore.restorers import restorer_of
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from tests.helpers.shop import USUAL, quiet

HEAD = """--
-- PostgreSQL database dump
--

-- Dumped from database version 15.1
-- Dumped by pg_dump version 15.1

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

--
-- Name: long; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.long (
    id integer,
    body {type}
);

--
-- Data for Name: long; Type: TABLE DATA; Schema: public; Owner: postgres
--

"""
END = "--\n-- PostgreSQL database dump complete\n--\n"


class Way(NamedTuple):
    """How a dump writes one value: its type, a piece of it, that piece as text, what is around."""

    type: str
    piece: bytes
    written: bytes
    before: bytes
    after: bytes


COPY = (b"COPY public.long (id, body) FROM stdin;\n1\t", b"\n\\.\n\n")
TEXT = b"It's a text; of some words, -- \\ and a line.\n" * 20_000
WAYS = {
    "copy": Way(
        "text", TEXT, TEXT.replace(b"\\", b"\\\\").replace(b"\n", b"\\n"), COPY[0], COPY[1]
    ),
    "bytea": Way(
        "bytea", TEXT, TEXT.hex().encode(), COPY[0] + b"\\\\x", COPY[1]
    ),
    "insert": Way(
        "text", TEXT, TEXT.replace(b"'", b"''"), b"INSERT INTO public.long VALUES (1, '", b"');\n\n"
    ),
    "escaped": Way(
        "text",
        TEXT,
        TEXT.replace(b"\\", b"\\\\").replace(b"'", b"\\'").replace(b"\n", b"\\n"),
        b"INSERT INTO public.long VALUES (1, E'",
        b"');\n\n",
    ),
}  # fmt: skip


def dump_of(way: Way, count: int) -> Iterator[bytes]:
    """A dump whose value is `count` pieces."""
    yield HEAD.format(type=way.type).encode()
    yield way.before
    for _ in range(count):
        yield way.written
    yield way.after
    yield END.encode()


def peak() -> int:
    """The most megabytes that this process has held; those before its exec do not count."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) >> 10


def main(kind: str, megabytes: int) -> dict[str, object]:
    """Restore a value of so many megabytes: what memory that took, and whether it came back."""
    way = WAYS[kind]
    count = megabytes * 1_000_000 // len(way.written)
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(count):
        digest.update(way.piece)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.sql"
        with path.open("wb") as file:
            file.writelines(dump_of(way, count))
        backup = Backup(
            path=path,
            format="plain",
            compression="",
            size=path.stat().st_size,
            taken_at=datetime.now(UTC),
            time_source="",
        )
        before = peak()
        contents = read_contents(backup, Path(folder), quiet)
        binaries = find_binaries(USUAL, note=quiet)
        with start_embedded(binaries, note=quiet, room=backup.size) as server:
            target = server.create_database("long")
            done = restorer_of(backup).restore(target, backup, contents, 2, quiet)
            most = peak()
            with target.connect() as connection:
                found = connection.execute("SELECT md5(body) FROM public.long").fetchall()
    return {
        "way": done.way,
        "rows": contents.rows,
        "faults": contents.faults,
        "errors": [str(error) for error in done.errors],
        "is_back": found == [(digest.hexdigest(),)],
        "more": most - before,
    }


if __name__ == "__main__":
    json.dump(main(sys.argv[1], int(sys.argv[2])), sys.stdout)
