"""Scripts in append-only files, and which commands they call that are not run here.

Releases before 7.0 may write a script (EVAL) there instead of what it did. Where one gives back the
error of a command that does not exist, Redis 7.0.15 crashed as it loaded the file (signal 11).
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from restore_drill.redis.backup.configuration import NEVER

SCRIPT = re.compile(rb"\r\n(EVAL(?:_RO)?)\r\n\$(\d{1,9})\r\n", re.IGNORECASE)
"""What stands in front of a script, and the number of its bytes."""
CALLED = re.compile(rb"""call\s*\(\s*['"](%s)['"]""" % "|".join(NEVER).encode(), re.IGNORECASE)
COUNT = re.compile(rb"\*(\d{1,9})\r\n")
SIZE = re.compile(rb"\$(\d{1,9})\r\n")
ANNOTATION = b"#"


def calls_in(path: Path) -> str:
    """A command that a script in the file of commands at `path` calls, and that is not run here.

    Empty where there is none; the file is not.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return next(called_in(data), "")
    finally:
        data.close()


def called_in(data: mmap.mmap) -> Iterator[str]:
    """Those commands, of each script that calls one."""
    scripts = [(each.start(1), each.end(), int(each[2])) for each in SCRIPT.finditer(data)]
    found = {}
    for name, start, size in scripts:
        if called := CALLED.search(data[start : start + size]):
            found[name] = called[1].decode().upper()
    if found and data[:1] in (b"*", ANNOTATION):  # else an RDB file is in front of the commands
        names = set(names_in(data))
        found = {name: command for name, command in found.items() if name in names}
    yield from found.values()


def names_in(data: mmap.mmap) -> Iterator[int]:
    """Where the name of each command begins: a value may hold what looks like one."""
    at = 0
    while at < len(data):
        if data[at : at + 1] == ANNOTATION:
            at = data.find(b"\n", at) + 1
            if not at:
                return
            continue
        count = COUNT.match(data, at)
        if count is None:
            return
        at = count.end()
        for number in range(int(count[1])):
            size = SIZE.match(data, at)
            if size is None:
                return
            if not number:
                yield size.end()
            at = size.end() + int(size[1]) + 2
