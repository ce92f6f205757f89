"""The process that holds a kept server: it ends the server when its time is over, or when asked to.

It is started by `kept.keep` with what the drill held: the lock of the run directory, so that no
other run takes that for a dead one's, and the descriptor that keeps the server's walls up. Should
this process be killed, the next drill cleans up as after any other.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.kept_lines import READY
from restore_drill.servers.processes import PATIENCE, find_server, processes_in

EVERY = 5.0
"""Seconds between two looks at the server, which may have ended by itself."""


def hold(run: Path, until: float, is_over: threading.Event) -> None:
    """Wait until the time `until` (seconds since 1970), an order, or the end of the server."""
    while (left := until - time.time()) > 0:
        if is_over.wait(min(left, EVERY)) or find_server(run / cleanup.DATA) is None:
            return


def end(run: Path, walls: int | None) -> None:
    """End the server and remove its run directory."""
    data = run / cleanup.DATA
    if walls is not None:
        os.close(walls)
        deadline = time.monotonic() + PATIENCE
        while processes_in(data) and time.monotonic() < deadline:
            time.sleep(0.02)
        # It names a process that only they had, and is not to be looked for.
        untrusted.unlink(data / "postmaster.pid")
    cleanup.stop_and_remove(run)


def main(spec: dict[str, Any]) -> None:
    """Hold the server that `spec` describes, and end it."""
    run, is_over = Path(spec["run"]), threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: is_over.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # who started us has held them back until now
    with suppress(OSError):
        RoomWatch(run, is_over.set, in_memory=cleanup.MEMORY in run.parents)
    os.write(1, READY)
    hold(run, spec["until"], is_over)
    end(run, spec["walls"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
