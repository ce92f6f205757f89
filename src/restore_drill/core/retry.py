"""What may fail for a moment is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def tried_again(do: Callable[[], T], error: type[Exception], tries: int, pause: float) -> T:
    """What `do` gives, which is called up to `tries` times, `pause` seconds apart.

    Raises `error` where the last time does; any other exception ends it at once.
    """
    for _ in range(tries - 1):
        with suppress(error):
            return do()
        time.sleep(pause)
    return do()
