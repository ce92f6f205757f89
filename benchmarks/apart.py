"""Work in a process of its own: its time, and the memory that it took."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable

told: list[float] = []


def tell_seconds(seconds: float) -> None:
    """Let work tell its own time, where not all that it does is restoring."""
    told.append(seconds)


def measure(name: str, work: Callable[[], None]) -> tuple[float, int]:
    """Seconds and peak bytes of memory of `work`, in a process of its own.

    RuntimeError with its `name` where it fails.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            started = time.monotonic()
            work()
            seconds = told[0] if told else time.monotonic() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            tools = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            os.write(writer, f"{seconds} {max(peak, tools) * 1024}".encode())
            code = 0
        except Exception as error:  # noqa: BLE001  # told to the parent by the exit status
            os.write(2, f"{name}: {error}\n".encode())
        os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as answer:
        words = answer.read().split()
    _, status = os.waitpid(child, 0)
    if status or len(words) != 2:
        raise RuntimeError(f"{name} failed (status {status})")
    return float(words[0]), int(words[1])
