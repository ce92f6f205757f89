"""A dozen faults in every run of the tests; `make force` injects the others."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.helpers.drills import ROOT


def test_a_dozen_faults_lose_nothing_and_leave_nothing_unnamed() -> None:
    """Live database, application's writes, words of the drill, what is left: all as they should."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.force", "--quick", "--lanes=1"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[12/12] ok" in done.stderr
