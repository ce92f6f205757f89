"""Append-only files, checked to their end before anything loads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from restore_drill.redis.backup.check_rdb import check_rdb, facts_of
from restore_drill.redis.backup.header import HEAD_BYTES, header_in
from restore_drill.redis.backup.kinds import AOF
from restore_drill.redis.backup.model import Fault, FileFacts, Placed
from restore_drill.redis.backup.scripts import calls_in
from restore_drill.redis.backup.tools import run_tool

LINE = re.compile(
    r'file (?:"(?P<quoted>[^"\\]+)"|(?P<name>[^\s"]+)) seq (?P<number>\d+) type (?P<type>[bih])\b.*'
)
"""A server quotes a name with a space in it."""
UNCHECKED = (
    "append-only files have no checksum: a changed value, or a file that was emptied, "
    "goes unnoticed"
)
MULTI = re.compile(r"Reached EOF before reading EXEC", re.IGNORECASE)
UP_TO = re.compile(r"ok_up_to=(\d+)")


class Part(NamedTuple):
    """One file of an AOF: `kind` is `b` for its base, `i` for commands, `h` for one of before."""

    name: str
    number: int
    kind: str


def check_aof(placed: Placed) -> FileFacts:
    """What the append-only files hold as far as they show it, and what is wrong with them."""
    assert placed.aof is not None
    facts = FileFacts(AOF, version="AOF", doubts=(UNCHECKED,))
    if not placed.is_multi_part:
        with placed.aof.open("rb") as file:
            header = header_in(file.read(HEAD_BYTES))
        if header is not None:
            facts = replace(facts_of(header), kind=AOF, version="AOF", doubts=(UNCHECKED,))
        return with_faults(facts, list(read_through(placed.aof, placed.folder)))
    if not placed.aof.exists():
        lost = Fault("its manifest is missing: a server would start empty, with 0 keys", "manifest")
        return replace(facts, faults=(lost,))
    text = placed.aof.read_bytes().decode("utf-8", "replace")
    parts, faults = parts_in(text)
    faults += missing(parts, placed.aof.parent)
    base = next((each for each in parts if each.kind == "b"), None)
    if faults:
        return with_faults(facts, faults)
    if base is not None and base.name.endswith(".rdb"):
        inside = check_rdb(placed.aof.parent / base.name, placed.folder)
        facts = replace(
            facts,
            written_by=inside.written_by,
            made_at=inside.made_at,
            used_memory=inside.used_memory,
            checked_by=inside.checked_by,
        )
        faults += [Fault(f"{base.name}: {each.what}", each.cause) for each in inside.faults]
    for each in parts:
        if each.kind == "i" or (each is base and not each.name.endswith(".rdb")):
            faults += read_through(placed.aof.parent / each.name, placed.folder)
    return with_faults(facts, faults)


def with_faults(facts: FileFacts, faults: list[Fault]) -> FileFacts:
    """`facts`, and what is wrong."""
    return replace(facts, faults=tuple(faults))


def parts_in(text: str) -> tuple[list[Part], list[Fault]]:
    """The files that a manifest names, and what is wrong with that."""
    parts, faults = [], []
    for line in filter(None, text.split("\n")):
        if line.startswith("#"):
            continue
        found = LINE.fullmatch(line.strip())
        name = found and (found["quoted"] or found["name"])
        if not found or not name or "/" in name:
            faults.append(Fault("its manifest has a line that cannot be read", "manifest"))
            continue
        parts.append(Part(name, int(found["number"]), found["type"]))
    if not parts and not faults:
        faults.append(Fault("its manifest is empty: a server would start with 0 keys", "manifest"))
    if not text.endswith("\n") and text:
        faults.append(Fault("its manifest is cut short", "manifest"))
    bases = sum(each.kind == "b" for each in parts)
    if bases > 1:
        faults.append(Fault(f"its manifest names {bases} base files", "manifest"))
    if parts and not bases:
        faults.append(
            Fault("its manifest names no base file: the data it began with are lost", "manifest")
        )
    numbers = [each.number for each in parts if each.kind == "i"]
    if bases and not numbers:
        lost = "its manifest names no file of commands: what was written since its base is lost"
        faults.append(Fault(lost, "manifest"))
    if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        faults.append(Fault("a file of commands is missing from its manifest", "manifest"))
    return parts, faults


def missing(parts: list[Part], folder: Path) -> list[Fault]:
    """Files that are named and not there, or there and not named."""
    faults = [
        Fault(f"{each.name} is missing, although its manifest names it", "part")
        for each in parts
        if each.kind != "h" and not (folder / each.name).is_file()
    ]
    known = {each.name for each in parts}
    others = (each.name for each in folder.iterdir() if not each.name.endswith(".manifest"))
    newer = [name for name in sorted(others) if name not in known and ".incr." in name]
    faults += [
        Fault(f"{name} is not in its manifest, so a server would not read it", "manifest")
        for name in newer
    ]
    return faults


def read_through(path: Path, folder: Path) -> Iterator[Fault]:
    """What a tool finds wrong with the file of commands at `path`."""
    size = path.stat().st_size
    if not size:
        return
    if command := calls_in(path):
        yield Fault(
            f"{path.name} contains a script (EVAL) that calls {command}, which reaches other "
            "servers: it was not run",
            "script",
        )
        return
    checked = run_tool("check-aof", folder, [str(path)])
    if checked is None or checked.code == 0:
        return
    ends = [int(each) for each in UP_TO.findall(checked.output)]
    where = f"byte {ends[-1]:,} of {size:,}" if ends else "its end"
    what = "is cut inside a transaction (MULTI)" if MULTI.search(checked.output) else "breaks off"
    yield Fault(
        f"{path.name} {what}: readable up to {where}; a server would leave out the rest, "
        "or refuse to start",
        "cut_aof",
    )
