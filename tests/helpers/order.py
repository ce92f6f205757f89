"""The order in which files of tests are given to the workers."""

from __future__ import annotations

import pytest

LONGEST = (
    "damages/test_corpus.py",
    "restore/test_split.py",
    "force/test_force.py",
    "drill/test_interrupts.py",
    "facts/test_facts.py",
    "drift/test_drift.py",
    "house/test_package.py",
    "live/test_promote.py",
    "drill/test_healthy.py",
    "config/test_own_ini.py",
    "live/test_in_place_ends.py",
    "manifest/test_losses.py",
    "drill/test_field_reports.py",
    "worst_day/test_live_is_there.py",
    "drill/test_streams.py",
    "live/test_safety.py",
    "results/test_html_report.py",
    "manifest/test_written.py",
    "drill/test_cluster.py",
    "alerts/test_drills.py",
    "wraps/test_wraps.py",
    "servers/embedded/test_server.py",
    "servers/test_hostile.py",
    "damages/test_prove.py",
    "drill/test_damaged_plain.py",
    "manifest/test_command.py",
    "config/test_criteria_errors.py",
    "backups/test_contents.py",
    "manifest/test_undumped.py",
    "live/test_database_target.py",
    "results/test_report.py",
    "worst_day/test_roles.py",
    "results/test_verdicts.py",
    "live/test_in_place.py",
    "drill/test_usage_errors.py",
    "backups/test_foreign.py",
    "live/test_swap.py",
    "live/test_beside.py",
    "places/test_s3.py",
    "manifest/test_objects.py",
    "live/test_left.py",
    "live/test_beside_ends.py",
    "servers/embedded/test_accounts.py",
    "wraps/test_drills.py",
    "watch/test_status.py",
    "drill/test_damaged.py",
    "selection/test_select.py",
    "live/test_survey.py",
    "manifest/test_hashes.py",
    "live/test_manners.py",
    "drift/test_with_manifest.py",
    "manifest/test_options.py",
    "checks/test_waivers.py",
    "worst_day/test_dropped.py",
    "live/test_way_back.py",
    "facts/test_trust.py",
    "core/test_printable.py",
    "manifest/test_fingerprints.py",
    "manifest/test_long_lists.py",
    "drill/test_selecting.py",
    "live/test_promote_roles.py",
)
"""Files that take longest, by their work: begun first, so that no worker is alone at the end."""


def put_longest_first(items: list[pytest.Item]) -> None:
    """Sort tests by their files: those of LONGEST in its order, then all others as they are."""
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))
