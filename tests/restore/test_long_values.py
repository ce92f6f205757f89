"""One value may be as long as a server takes it: a row is never held, a statement a few times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FEW = 30
"""Megabytes that reading and restoring take, whatever the length of a row."""


@pytest.mark.parametrize(
    ("kind", "megabytes", "most"),
    [
        ("copy", 90, FEW),
        ("bytea", 90, FEW),
        # A statement is one message to the server, which libpq holds twice while it grows, and
        # two of our threads have it in hand.
        ("insert", 54, 5.5 * 54),
        ("escaped", 54, 5.5 * 54),
    ],
)
def test_a_long_value_is_not_held(kind: str, megabytes: int, most: float) -> None:
    """It comes back as it was, and the memory that takes has a bound."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.long_value", kind, str(megabytes)],
        cwd=ROOT,
        env={"PYTHONPATH": "src:.", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    found = json.loads(done.stdout)
    more = found.pop("more")
    assert found.pop("way") == "split over 2 connections"
    assert found == {"rows": {"public.long": 1}, "faults": [], "errors": [], "is_back": True}
    assert more < most
