"""The programs that read a physical backup beside us: run to their end, with a limit."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration

LOOK = 0.5
"""Seconds between two looks at a program that runs."""
QUICK = 60.0
"""Seconds that may pass until a program says what lies there."""
LONG = 24 * 3600.0
"""Seconds for one that reads all of a backup: the drill's own limits come first."""


def no_news(_: float) -> None:
    """Nobody hears of it."""


class Done(NamedTuple):
    """How a program ended, and what it printed."""

    code: int
    output: str

    @property
    def lines(self) -> list[str]:
        """Its lines in which nothing stands that is no text: a file's bytes may be quoted there."""
        return [line.strip() for line in self.output.splitlines() if is_text(line) and line.strip()]


def is_text(line: str) -> bool:
    """Whether `line` holds nothing but characters that can be shown."""
    return "\N{REPLACEMENT CHARACTER}" not in line and printable(line) == line


def run_program(
    command: Sequence[str],
    *,
    limit: float = QUICK,
    waiting: Callable[[float], None] = no_news,
    started: Callable[[int], None] = no_news,
    cwd: Path | None = None,
) -> Done:
    """Run `command`; `waiting` hears of the seconds that pass, `started` of its number.

    It ends with us, and so do its children. CouldNotRun where it cannot be started, or lasts longer
    than its `limit` in seconds.
    """
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise failed(command, f"cannot be started: {error.strerror}") from None
    with process:
        started(process.pid)
        try:
            output = output_of(process, began, limit, waiting)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    if output is None:
        raise failed(command, f"did not end within {show_duration(limit)} and was ended")
    return Done(process.returncode, output.decode(errors="replace"))


def failed(command: Sequence[str], how: str) -> CouldNotRun:
    """The error that a program failed, and `how`."""
    return CouldNotRun(
        f"{Path(command[0]).name} {how}",
        checked=[str(command[0])],
        remedy=remedy_for("physical", "program"),
    )


def output_of(
    process: subprocess.Popen[bytes], began: float, limit: float, waiting: Callable[[float], None]
) -> bytes | None:
    """All that `process` prints; None where it had to be ended."""
    while True:
        try:
            return process.communicate(timeout=LOOK)[0]
        except subprocess.TimeoutExpired:
            passed = time.monotonic() - began
            waiting(passed)
            if passed > limit:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return None
