"""Which backups `--keep` keeps: by rules alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore_drill.core.errors import UsageError
from restore_drill.taking.retention import Owned, rules_of, why_kept

NONE: Mapping[int, bool] = {}
NOW = datetime(2026, 11, 29, 4, 0, tzinfo=UTC)


def owned(days: float, name: str = "") -> Owned:
    """A backup that is so many days old; its SHA-256 is its name."""
    name = name or f"{days:g}"
    return Owned(name, NOW - timedelta(days=days), name)


def kept(
    rules: str, found: list[Owned], zone: str = "UTC", proved: Mapping[int, bool] = NONE
) -> list[str]:
    """Names of those of `found` that are kept, the newest first."""
    by_sha = {str(age): is_good for age, is_good in proved.items()}
    reasons = why_kept(found, rules_of(rules), ZoneInfo(zone), proved=by_sha, since=NOW)
    return [each.name for each, why in reasons.items() if why]


DAILY = [owned(days) for days in range(400)]


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ("3", ["0", "1", "2"]),
        ("7d", ["0", "1", "2", "3", "4", "5", "6"]),
        ("3w", ["0", "7", "14"]),  # 29 November 2026 is a Sunday
        ("3m", ["0", "29", "60"]),  # the last of each month
        ("2y", ["0", "333"]),
        ("2d,2w,2m", ["0", "1", "7", "29"]),
    ],
)
def test_rules_keep_the_newest_of_each_period(rules: str, names: list[str]) -> None:
    """Of each hour, day, week, month, year, so many; several rules add up."""
    assert kept(rules, DAILY) == names


def test_only_periods_with_a_backup_count() -> None:
    """Where the job stood still for half a year, none goes for that."""
    found = [owned(0), *(owned(200 + days) for days in range(10))]
    assert kept("3d,1w,1m", found) == ["0", "200", "201"]
    assert kept("2h", [owned(0), owned(0.1), owned(0.11), owned(9)]) == ["0", "0.1"]


def test_days_begin_in_the_zone() -> None:
    """In Auckland it is the 29th of November from 11:00 UTC on."""
    found = [owned(0, "4:00"), owned(17 / 24, "11:00"), owned(18 / 24, "10:00")]
    assert kept("9d", found, "UTC") == ["4:00", "11:00"]
    assert kept("9d", found, "Pacific/Auckland") == ["4:00", "10:00"]


def test_what_a_drill_has_proved_is_never_the_one_to_go() -> None:
    """The newest proved one stays however old; where its last drill failed, also a better one."""
    assert kept("1d", DAILY[:30]) == ["0"]
    assert kept("1d", DAILY[:30], proved={20: True, 25: True}) == ["0", "20"]
    assert kept("1d", DAILY[:30], proved={20: False, 25: True, 28: True}) == ["0", "20", "25"]
    assert kept("1d", DAILY[:30], proved={0: True, 28: True}) == ["0"]


def test_nothing_as_young_as_the_new_one_goes() -> None:
    """Two of one second, and one from a machine whose clock is ahead."""
    found = [owned(-1, "ahead"), owned(0, "new"), owned(0, "other"), owned(1)]
    assert kept("1", found) == ["ahead", "other", "new"]


@pytest.mark.parametrize("text", ["", "7", "7d,", "d", "0d", "-1d", "7x", "7d 4w", "7d;4w", "1.5d"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    """With an example; a number alone is a rule."""
    if text == "7":
        assert str(rules_of(text)[0]) == "7"
        return
    with pytest.raises(UsageError, match="write it like 7d,4w,12m"):
        rules_of(text)


RULES = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(["", "h", "d", "w", "m", "y"])), min_size=1
).map(lambda rules: ",".join(f"{number}{unit}" for number, unit in rules))


@given(
    RULES,
    st.lists(st.integers(0, 2000), unique=True, min_size=1),
    st.sets(st.integers(0, 2000)),
)
def test_what_is_kept_stays_kept(rules: str, ages: list[int], good: set[int]) -> None:
    """The newest and the newest proved stay; a second run removes nothing more."""
    found = [owned(age / 7, str(age)) for age in ages]
    proved = dict.fromkeys(good, True)
    names = kept(rules, found, proved=proved)
    assert str(min(ages)) in names
    assert not good & {*ages} or str(min(good & {*ages})) in names
    assert kept(rules, [each for each in found if each.name in names], proved=proved) == names
