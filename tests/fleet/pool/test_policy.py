"""How long a drawn fleet takes by the rules of order and place, in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.fleet_drawn import bounds, draw_jobs, machines_of
from benchmarks.fleet_policy import makespan


@pytest.mark.parametrize("is_known", [True, False], ids=["history", "first run"])
def test_near_the_lower_bound(is_known: bool) -> None:  # noqa: FBT001
    """Within 1.15 of what no scheduler could beat, by times that are wrong or unknown in part."""
    jobs = draw_jobs(400, seed=3)
    jobs = jobs if is_known else [replace(each, seconds=None) for each in jobs]
    machines = machines_of(20)
    assert makespan(jobs, machines, 4) <= 1.15 * max(bounds(jobs, machines, 4).values())
