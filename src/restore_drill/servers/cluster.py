"""The prepared cluster: made by initdb once for each build, kept, and copied for each server."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
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


def copy_cluster(source: Path, target: Path) -> bool:
    """Copy the data directory `source` to `target`; False, and nothing there, if that fails."""
    # cp, unlike shutil, copies extents where it can; without -p all belongs to us.
    command = ["cp", "-R", str(source), str(target)]
    copied = subprocess.run(command, check=False, capture_output=True)
    if copied.returncode == 0 and (target / "global/pg_control").is_file():
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
            if copy_cluster(data, Path(staging) / "cluster"):
                put(Path(staging) / "cluster", prepared)
