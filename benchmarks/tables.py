"""What the tables of the benchmark have in common."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def spread(seconds: Sequence[float]) -> str:
    """Two cells of a Markdown table: the median of `seconds`, and their range."""
    return f"{statistics.median(seconds):.2f} | {min(seconds):.2f}-{max(seconds):.2f}"


def ratio(base: Sequence[float], runs: Sequence[float]) -> str:
    """How many times as fast `runs` are as `base` in the same rounds: median and range."""
    ratios = [one / own for one, own in zip(base, runs, strict=True)]
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f})"


def in_ms(seconds: Sequence[float]) -> str:
    """Median and 95th percentile of `seconds`."""
    high = sorted(seconds)[len(seconds) * 95 // 100]
    return f"{1000 * statistics.median(seconds):.0f} ms (median; 95%: {1000 * high:.0f} ms)"
