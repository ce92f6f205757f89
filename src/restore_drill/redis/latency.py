"""How long Redis takes to answer: round trips, one after another, and their percentiles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from restore_drill.core.units import show_count

ROUND_TRIPS, FEW = 1000, 20
"""Of the user's own Redis, and where they say little: one that the drill has started, `doctor`."""
SECONDS, ALL = 3.0, 30.0
"""So long are round trips made at most, to one server and to all shards of a cluster: of a far one
1,000 would take minutes."""
CURVE = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.9, 100)
"""Percentiles of the plot."""


@dataclass(frozen=True)
class Latency:
    """Latencies of `round_trips` in seconds; `curve` has those of the percentiles CURVE."""

    round_trips: int
    curve: tuple[float, ...]

    def at(self, percentile: float) -> float:
        """Latency that so many percent of the round trips do not exceed; one of CURVE."""
        return self.curve[CURVE.index(percentile)]

    @property
    def median(self) -> float:
        """Half of them are no slower."""
        return self.at(50)

    @property
    def worst(self) -> float:
        """The slowest."""
        return self.curve[-1]

    @property
    def words(self) -> str:
        """What was measured: `1,000 PINGs: 99 % within 0.3 ms, the slowest 1.2 ms`."""
        return (
            f"{show_count(self.round_trips, 'PING')}: 99 % within {show_latency(self.at(99))}, "
            f"the slowest {show_latency(self.worst)}"
        )

    def as_json(self) -> dict[str, Any]:
        """Its keys in result.json."""
        return {
            "latency_median": self.median,
            "latency_p90": self.at(90),
            "latency_p99": self.at(99),
            "latency_worst": self.worst,
            "round_trips": self.round_trips,
            "latency_curve": [list(each) for each in zip(CURVE, self.curve, strict=True)],
        }


def measure(call: Callable[[], object], most: int, servers: int = 1) -> Latency:
    """Time `call` up to `most` times, and no more once its time is over.

    All of `servers` together take ALL seconds, each SECONDS of them at most.
    """
    clock = time.perf_counter
    took: list[float] = []
    end = clock() + min(SECONDS, ALL / servers)
    while len(took) < most:
        began = clock()
        call()
        now = clock()
        took.append(now - began)
        if now > end:
            break
    return latency_of(took)


def latency_of(took: list[float]) -> Latency:
    """Percentiles of these times: each is one that was measured."""
    ranked, last = sorted(took), len(took) - 1
    return Latency(len(took), tuple(ranked[round(last * each / 100)] for each in CURVE))


def show_latency(seconds: float) -> str:
    """Latency as people read it: `0.2 ms`."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.0001 else f"{seconds * 1000:.1f} ms"
