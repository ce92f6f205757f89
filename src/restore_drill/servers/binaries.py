"""A complete build of PostgreSQL (server and client tools), and what it is asked."""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.extensions import why_not

FEATURES = {
    "zstd": "--with-zstd",
    "lz4": "--with-lz4",
    "icu": "--with-icu",
    "xml": "--with-libxml",
    "ssl": "--with-openssl",
}
"""What a build may have been made with, and the flag of `configure` that says so."""
Note = Callable[[str], None]


@dataclass(frozen=True)
class Binaries:
    """One complete build that runs here: `bin_dir`, `version` (major, minor), where it is from."""

    bin_dir: Path
    version: tuple[int, int]
    source: str

    @property
    def major(self) -> int:
        """Major version: 17 for 17.11."""
        return self.version[0]

    @property
    def version_text(self) -> str:
        """Version as people write it: `17.11`."""
        return f"{self.version[0]}.{self.version[1]}"

    @property
    def name(self) -> str:
        """The build in words: `PostgreSQL 17.11 (the system)`."""
        return f"PostgreSQL {self.version_text} ({self.source})"

    def tool(self, name: str) -> str:
        """Path of the tool `name` as text; CouldNotRun when this build lacks it."""
        path = self.bin_dir / name
        if not path.is_file():
            raise CouldNotRun(
                f"{self.name} has no {name}",
                checked=[str(path)],
                remedy=remedy_for("target", "no_tool"),
            )
        return str(path)

    def lacks(self, needs: frozenset[str]) -> list[str]:
        """Those of `needs` that this build does not meet, sorted.

        A need is a key of `FEATURES`, or `extension:NAME` for an extension that can be created:
        its library loads. Where it cannot, what is missing is described.
        """
        missing = []
        for need in sorted(needs):
            kind, _, extension = need.partition(":")
            if kind == "extension":
                reason = why_not(
                    self.bin_dir.parent,
                    Path(ask_pg_config(self.bin_dir, "--sharedir")),
                    Path(ask_pg_config(self.bin_dir, "--pkglibdir")),
                    extension,
                )
                missing += [reason] if reason else []
            elif FEATURES[kind] not in shlex.split(ask_pg_config(self.bin_dir, "--configure")):
                missing.append(need)
        return missing


@dataclass(frozen=True)
class Broken:
    """A build that is there and does not run, and why."""

    bin_dir: Path
    source: str
    reason: str

    def __str__(self) -> str:
        """Where it is and why it does not run."""
        return f"{self.bin_dir} ({self.source}) does not run: {self.reason}"


@functools.cache
def ask_pg_config(bin_dir: Path, option: str) -> str:
    """Answer of the build's pg_config; empty where it has none."""
    try:
        return run([str(bin_dir / "pg_config"), option]).stdout.strip()
    except OSError:
        return ""


def run(
    command: list[str], *, timeout: float = 20, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a quick command that needs no input, with more environment, and keep its output."""
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **variables},
    )
