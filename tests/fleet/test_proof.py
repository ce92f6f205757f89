"""A machine of a fleet is lost in the middle of a run; `make force ARGS=--fleet` does much more."""

from __future__ import annotations

import pytest

from tests.force.fleet.databases import some_databases
from tests.force.fleet.injections import QUICK
from tests.force.fleet.network import why_no_network
from tests.force.fleet.run import run_one
from tests.force.fleet.world import new_world


def test_every_database_has_its_one_verdict_whatever_dies() -> None:
    """On two machines, from a bucket; nothing is left there, and nothing of the bucket changed."""
    if why := why_no_network():
        pytest.skip(why)
    with new_world(some_databases()) as world:
        result = run_one(world, QUICK, number=1, seed=11)
    assert not result.faults and result.moment >= 0, f"{result.faults}\n{result.output}"
