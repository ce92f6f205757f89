"""What a physical backup is to be: its options, and the programs that can take it so."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass

from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import find_binaries
from restore_drill.servers.survey import candidates

TAR, PLAIN = "tar", "plain"
METHODS = re.compile(r"(?:(?P<side>server)-)?(?P<name>none|gzip|zstd|lz4)(?::(?P<level>\d{1,2}))?")
USUAL = "zstd"
"""Compression where none is asked for: gzip took five times as long, for more bytes."""
NAMED_METHODS = 15
"""First pg_basebackup, and first server, that knows compressions by name."""
RATE = re.compile(r"\d{1,7}[kM]?")
VERIFIES_TARS = 18
WALDUMP = "pg_waldump"
CHAINS = 17
"""First major with increments."""
ONLY_DUMPS = {
    "with_roles": "--with-roles is for dumps: a physical backup holds all roles",
    "encrypt_to": "--encrypt-to is for dumps: encrypt the folder once it is there, or its disk",
}


@dataclass(frozen=True)
class PhysicalForm:
    """Layout and compression of a base backup, and how it is taken.

    An empty `method` is our own choice. `checkpoint` is fast or spread, `max_rate` as
    pg_basebackup has it. With `incremental` it holds what has changed since the newest full backup;
    without `facts` nothing is read of the database.
    """

    name: str = TAR
    method: str = ""
    level: int | None = None
    on_server: bool = False
    checkpoint: str = "spread"
    max_rate: str = ""
    incremental: bool = False
    facts: bool = True
    suffix: str = ""

    @property
    def compression(self) -> str:
        """Compression of the tars; empty where there is none."""
        if self.name == PLAIN or self.method == "none":
            return ""
        return self.method or USUAL

    @property
    def text(self) -> str:
        """In words: `base backup, tar, zstd`."""
        kind = "incremental backup" if self.incremental else "base backup"
        return ", ".join(filter(None, (kind, self.name, self.compression)))

    def binaries(self, server: int, note: Callable[[str], None]) -> Binaries:
        """Build whose pg_basebackup reads a server of that major and knows the compression."""
        if self.on_server and server < NAMED_METHODS:
            raise UsageError(f"--compress server-{self.method} needs PostgreSQL 15, it is {server}")
        if self.incremental and server < CHAINS:
            raise UsageError(f"--incremental needs PostgreSQL 17, the server is of {server}")
        if self.on_server or self.compression not in ("zstd", "lz4"):
            return find_binaries(server, note=note)
        oldest = max(server, NAMED_METHODS)
        return find_binaries(oldest, needs=frozenset({self.compression}), note=note)

    def options(self, tools: Binaries) -> list[str]:
        """Options of the pg_basebackup among `tools`."""
        found = [f"--format={self.name}", f"--checkpoint={self.checkpoint}"]
        if self.max_rate:
            found.append(f"--max-rate={self.max_rate}")
        if self.name == PLAIN:
            return found
        level = "" if self.level is None else f":{self.level}"
        if tools.major < NAMED_METHODS:
            return [*found, f"--compress={(level[1:] or 6) if self.compression else 0}"]
        side = "server-" if self.on_server else "client-" if self.compression else ""
        return [*found, f"--compress={side}{self.compression or 'none'}{level}"]


def physical_form(parsed: argparse.Namespace) -> PhysicalForm:
    """What the arguments ask for; UsageError for what is not for physical backups."""
    for name, why in ONLY_DUMPS.items():
        if getattr(parsed, name):
            raise UsageError(why)
    layout = parsed.format or TAR
    if layout not in (TAR, PLAIN):
        raise UsageError(f"--format {layout} is for dumps: a physical backup is tar or plain")
    if parsed.compress is not None and layout == PLAIN:
        raise UsageError("--compress is for --format tar: a plain backup is the files as they are")
    known = METHODS.fullmatch(parsed.compress or USUAL)
    if known is None or (known["name"] == "none" and (known["level"] or known["side"])):
        raise UsageError(
            f"--compress cannot be {parsed.compress!r}; write none, gzip:6, zstd:3, lz4, or "
            "server-zstd:3 for the server to do it"
        )
    if parsed.max_rate is not None and not RATE.fullmatch(parsed.max_rate):
        raise UsageError(f"--max-rate cannot be {parsed.max_rate!r}; write 50M or 800k (a second)")
    return PhysicalForm(
        name=layout,
        method="" if parsed.compress is None else known["name"],
        level=int(known["level"]) if known["level"] else None,
        on_server=bool(known["side"]),
        checkpoint=parsed.checkpoint or "spread",
        max_rate=parsed.max_rate or "",
        incremental=parsed.incremental,
        facts=not parsed.no_facts,
    )


def verifier(form: PhysicalForm, server: int, note: Callable[[str], None]) -> Binaries:
    """Build whose pg_verifybackup reads such a backup of a server of that major."""
    if form.name == PLAIN:
        return find_binaries(server, note=note)
    needs = frozenset({form.compression} & {"zstd", "lz4"})
    return find_binaries(max(server, VERIFIES_TARS), needs=needs, note=note)


def waldump_of(server: int, note: Callable[[str], None]) -> str:
    """The pg_waldump of that very major; CouldNotRun where there is none to be had."""
    builds = [build for build in candidates() if build.major == server]
    if not any((build.bin_dir / WALDUMP).is_file() for build in builds):
        builds.append(find_binaries(server, note=note))  # it may be fetched
    for build in builds:
        if build.major == server and (build.bin_dir / WALDUMP).is_file():
            return build.tool(WALDUMP)
    raise CouldNotRun(
        f"no backup was taken: its WAL cannot be read, as no {WALDUMP} of PostgreSQL {server} is "
        "here, so that a drill could not be held to it",
        checked=[build.name for build in builds],
        remedy=remedy_for("physical_backup", "no_waldump", major=server),
    )
