"""Where the time of a whole drill of a small backup goes, as a user waits for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.runs import nothing_required
from benchmarks.sources import Shape, make_source, shop_script
from benchmarks.tables import spread
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries

ROOT = Path(__file__).parent.parent
STAGES = {
    "select": "select: find the backup, read it to its end",
    "target": "target: start the server, make the database",
    "restore": "restore, ANALYZE",
    "verify": "verify: facts",
    "redis": "Redis: start the stand-in, check it",
}


def small_table(folder: Path, rounds: int, major: int | None) -> str:
    """Markdown table of a drill of a shop of 1 MB: seconds of its parts, medians of `rounds`."""
    path = make_backup(folder / "small", major)
    parts: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        began = datetime.now(UTC)
        whole = run(path, folder)
        result = json.loads((folder / "report/result.json").read_text(encoding="utf-8"))
        stages = {name: result["timings"][name] or 0.0 for name in STAGES}
        total = result["timings"]["total"]
        start = (datetime.fromisoformat(result["started_at"]) - began).total_seconds()
        parts["start: Python, pytest, plugins, collection"].append(start)
        for name, words in STAGES.items():
            parts[words].append(stages[name])
        parts["criteria, step lines"].append(total - sum(stages.values()))
        parts["end: stop the servers, reports"].append(whole - start - total)
        parts["**all, as the shell sees it**"].append(whole)
    lines = [
        f"### A whole drill ({path.stat().st_size / 1e6:.1f} MB of plain dump)",
        "",
        "| part | median s | range s |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {spread(taken)} |" for name, taken in parts.items()]
    return "\n".join([*lines, ""])


def make_backup(folder: Path, major: int | None) -> Path:
    """Plain dump of a shop of 1 MB."""
    folder.mkdir()
    binaries = find_binaries(major, note=lambda _: None)
    with start_embedded(binaries, note=lambda _: None, room=0) as server:
        return make_source(server, "small", Shape("small", shop_script(1)), folder).dumps["plain"]


def run(path: Path, folder: Path) -> float:
    """Seconds of `pytest drill/` on the backup at `path`; CalledProcessError unless it passes."""
    command = [sys.executable, "-m", "pytest", "drill/", "--quiet", f"--backup={path}"]
    command.append(f"--criteria={nothing_required(folder)}")
    report = folder / "report"
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    started = time.monotonic()
    subprocess.run(
        [*command, f"--report-dir={report}"], cwd=ROOT, env=kept, check=True, capture_output=True
    )
    return time.monotonic() - started
