"""The ways of restoring that are compared: each restores a source into an empty database."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.apart import tell_seconds
from benchmarks.floor import restore_bare
from benchmarks.sources import Source
from restore_drill.backups.converted import Converted
from restore_drill.backups.formats import recognise
from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
from restore_drill.restore.restorers import restorer_of
from restore_drill.servers.model import Target

JOBS = 2
LARGE = 500_000_000
"""Bytes of a plain dump above which extra ways are left out."""


@dataclass(frozen=True)
class Way:
    """A way to restore, and the server it restores into.

    That is tuned for it (and `in_memory`, if the database fits) or has default settings; text
    sorts by bytes (collation C) or, as `sorts_by_locale` says, by the locale C.UTF-8. An `extra`
    way is left out for large dumps. `since` is the first major that has it.
    """

    name: str
    run: Callable[[Target, Source], None]
    is_tuned: bool = True
    in_memory: bool = True
    sorts_by_locale: bool = False
    is_extra: bool = False
    since: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether it is the drill's."""
        return self.name.startswith("restore-drill")


def run_tool(target: Target, *command: str) -> None:
    """Run a client tool on `target`; CalledProcessError where it fails."""
    tool = target.binaries.tool(command[0])
    # Not a pipeline: the exit status is that of the one stage there is.
    done = subprocess.run(
        [tool, "--no-password", *command[1:]],
        env=target.tool_environment,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[:500]!r}")


def psql(*options: str) -> Callable[[Target, Source], None]:
    """Way through psql with `options`."""

    def run(target: Target, source: Source) -> None:
        run_tool(
            target, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *options,
            f"--file={source.dumps['plain']}",
        )  # fmt: skip

    return run


def pg_restore(form: str, jobs: int = JOBS, *options: str) -> Callable[[Target, Source], None]:
    """Way through pg_restore of the archive in the format `form`, over `jobs` connections."""

    def run(target: Target, source: Source) -> None:
        run_tool(
            target, "pg_restore", f"--jobs={jobs}", "--exit-on-error", *options,
            f"--dbname={target.conninfo['dbname']}", str(source.dumps[form]),
        )  # fmt: skip

    return run


def ours(form: str, *, keep: bool = False) -> Callable[[Target, Source], None]:
    """Way of the drill, from the dump in the format `form`.

    A drill `keep`s the SQL of an archive when it reads it to its end, and restores that.
    """

    def run(target: Target, source: Source) -> None:
        path = source.dumps[form]
        backup = backup_of(path)
        with closing(Converted()) as kept:
            converted = kept if keep else None
            contents = read_contents(backup, path.parent, lambda _: None, converted=converted)
            started = time.monotonic()
            done = restorer_of(backup).restore(target, backup, contents, JOBS, lambda _: None)
            if done.errors:
                raise RuntimeError(f"{len(done.errors)} errors, the first: {done.errors[0]}")
            tell_seconds(time.monotonic() - started)

    return run


def backup_of(path: Path) -> Backup:
    """The dump at `path` as a backup."""
    form, compression, *_ = recognise(path)
    return Backup(path, form, compression, path.stat().st_size, datetime.now(UTC), "")


FIRST = "psql -f, default server"
BEST = f"pg_restore -j{JOBS}, tuned"
PIECES = f"pg_restore -j{JOBS}, 1,000 statements a transaction, tuned"
ONE_TRANSACTION = "psql -1, tuned"
OURS, OURS_ARCHIVE = "restore-drill, plain", "restore-drill, directory"
OURS_KEPT = "restore-drill, directory, as SQL"
FLOOR = "yardstick: COPY, indexes, joins"
WAYS = (
    Way(FIRST, psql(), is_tuned=False, sorts_by_locale=True),
    Way("psql -f, default settings, collation C", psql(), is_tuned=False, is_extra=True),
    Way(ONE_TRANSACTION, psql("--single-transaction"), is_extra=True),
    Way(
        f"pg_restore -j{JOBS}, default server",
        pg_restore("directory"),
        is_tuned=False,
        sorts_by_locale=True,
        is_extra=True,
    ),
    Way(BEST, pg_restore("directory")),
    Way("pg_restore, tar, tuned", pg_restore("tar", 1), is_extra=True),
    Way(OURS, ours("plain")),
    Way(
        "restore-drill, plain, on disk, C.UTF-8",
        ours("plain"),
        in_memory=False,
        sorts_by_locale=True,
        is_extra=True,
    ),
    Way(OURS_ARCHIVE, ours("directory")),
    Way("restore-drill, custom", ours("custom"), is_extra=True),
    Way("restore-drill, tar", ours("tar"), is_extra=True),
    Way(FLOOR, lambda target, source: restore_bare(target, source, JOBS)),
)
"""All share the build of PostgreSQL, its encoding, and that data have no checksums."""

TUNED = (ONE_TRANSACTION, BEST, PIECES)
SHAPE_WAYS = (
    Way(FIRST, psql(), is_tuned=False, sorts_by_locale=True),
    Way(ONE_TRANSACTION, psql("--single-transaction"), is_extra=True),
    Way(
        f"pg_restore -j{JOBS}, default server",
        pg_restore("directory"),
        is_tuned=False,
        sorts_by_locale=True,
        is_extra=True,
    ),
    Way(BEST, pg_restore("directory")),
    Way(PIECES, pg_restore("directory", JOBS, "--transaction-size=1000"), is_extra=True, since=17),
    Way(OURS, ours("plain")),
    Way(OURS_ARCHIVE, ours("directory")),
    Way(OURS_KEPT, ours("directory", keep=True), is_extra=True),
)
"""Those that are compared on other shapes than the shop."""


def ways_for(source: Source, ways: Sequence[Way]) -> list[Way]:
    """Those of `ways` to compare on `source`: all, or for a large dump those that matter most."""
    is_large = source.dumps["plain"].stat().st_size > LARGE
    return [way for way in ways if not (is_large and way.is_extra)]
