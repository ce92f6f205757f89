"""pg_dump under an exported snapshot: its options, the build that fits, and its run."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_lines import safe_lines
from restore_drill.core.units import show_bytes
from restore_drill.manifest.dump_causes import dump_remedy
from restore_drill.selection.candidate import size_of
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target

FORMATS = {"custom": ".dump", "directory": ".dir", "plain": ".sql"}
"""Formats of a backup, and the suffix of its name."""
SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "lz4": ".lz4"}
METHODS = re.compile(r"(none|gzip|zstd|lz4)(?::(\d{1,2}))?")
NAMED_METHODS = 16
"""First pg_dump that knows compressions by name: those before it know gzip alone."""
LOCK_WAIT = "30s"


@dataclass(frozen=True)
class Form:
    """Format and compression of a backup; an empty `method` is pg_dump's own choice."""

    name: str
    method: str = ""
    level: int | None = None

    @property
    def suffix(self) -> str:
        """Suffix of the backup's name: `.dump`, `.sql.gz`."""
        return FORMATS[self.name] + (SUFFIXES.get(self.method, "") if self.name == "plain" else "")

    @property
    def text(self) -> str:
        """`custom`, or with its compression: `plain, gzip`."""
        return ", ".join(filter(None, (self.name, self.method)))

    def binaries(self, server: int, note: Callable[[str], None]) -> Binaries:
        """Build whose pg_dump reads a server of that major and knows the compression."""
        if self.method not in ("zstd", "lz4"):
            return find_binaries(server, note=note)
        return find_binaries(max(server, NAMED_METHODS), needs=frozenset({self.method}), note=note)

    def options(self, tools: Binaries, jobs: int) -> list[str]:
        """Options of the pg_dump among `tools`."""
        found = [f"--format={self.name}"]
        if self.name == "directory":
            found.append(f"--jobs={jobs}")
        if not self.method:
            return found
        level = "" if self.level is None else str(self.level)
        if tools.major >= NAMED_METHODS:
            return [*found, f"--compress={self.method}" + (f":{level}" if level else "")]
        return [*found, f"--compress={0 if self.method == 'none' else level or 6}"]


def form_of(name: str, compress: str | None) -> Form:
    """Form of `--format` and `--compress`; ValueError where the latter is no compression."""
    if compress is None:
        return Form(name)
    known = METHODS.fullmatch(compress)
    if known is None or (known[1] == "none" and known[2]):
        raise ValueError(f"cannot be {compress!r}; write none, gzip:6, zstd:3 or lz4")
    return Form(name, known[1], int(known[2]) if known[2] else None)


@dataclass
class Dump:
    """A running pg_dump that writes to `path`, else to a pipe; `errors` takes what it says."""

    process: subprocess.Popen[bytes]
    path: Path | None
    errors: IO[bytes]

    def progress(self) -> str:
        """How far it is."""
        size = size_of(self.path) if self.path and self.path.exists() else 0
        return f"pg_dump has written {show_bytes(size)}"

    @property
    def output(self) -> IO[bytes]:
        """What it writes, where that is a pipe."""
        assert self.process.stdout is not None
        return self.process.stdout

    def stop(self) -> None:
        """End it, where it still runs."""
        self.process.terminate()

    def finish(self, source: str) -> list[str]:
        """Its warnings, once it has ended; CouldNotRun where it has not ended well."""
        code = self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode("utf-8", "replace").splitlines()
        warnings = safe_lines(lines)
        if code:
            said = warnings[-5:] or [f"it ended with exit code {code} and no message"]
            checked = said if code > 0 else [*said, f"it was ended by signal {-code}"]
            raise CouldNotRun(
                f"no backup was written: pg_dump failed on {source}",
                checked=checked,
                remedy=dump_remedy(checked),
            )
        return warnings


def of_snapshot(snapshot: str) -> list[str]:
    """Options of a pg_dump of the exported `snapshot` that waits for no lock for ever."""
    return [f"--snapshot={snapshot}", f"--lock-wait-timeout={LOCK_WAIT}"]


@contextmanager
def dumping(
    target: Target, form: Form, path: Path | None, *, snapshot: str, jobs: int
) -> Iterator[Dump]:
    """pg_dump of `target` as of the exported `snapshot`, ended when this is left.

    It writes to `path`, without one to a pipe.
    """
    tools = target.binaries
    command = [
        tools.tool("pg_dump"),
        "--no-password",
        *of_snapshot(snapshot),
        *([f"--file={path}"] if path else []),
        *form.options(tools, jobs),
    ]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            env=target.tool_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if path else subprocess.PIPE,
            stderr=errors,
            bufsize=0,
        )
        try:
            yield Dump(process, path, errors)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stdout:
                process.stdout.close()
