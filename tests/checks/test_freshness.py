"""Freshness: the newest rows against the backup's time, from real rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from restore_drill.backups.model import Backup
from restore_drill.checks.freshness import Newest, distance, read_newest, slack_of
from restore_drill.config.criteria import Freshness
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump

TIMES = """
CREATE SCHEMA "Odd schema";
CREATE DOMAIN public.moment AS timestamptz;
CREATE TABLE public.times (
    zoned timestamptz, plain timestamp, day date, named public.moment, number integer,
    never timestamptz, far timestamptz
);
INSERT INTO public.times VALUES
    ('2026-01-05 10:00+00', '2026-01-05 10:00', '2026-01-05', '2026-01-05 10:00+00', 1, NULL,
     '12026-01-01'),
    ('infinity', '2026-01-04 10:00', '2026-01-04', NULL, 2, NULL, NULL);
CREATE TABLE public.empty (at timestamptz);
CREATE TABLE "Odd schema"."Odd table" ("Odd column" timestamptz);
INSERT INTO "Odd schema"."Odd table" VALUES ('2026-01-05 10:00+00');
CREATE TABLE public.parts (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE public.part PARTITION OF public.parts DEFAULT;
INSERT INTO public.parts VALUES ('2026-01-05 10:00+00');
"""
TEN = "2026-01-05 10:00:00 UTC"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def times(shops: Shops) -> Target:
    """Database with a column of every kind of time."""
    target = shops.database(USUAL, "times")
    fill_shop(target, TIMES)
    return target


def newest(
    target: Target,
    column: str,
    zone: str = "UTC",
    table: str = "public.times",
    timeout: float = 30.0,
) -> Newest:
    """Newest value of a column of `table`."""
    schema, name = table.split(".")
    return read_newest(target, Freshness(schema, name, column, 3600.0), ZoneInfo(zone), timeout)


def backup_at(when: datetime, source: str = "the dump itself", name: str = "b.sql") -> Backup:
    """Backup taken at `when`."""
    return Backup(Path(name), "plain", "", 1, when, source)


def test_a_query_that_takes_too_long_is_ended(times: Target) -> None:
    """It has the time limit of the team's own SQL, and the message names where that is set."""
    with times.connect() as other:
        other.execute("BEGIN; LOCK public.times IN ACCESS EXCLUSIVE MODE")
        found = newest(times, "zoned", timeout=0.2)

    assert found.error == (
        "reading the newest public.times.zoned took longer than 0.20 s "
        "([sql] timeout in the criteria file)"
    )


@pytest.mark.parametrize(
    ("column", "zone", "table", "text"),
    [
        ("zoned", "UTC", "public.times", TEN),
        ("zoned", "Europe/Berlin", "public.times", TEN),
        ("named", "UTC", "public.times", TEN),
        ("plain", "UTC", "public.times", TEN),
        ("plain", "Europe/Berlin", "public.times", "2026-01-05 09:00:00 UTC"),
        ("day", "UTC", "public.times", "2026-01-05"),
        ("far", "UTC", "public.times", "12026-01-01 00:00:00 UTC"),
        ("Odd column", "UTC", "Odd schema.Odd table", TEN),
        ("at", "UTC", "public.parts", TEN),
    ],
)
def test_newest_value_of_every_type(
    times: Target, column: str, zone: str, table: str, text: str
) -> None:
    """Zoned and zoneless times, dates, domains and partitions are read; infinity is no time."""
    found = newest(times, column, zone, table)

    assert (found.error, found.text) == ("", text)


def test_a_date_lasts_a_day(times: Target) -> None:
    """A date is not older than the end of its day, in the zone of the criteria file."""
    found = newest(times, "day", "Europe/Berlin")
    midnight = datetime(2026, 1, 6, tzinfo=BERLIN)

    assert found.age_at(midnight - timedelta(hours=1)) == 0
    assert found.age_at(midnight + timedelta(hours=1)) == 3600
    assert found.lead_over(midnight - timedelta(hours=25)) == 3600


@pytest.mark.parametrize(
    ("column", "table", "words"),
    [
        ("at", "public.nowhere", "public.nowhere is not in the restored database"),
        ("zone", "public.times", "public.times has no column zone; did you mean 'zoned'?"),
        ("number", "public.times", "public.times.number is of type integer, not a date"),
        ("at", "public.empty", "public.empty has no newest row: it is empty"),
        ("never", "public.times", "public.times has no newest row: no row has a value in never"),
    ],
)
def test_what_has_no_newest_value_is_reported(
    times: Target, column: str, table: str, words: str
) -> None:
    """A missing table or column, a wrong type, no rows and no values are kept apart."""
    assert words in newest(times, column, table=table).error


def test_the_distance_is_reported_with_both_times() -> None:
    """Both times and the difference between them are reported, whichever is later."""
    backup = backup_at(datetime(2026, 1, 5, 12, tzinfo=UTC))
    ten = datetime(2026, 1, 5, 10, tzinfo=UTC).timestamp()

    assert distance(Newest(TEN, ten, ten), backup) == (
        "2026-01-05 10:00:00 UTC, 2 h before the backup (2026-01-05 12:00:00 UTC)"
    )
    assert "2 h after the backup" in distance(Newest("14:00", ten + 14400, ten + 14400), backup)


def test_a_backup_named_by_date_alone_lasts_a_day() -> None:
    """Rows may be younger than the midnight that a name without a time stands for."""
    midnight = datetime(2026, 1, 5, tzinfo=BERLIN).astimezone(UTC)

    assert slack_of(backup_at(midnight, "its name"), BERLIN) > 86400
    assert slack_of(backup_at(midnight, "its name"), ZoneInfo("UTC")) < 86400
    assert slack_of(backup_at(midnight, "the dump itself"), BERLIN) < 86400


@pytest.fixture(scope="module")
def stale_dump(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump of now, whose rows are three days old, with one of tomorrow's in another column."""
    target = shops.database(USUAL, "stale")
    fill_shop(
        target,
        "CREATE TABLE public.orders (at timestamptz, due date);"
        "INSERT INTO public.orders SELECT now() - interval '3 days', current_date + 9;",
    )
    now = datetime.now(UTC)
    return pg_dump(target, tmp_path_factory.mktemp("stale") / f"orders_{now:%Y%m%d_%H%M%S}.sql")


def test_stale_rows_in_a_young_backup_fail(
    stale_dump: Path, tmp_path: Path, report_dir: Path
) -> None:
    """A file of now with rows of three days ago fails, and so does a row of the future."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[freshness]\norders.at = "26h"\norders.due = "26h"\norders.on = "1h"\n')

    drill = run_drill(
        f"--backup={stale_dump}", f"--criteria={criteria}", "-k", "fresh", report_dir=report_dir
    )

    stale = drill.failed["test_rows_are_fresh[public.orders.at]"]
    future = drill.failed["test_rows_are_fresh[public.orders.due]"]
    assert drill.code == 1, drill.output
    assert re.search(
        r"newest public\.orders\.at is \S+ \S+ UTC, (3 d|2 d 23 h) before the backup "
        r"\(\S+ \S+ UTC\); the limit is 1 d 2 h",
        stale,
    )
    assert "after the backup" in future
    assert "one of the two times is wrong" in future
    assert "has no column on" in drill.failed["test_rows_are_fresh[public.orders.on]"]
    facts = drill.result["facts"]
    assert facts["age of public.orders.at"]["ok"] is False
    assert facts["age of public.orders.at"]["age_seconds"] == pytest.approx(3 * 86400, abs=600)
    assert facts["age of public.orders.due"]["ok"] is False


def test_fresh_rows_pass_and_are_in_the_reports(report_dir: Path) -> None:
    """The sample's newest purchase is reported on the terminal, in result.json and in the page."""
    drill = run_drill("--sample-rows=50", "-k", "fresh", report_dir=report_dir)

    fact = drill.result["facts"]["age of public.purchases.bought_at"]
    assert drill.code == 0, drill.output
    assert drill.ran == {"test_rows_are_fresh[public.purchases.bought_at]"}
    assert fact["ok"] is True
    assert fact["expected"] == "at most 1 d 2 h"
    assert 400 < fact["age_seconds"] < 440
    assert "· Newest purchases.bought_at: " in drill.output
    page = (report_dir / "report.html").read_text()
    assert "age of the newest public.purchases.bought_at at the backup&#39;s time" in page
