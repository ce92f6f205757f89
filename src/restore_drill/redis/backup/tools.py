"""The servers that are here, and their tools that check files: `redis-check-rdb` and its like."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from restore_drill.redis.embedded import candidates, version_text

NEWER = ("Can't handle RDB format version", "Wrong signature trying to load")
"""What a tool says of a version that it does not know, the second of a file of Valkey."""
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class Binary(NamedTuple):
    """A server of this machine: `family` is Redis or Valkey."""

    path: str
    family: str
    version: tuple[int, ...]

    @property
    def words(self) -> str:
        """`Valkey 9.1.2`."""
        return f"{self.family} {'.'.join(map(str, self.version))}"


@functools.cache
def binaries() -> tuple[Binary, ...]:
    """Servers that run on this machine, the newest first of each family, Redis before Valkey."""
    found = []
    for path in candidates():
        text = version_text(path) or ""
        if number := VERSION.search(text):
            family = "Valkey" if "valkey" in text.lower() else "Redis"
            found.append(Binary(path, family, tuple(map(int, number.groups()))))
    found.sort(key=lambda each: (each.family != "Redis", [-part for part in each.version]))
    return tuple(found)


def in_order(written_by: str) -> list[Binary]:
    """Servers to try for a file that `written_by` wrote: the same family, and release, first."""
    family, _, text = written_by.partition(" ")
    number = VERSION.search(text)
    release = tuple(map(int, number.groups()))[:2] if number else ()
    return sorted(binaries(), key=lambda each: (each.family != family, each.version[:2] < release))


@dataclass(frozen=True)
class Checked:
    """What a tool said of a file: its exit status, and its output."""

    code: int
    output: str
    tool: str


def checkers() -> list[Binary]:
    """Servers whose tools check files, in the order in which they are asked.

    Those of Valkey come first, which count by database and type; what they cannot read may be known
    to a newer Redis.
    """
    return sorted(binaries(), key=lambda each: (each.family != "Valkey", each.version))


@functools.cache
def reads(binary: Binary, magic: bytes) -> bool:
    """Whether `binary` knows RDB files that begin with `magic`: it is shown an empty one."""
    with tempfile.TemporaryDirectory(prefix="restore-drill-") as name:
        path = Path(name, "empty.rdb")
        path.write_bytes(magic + b"\xff" + bytes(8))
        done = called(binary, "check-rdb", Path(name), [str(path)])
    return done.code == 0


def called(binary: Binary, name: str, folder: Path, arguments: Sequence[str]) -> Checked:
    """Run the tool `name` of `binary`, which is that by the name of a link in `folder`."""
    linked = folder / f"{binary.family.lower()}-{name}"
    if not linked.is_symlink():
        linked.symlink_to(shutil.which(binary.path) or binary.path)
    done = subprocess.run(
        [str(linked), *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Checked(done.returncode, done.stdout.decode("utf-8", "replace"), binary.words)


def run_tool(name: str, folder: Path, arguments: Sequence[str]) -> Checked | None:
    """Run `check-rdb` or `check-aof` in `folder`; None where no such tool is here.

    Only Valkey's takes more than the first of the `arguments`.
    """
    for each in checkers():
        options = arguments if each.family == "Valkey" else arguments[:1]
        found = called(each, name, folder, options)
        if not any(each in found.output for each in NEWER):
            return found
    return None
