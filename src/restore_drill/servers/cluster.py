"""The prepared cluster: made by initdb once for each build, kept, and copied for each server."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cache import UNFINISHED, cache_dir, put, remove_unfinished

LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
CLUSTER_AGE = 30 * 86400
"""Seconds for which a prepared cluster is kept unused."""


def more_initdb_options(binaries: Binaries) -> list[str]:
    """Options of initdb beside those that the executor gives."""
    options = ["--encoding=UTF8", f"--locale={LOCALE}", "--no-sync", "--no-instructions"]
    return [*options, "--no-data-checksums"] if binaries.major >= 18 else options


def prepared_cluster(binaries: Binaries) -> Path:
    """Where the prepared cluster of this very build, with these options and locales, lies."""
    server = Path(binaries.tool("postgres")).stat()
    facts: list[object] = [binaries.bin_dir, server.st_size, server.st_mtime_ns]
    facts += more_initdb_options(binaries)
    for name in ("", "locale-archive"):
        with suppress(OSError):
            facts.append((Path("/usr/lib/locale") / name).stat().st_mtime_ns)
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
    return cache_dir() / "cluster" / f"{binaries.version_text}-{key}"


@contextmanager
def copying(*sources: Path, to: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Copy `sources` into or to `to` beside what is done meanwhile; the process that does."""
    # cp, unlike shutil, copies extents where it can; without -p all belongs to us.
    command = ["cp", "-R", *map(str, sources), str(to)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            yield process
            process.wait()
        except BaseException:
            process.kill()
            raise


def is_whole_copy(process: subprocess.Popen[bytes], source: Path, target: Path) -> bool:
    """Whether `process` has copied the cluster `source` to `target`, where else nothing is left."""
    if process.returncode == 0 and (target / "global/pg_control").is_file():
        with suppress(OSError):
            os.utime(source)
        return True
    shutil.rmtree(target, ignore_errors=True)
    return False


def keep_cluster(data: Path, prepared: Path) -> None:
    """Keep a copy of the fresh cluster `data` as `prepared`, where the cache can be written."""
    home = prepared.parent
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        remove_unfinished(home)
        for path in home.iterdir():
            if time.time() - path.stat().st_mtime > CLUSTER_AGE:
                shutil.rmtree(path, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=home) as staging:
            copy = Path(staging) / "cluster"
            with copying(data, to=copy) as process:
                pass
            if is_whole_copy(process, data, copy):
                put(copy, prepared)
