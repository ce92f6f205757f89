"""The order in which files of tests are given to the workers."""

from __future__ import annotations

import pytest

LONGEST = (
    "damages/test_corpus.py",
    "force/test_force.py",
    "drill/test_healthy.py",
    "drill/test_interrupts.py",
    "facts/test_facts.py",
    "drift/test_drift.py",
    "drill/test_field_reports.py",
    "drill/test_cluster.py",
    "config/test_own_ini.py",
    "drill/test_streams.py",
    "live/test_promote.py",
    "live/test_swap.py",
    "live/test_rollback.py",
    "restore/test_missing_statements.py",
    "manifest/test_rewritten.py",
    "restore/test_split.py",
    "live/test_safety.py",
    "house/test_package.py",
    "live/test_way_back.py",
    "drill/test_damaged_plain.py",
    "drill/test_usage_errors.py",
    "results/test_report.py",
    "results/test_verdicts.py",
    "live/test_beside.py",
    "live/test_survey.py",
    "live/test_in_place_ends.py",
    "servers/embedded/test_server.py",
    "servers/test_hostile.py",
    "manifest/test_command.py",
    "manifest/test_written.py",
    "live/test_beside_ends.py",
    "drill/test_damaged.py",
    "damages/test_prove.py",
)
"""Files that take longest, by their work: begun first, so that no worker is alone at the end."""


def put_longest_first(items: list[pytest.Item]) -> None:
    """Sort tests by their files: those of LONGEST in its order, then all others as they are."""
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))
