"""One drill on a worker: a process of its own, in a folder of its own, with a limit.

Nothing raises here: Dask would write the job's arguments into the worker's log.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from restore_drill.core.errors import EXIT_COULD_NOT_RUN, EXIT_INTERNAL
from restore_drill.core.printable import printable
from restore_drill.core.redact import Redactor, secrets_in
from restore_drill.core.units import show_duration
from restore_drill.fleet.model import UNKNOWN, Done, Job
from restore_drill.fleet.pool.copies import Asked
from restore_drill.fleet.pool.folders import OUTPUT, REPORT, WORK, own_folder, sweep, write_files
from restore_drill.fleet.pool.leash import Leash, own_leash
from restore_drill.fleet.pool.starting import begun
from restore_drill.results.words import first_line
from restore_drill.watch.append import NOT_RECORDED

PATIENCE = 60.0
"""Seconds for a drill that was interrupted to clean up; then it is killed."""
EVERY = 0.2
"""Seconds between two looks at its limit, and at whether it is still wanted."""
TAIL = 4096
"""Bytes of what a drill said last, in which the reason is looked for where it left no result."""

log = logging.getLogger("distributed.worker")
"""The log of the worker, which is quiet in a run without a scheduler."""

Drill = Callable[[Job], Done]


class Ending(NamedTuple):
    """A drill's exit code, why it was ended, if it was, and whether that was at its own limit."""

    code: int
    why: str = ""
    is_late: bool = False


def attempt(function: Drill, job: Job) -> Done:
    """`function` of `job`, which never raises; what a worker is given to do."""
    began = time.monotonic()
    try:
        return function(job)
    except BaseException as error:  # noqa: BLE001 - see the module
        why = f"{type(error).__name__}: {error}".partition("\n")[0]
        code, seconds = EXIT_INTERNAL, time.monotonic() - began
        return Done(job.name, code, "", seconds, why=redactor_of(job)(printable(why)))


def drill(job: Job, patience: float = PATIENCE) -> Done:
    """Drill `job` here, once what dead drills have left is removed.

    At its limit, and when nobody wants it any more, it is interrupted and has `patience` seconds to
    clean up. Its result counts only as far as this very process has written it.
    """
    began, leash = time.monotonic(), own_leash()
    for line in sweep():
        log.warning("Cleaned up after an earlier run: %s", line)
    try:
        with own_folder() as (folder, lock):
            write_files(folder / WORK, job.files)
            ending = run(job, folder, lock, leash, patience)
            return done_of(job, folder, ending, time.monotonic() - began)
    except OSError as error:
        seconds = time.monotonic() - began
        why = f"the worker has no folder for the drill: {error.strerror or error}"
        return Done(job.name, EXIT_COULD_NOT_RUN, "", seconds, why=why)
    finally:
        leash.let_go()


def run(job: Job, folder: Path, lock: BinaryIO, leash: Leash, patience: float) -> Ending:
    """Run the drill's process; how it ended.

    A pipe ties it to this process: closed, or cut by our own death, it ends the drill.
    """
    own = ["--report-dir", str(folder / REPORT), "--require-backup", "-p", "no:cacheprovider"]
    until, why, is_late = time.monotonic() + (job.timeout or float("inf")), "", False
    with (folder / OUTPUT).open("wb") as output:
        asked = Asked([*job.arguments, *own], job.environment, folder, lock, output, patience)
        with begun(asked) as process:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return Ending(process.wait(EVERY), why, is_late)
                if why:
                    continue
                why = leash.why_to_end()
                if not why and time.monotonic() >= until:
                    limit = show_duration(job.timeout or 0)
                    why, is_late = f"it took longer than its limit of {limit}", True
                if why:
                    process.end()


def done_of(job: Job, folder: Path, ending: Ending, seconds: float) -> Done:
    """How the drill in `folder` ended: what it has left there.

    A result that says `passed` is none where the process did not end as one that passed does.
    """
    (code, why, is_late), result = ending, result_in(folder / REPORT)
    if result is not None and result["verdict"] == "passed" and code != 0:
        result, why = None, why or f"it wrote that it passed, and ended with exit code {code}"
    if result is not None and result["verdict"] == UNKNOWN and result.get("reasons"):
        why = why or first_line(str(result["reasons"][0]))
    if result is None and not why:
        said = last_line(folder / OUTPUT)
        why = f"it {ended_by(code)} and left no result" + (f": {said}" if said else "")
    why = "" if code == 0 and result is not None else redactor_of(job)(printable(why))
    report, junit = (read(folder / REPORT / name) for name in ("report.html", "junit.xml"))
    unrecorded = redactor_of(job)(printable(unrecorded_in(folder / OUTPUT)))
    return Done(job.name, code, "", seconds, result, report, junit, why,
                unrecorded=unrecorded, is_late=is_late)  # fmt: skip


def ended_by(code: int) -> str:
    """How a process ended, in words; 128 and a number stands for a signal."""
    with suppress(ValueError):
        return f"was ended by {signal.Signals(code - 128).name}"
    return f"ended with exit code {code}"


def result_in(report: Path) -> dict[str, Any] | None:
    """result.json in the folder `report`, None where there is none that has a verdict."""
    with suppress(ValueError):
        result = json.loads(read(report / "result.json"))
        if isinstance(result, dict) and isinstance(result.get("verdict"), str):
            return result
    return None


def read(path: Path) -> bytes:
    """Bytes of the file at `path`; none where it is not there."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def last_line(output: Path) -> str:
    """The last line that a drill has written, errors of pytest before all others."""
    text = read(output)[-TAIL:].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or [""])[-1]


def unrecorded_in(output: Path) -> str:
    """What a drill has said of its history that could not be written; empty where it could.

    That comes after its result, which tells of it no more.
    """
    for line in reversed(read(output).decode("utf-8", "replace").splitlines()):
        _, found, rest = line.partition(NOT_RECORDED)
        if found:
            return found + rest.rstrip()
    return ""


def redactor_of(job: Job) -> Redactor:
    """Masks the secrets of the job's environment."""
    urls = [value for value in job.environment.values() if "://" in value]
    return Redactor(*urls, tokens=secrets_in(job.environment))
