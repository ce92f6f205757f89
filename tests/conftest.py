"""Shared servers, dumps and the way to run a drill, for the suite's own tests."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

REQUIRE_ALL = "DRILL_REQUIRE_ALL"
"""Set by .ci/run: a skipped test fails the run there, since nothing may be missing."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a failure of a skip where all that tests need must be installed."""
    report = yield
    if report.skipped and os.environ.get(REQUIRE_ALL) and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{REQUIRE_ALL} is set and this test was skipped: {reason}"
    return report
