"""One run of a way or of a whole drill: its time, and the memory of client and server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.apart import measure
from benchmarks.sources import Source, count_rows
from benchmarks.ways import JOBS, Way
from restore_drill.restore.statistics import analyze
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries

ROOT = Path(__file__).parent.parent
STAGES = ("select", "target", "restore", "verify")


class Sample(NamedTuple):
    """Seconds of a run and of ANALYZE after it; peak bytes of the client's and server's memory."""

    seconds: float
    analyze: float
    client: int
    server: int


class Drilled(NamedTuple):
    """Seconds of a whole drill, peak bytes of all its processes but the server's, its stages."""

    seconds: float
    client: int
    stages: dict[str, float]


def run_once(way: Way, source: Source, major: int | None) -> Sample:
    """One run on a fresh server; RuntimeError unless all rows are there."""
    binaries = find_binaries(major, note=lambda _: None)
    room = source.dumps["plain"].stat().st_size if way.in_memory else None
    with start_embedded(
        binaries, note=lambda _: None, room=room, production_settings=not way.is_tuned
    ) as server:
        server.sorts_by_locale = way.sorts_by_locale
        target = server.create_database("restored")
        with watched(server) as peak:
            seconds, client = measure(way.name, lambda: way.run(target, source))
        rows = count_rows(target)
        began = time.monotonic()
        analyze(target, JOBS, in_full=not way.is_ours)
        analyzed = time.monotonic() - began
    if rows != source.rows:
        raise RuntimeError(f"{way.name}: rows differ: {rows} instead of {source.rows}")
    return Sample(seconds, analyzed, client, peak[0])


@contextmanager
def watched(server: EmbeddedServer) -> Iterator[list[int]]:
    """Give a list with the most bytes that the processes of `server` had of their own at once."""
    peak, over = [0], threading.Event()
    place = str(server.run.path)
    found = [
        each
        for each in psutil.process_iter(["name", "cmdline"])
        if each.info["name"] == "postgres" and place in " ".join(each.info["cmdline"] or ())
    ]
    if not found:
        raise RuntimeError(f"no process of the server in {place} is to be seen")

    def look() -> None:
        while not over.wait(0.2):
            peak[0] = max(peak[0], sum(own_memory(each) for each in family(found)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def family(parents: list[psutil.Process]) -> set[psutil.Process]:
    """The `parents` that live, and their children."""
    everyone = set(parents)
    for each in parents:
        try:
            everyone |= set(each.children(recursive=True))
        except psutil.Error:
            continue
    return everyone


def own_memory(process: psutil.Process) -> int:
    """Bytes that are of `process` alone: shared buffers are counted nowhere."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def drill(folder: Path, backup: str, environment: dict[str, str]) -> Drilled:
    """A whole drill but Redis, its budgets wide; RuntimeError with its output unless it passes."""
    command = [
        sys.executable, "-m", "pytest", "drill/", "--quiet", "-k", "not redis",
        f"--criteria={nothing_required(folder)}",
        f"--backup={backup}", f"--report-dir={folder}/report", "--max-restore-time=1h",
        "--max-verify-time=1h", "--max-total-time=1h",
    ]  # fmt: skip
    seconds, peak = measured(command, environment | {"XDG_STATE_HOME": f"{folder}/state"})
    result = json.loads((folder / "report/result.json").read_text(encoding="utf-8"))
    return Drilled(seconds, peak, {name: result["timings"][name] or 0.0 for name in STAGES})


def nothing_required(folder: Path) -> Path:
    """A criteria file without criteria in `folder`: those of a user are of another database."""
    path = folder / "criteria.toml"
    path.touch()
    return path


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Seconds of `command`, and the most memory that it and its children had, but the server."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    began, peak = time.monotonic(), 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=kept | environment, stdout=output, stderr=output
        )
        while process.poll() is None:
            peak = max(peak, memory_of(process.pid))
            time.sleep(0.05)
        seconds = time.monotonic() - began
        if process.returncode:
            output.seek(0)
            raise RuntimeError(output.read().decode("utf-8", "replace"))
    return seconds, peak


def memory_of(pid: int) -> int:
    """Bytes that a process and its children have, without those of PostgreSQL's server."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for each in (parent, *parent.children(recursive=True)):
            total += 0 if each.name() == "postgres" else each.memory_info().rss
    except psutil.Error:
        pass  # one of them has just ended
    return total
