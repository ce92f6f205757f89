"""A criterion's `os._exit(0)` is no pass: it would end the process without a verdict, with 0."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import NoReturn


class OwnExit(SystemExit):
    """A criterion has called `os._exit(0)`."""


def guard_exit() -> Callable[[], None]:
    """Let `os._exit(0)` of this process be no success; gives the function that ends the guard.

    It raises OwnExit, which pytest reports as the criterion's failure. That of another thread ends
    the drill as SIGTERM does. Other codes, which no one takes for a pass, and child processes, are
    left alone.
    """
    process, real = os.getpid(), os._exit

    def guarded(status: int) -> NoReturn:
        if status or os.getpid() != process:
            real(status)
        if threading.current_thread() is not threading.main_thread():
            os.kill(process, signal.SIGTERM)
        raise OwnExit("os._exit(0) would end the drill without a verdict")

    def end() -> None:
        os._exit = real

    os._exit = guarded
    return end
