"""An RDB file, checked to its end before anything loads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from restore_drill.core.units import show_bytes
from restore_drill.redis.backup.header import HEAD_BYTES, Header, header_in
from restore_drill.redis.backup.kinds import RDB
from restore_drill.redis.backup.model import Fault, FileFacts, Keys
from restore_drill.redis.backup.tools import Checked, run_tool

CHECKSUM_BYTES = 8
OFFSET = re.compile(r"^\[offset (\d+)\]", re.MULTILINE)
COUNT = re.compile(r"^\[info\] (\d+) (keys read|expires|already expired|functions)$", re.MULTILINE)
TABLE = re.compile(
    r"^db\.(\d+)\.(type\.name|(?:keys|expire_keys|already_expired)\.total"
    r"|keys\.size|keys\.value_size),(.*)$",
    re.MULTILINE,
)
"""Rows of the table that Valkey's tool prints of each database, a column a type."""
TROUBLE = re.compile(
    r"(RDB CRC error|Unexpected EOF|Wrong signature|Invalid object type|Invalid databases? number"
    r"|Internal error|Unknown RDB encoding|Can't handle RDB format version)",
    re.IGNORECASE,
)  # fmt: skip
"""What a tool says is wrong, without what it adds: that may be the name of a key."""
OFF = "disabled checksum"


def check_rdb(path: Path, folder: Path) -> FileFacts:
    """What the RDB file at `path` holds, and what is wrong with it; tools run in `folder`."""
    with path.open("rb") as file:
        header = header_in(file.read(HEAD_BYTES))
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - CHECKSUM_BYTES, 0))
        tail = file.read()
    if header is None:
        return FileFacts(RDB, faults=(Fault("it does not begin as an RDB file", "damaged"),))
    facts = facts_of(header)
    checked = run_tool("check-rdb", folder, [str(path), "--stats", "--format", "csv"])
    if checked is None:
        doubt = f"no tool here reads {facts.version}: its keys were not counted before loading"
        return replace(facts, doubts=(doubt,))
    facts = counted(facts, checked)
    if faults := tuple(faults_in(checked, size)):
        return replace(facts, faults=faults)
    if header.version >= 5 and not any(tail):
        doubt = "it has no checksum (rdbchecksum no): a changed byte in it may go unnoticed"
        return replace(facts, checksum="off", doubts=(doubt,))
    return replace(facts, checksum="ok" if header.version >= 5 else "")


def facts_of(header: Header) -> FileFacts:
    """What the begin of a file says of it."""
    return FileFacts(
        RDB,
        version=f"RDB {header.version}",
        written_by=header.written_by,
        made_at=header.made_at,
        used_memory=header.used_memory,
    )


def faults_in(checked: Checked, size: int) -> Iterator[Fault]:
    """What is wrong with a file of so many bytes, by what a tool says of it."""
    offsets = [int(each) for each in OFFSET.findall(checked.output)]
    end = max(offsets, default=0)
    if checked.code != 0:
        found = TROUBLE.search(checked.output)
        if found and found[1].startswith("RDB CRC"):
            yield Fault("its checksum is wrong: it has changed since it was written", "damaged")
        elif found and found[1].startswith("Unexpected EOF"):
            where = f"byte {end:,} of {size:,}"
            yield Fault(f"it ends too early, at {where}: the rest is lost", "cut")
        else:
            what = f" ({found[1]})" if found else ""
            yield Fault(f"it cannot be read past byte {end:,} of {size:,}{what}", "damaged")
    elif end != size:
        rest = f"{show_bytes(size - end)} ({size - end:,} bytes)"
        yield Fault(
            f"{rest} follow its end at byte {end:,}: a server ignores them silently",
            "behind",
        )


def counted(facts: FileFacts, checked: Checked) -> FileFacts:
    """`facts` with the keys that a tool has counted."""
    counts = {name: int(number) for number, name in COUNT.findall(checked.output)}
    return replace(
        facts,
        keys=counts.get("keys read"),
        expires=counts.get("expires"),
        expired=counts.get("already expired"),
        functions=counts.get("functions"),
        types=types_in(checked.output),
        checked_by=checked.tool,
    )


def types_in(output: str) -> dict[int, dict[str, Keys]]:
    """Keys by database and type in the table that Valkey's tool prints; without empty ones."""
    rows: dict[int, dict[str, list[str]]] = {}
    for database, name, values in TABLE.findall(output):
        rows.setdefault(int(database), {})[name] = values.split(",")
    found: dict[int, dict[str, Keys]] = {}
    for database, row in rows.items():
        names = row.pop("type.name", [])
        numbers = {name: list(map(int, values)) for name, values in row.items()}
        for at, name in enumerate(names):
            total = numbers["keys.total"][at]
            if total:
                found.setdefault(database, {})[name] = Keys(
                    total,
                    numbers["expire_keys.total"][at],
                    numbers["already_expired.total"][at],
                    numbers["keys.size"][at] + numbers["keys.value_size"][at],
                )
    return found
