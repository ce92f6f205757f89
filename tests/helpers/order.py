"""The order in which files of tests are given to the workers."""

from __future__ import annotations

import pytest

LONGEST = (
    "restore/test_split.py",
    "damages/test_corpus.py",
    "drill/test_healthy.py",
    "facts/test_facts.py",
    "drill/test_interrupts.py",
    "drift/test_drift.py",
    "drill/test_field_reports.py",
    "force/test_force.py",
    "drill/test_cluster.py",
    "config/test_own_ini.py",
    "live/test_promote.py",
    "drill/test_streams.py",
    "manifest/test_written.py",
    "live/test_swap.py",
    "live/test_rollback.py",
    "live/test_safety.py",
    "results/test_html_report.py",
    "house/test_package.py",
    "live/test_way_back.py",
    "results/test_verdicts.py",
    "drill/test_damaged_plain.py",
    "drill/test_usage_errors.py",
    "live/test_survey.py",
    "live/test_beside.py",
    "live/test_in_place_ends.py",
    "backups/test_foreign.py",
    "servers/embedded/test_server.py",
    "results/test_report.py",
    "manifest/test_command.py",
    "live/test_beside_ends.py",
    "drill/test_damaged.py",
    "drill/test_selecting.py",
    "live/test_database_target.py",
    "backups/test_contents.py",
    "manifest/test_losses.py",
    "selection/test_select.py",
    "damages/test_prove.py",
    "config/test_criteria_errors.py",
    "drift/test_with_manifest.py",
    "worst_day/test_roles.py",
    "worst_day/test_damaged_page.py",
    "worst_day/test_live_is_there.py",
    "watch/test_status.py",
    "servers/test_hostile.py",
)
"""Files that take longest, by their work: begun first, so that no worker is alone at the end."""


def put_longest_first(items: list[pytest.Item]) -> None:
    """Sort tests by their files: those of LONGEST in its order, then all others as they are."""
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))
