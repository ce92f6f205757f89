"""Delivering: side by side, tried again with pauses, and within a limit whatever a server does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PAUSES = [1.0, 4.0]
"""Seconds before the second and the third try."""
INTERRUPTED = "not waited for: interrupted"
LIMIT = 30.0
"""Seconds that a drill's end waits for all deliveries together."""
SHORT_LIMIT = 8.0
"""The same where the drill was ended by SIGTERM: what sent that soon sends SIGKILL."""


class Undelivered(Exception):
    """Nothing was delivered; `why` holds no URL and no token. `is_final`: no use to try again."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        """Keep the reason."""
        super().__init__(why)
        self.why = why
        self.is_final = is_final


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: `done` says what was delivered, `problem` why nothing was."""

    name: str
    done: str = ""
    problem: str = ""

    @property
    def line(self) -> str:
        """`channel 1 (Slack): sent`."""
        return f"{self.name}: {self.problem or self.done}"


def deliver(tasks: Mapping[str, Callable[[], str]], seconds: float) -> list[Outcome]:
    """Do all `tasks` side by side, each with its retries, for `seconds` at most.

    A task says what it did, or raises Undelivered. Threads that do not come back are left behind:
    they are daemons, and the process may end. Ctrl-C ends the waiting, and nothing else.
    """
    until = time.monotonic() + seconds
    found: dict[str, Outcome] = {}
    threads = [
        threading.Thread(target=do, args=(name, task, until, found), daemon=True)
        for name, task in tasks.items()
    ]
    late = f"no answer within {seconds:.0f} s"
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
    except KeyboardInterrupt:
        late = INTERRUPTED
    return [found.get(name) or Outcome(name, problem=late) for name in tasks]


def do(name: str, task: Callable[[], str], until: float, found: dict[str, Outcome]) -> None:
    """Do `task`, again where it may help, and put what became of it into `found`."""
    for pause in [*PAUSES, None]:
        try:
            last, is_over = Outcome(name, done=task()), True
        except Undelivered as error:
            last, is_over = Outcome(name, problem=error.why), error.is_final
        except Exception as error:  # noqa: BLE001 - of a library; its text may hold a URL
            last, is_over = Outcome(name, problem=f"failed ({type(error).__name__})"), True
        if is_over or pause is None or time.monotonic() + pause > until:
            found[name] = last
            return
        time.sleep(pause)
