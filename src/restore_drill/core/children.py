"""A drill in a process of its own, one of several in a run, and the signals that reach it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from restore_drill.core.interrupt import SIGNALS

RUN = "RESTORE_DRILL_RUN"
"""Variable by which a drill knows that it is one of several; it takes it out of its environment."""


@dataclass(frozen=True)
class Run:
    """What a drill knows of the run that it is a part of.

    It writes where its reports lie into the file `note`. The run drills all these `series`, and in
    the one drill that `has_redis` the backup of Redis. In one that `searches` for a good backup
    nobody else is to hear of a single drill.
    """

    note: Path
    series: tuple[str, ...] = ()
    searches: bool = False
    has_redis: bool = True

    def handed(self) -> dict[str, str]:
        """The variable that hands it to the drill."""
        plain = {
            "note": str(self.note),
            "series": self.series,
            "searches": self.searches,
            "has_redis": self.has_redis,
        }
        return {RUN: json.dumps(plain)}


def run_handed(environment: MutableMapping[str, str]) -> Run | None:
    """The run that this drill is a part of, None for a drill by itself; it is handed on no more."""
    text = environment.pop(RUN, None)
    if text is None:
        return None
    try:
        raw = json.loads(text)
        series = tuple(map(str, raw["series"]))
        return Run(Path(raw["note"]), series, bool(raw["searches"]), bool(raw["has_redis"]))
    except (ValueError, KeyError, TypeError):
        return None


@dataclass
class Signals:
    """The signals that have come; `child` gets them too, while there is one."""

    came: list[int]
    child: subprocess.Popen[bytes] | None = None

    def pass_on(self, number: int, _frame: FrameType | None) -> None:
        """Note the signal and hand it on, unless the terminal has sent it to the child as well."""
        self.came.append(number)
        if self.child is not None and not (number == signal.SIGINT and is_in_foreground()):
            with suppress(OSError):
                self.child.send_signal(number)


def is_in_foreground() -> bool:
    """Whether Ctrl-C of a terminal goes to all processes of this group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def signals_passed_on() -> Iterator[Signals]:
    """Hand signals on to the child inside: it cleans up, and this process waits for that."""
    found = Signals([])
    is_main = threading.current_thread() is threading.main_thread()
    asked = [each for each in SIGNALS if is_main and signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, found.pass_on) for each in asked}
    try:
        yield found
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def run_child(
    command: Sequence[str], run: Run, signals: Signals, environment: Mapping[str, str]
) -> int:
    """Drill by `command` as a part of `run`; its exit code, negative for a signal that ended it."""
    with subprocess.Popen(command, env={**environment, **run.handed()}) as child:
        signals.child = child
        try:
            return child.wait()
        finally:
            signals.child = None
