"""The jobs that read a database: their order, what is reported of them, and how they end."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.units import progress_line
from restore_drill.facts import answers
from restore_drill.facts import plan as plans
from restore_drill.facts.jobs import Job
from restore_drill.facts.plan import Plan
from restore_drill.facts.pool import Pool
from restore_drill.facts.session import Connection, open_session
from restore_drill.servers.model import Target
from tests.helpers.cases import drop_made, failures, make, take
from tests.helpers.shop import Shops, quiet

SLOW = """
CREATE FUNCTION slow() RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(60); RETURN 1; END';
CREATE VIEW patient AS SELECT slow();
"""
CROWD = """
CREATE TABLE crowd (span int4range, EXCLUDE USING gist (span WITH &&));
INSERT INTO crowd SELECT int4range(2 * n, 2 * n + 1) FROM generate_series(1, 5000) n;
"""


@pytest.fixture
def target(shops: Shops) -> Iterator[Target]:
    """An empty database."""
    yield make(shops, "")
    drop_made()


def pool_of(target: Target, jobs: int) -> closing[Pool]:
    """A pool of `jobs` connections, closed at the end."""
    return closing(Pool([open_session(target) for _ in range(jobs)]))


def sleep(seconds: float) -> Callable[[Connection], None]:
    """Job that sleeps in the server."""

    def job(connection: Connection) -> None:
        connection.execute("SELECT pg_sleep(%s)", [seconds])

    return job


def test_costliest_jobs_begin_first_and_the_last_get_helpers() -> None:
    """Jobs run by what they cost; workers help those that outlast all others."""
    plan = Plan()
    for label, pages, effort in (("wide", 90, 1.0), ("dear", 30, 5.0), ("small", 2, 1.0)):
        plan.add(label, lambda _: None, pages=pages, effort=effort)

    plan.order(1)
    assert [(job.label, job.helped) for job in plan.jobs] == [
        ("dear", True),
        ("wide", True),
        ("small", True),
    ]
    plan.add("twin", lambda _: None, pages=30, effort=5.0)
    plan.order(1)
    assert [(job.label, job.helped) for job in plan.jobs] == [
        ("dear", False),
        ("twin", True),
        ("wide", True),
        ("small", True),
    ]


def test_helpers_are_a_setting_of_the_session(target: Target) -> None:
    """A job that is helped may have the workers that the server allows, another none."""
    seen = []

    def job(connection: Connection) -> None:
        row = connection.execute("SHOW max_parallel_workers_per_gather").fetchone()
        seen.append(row[0] if row else None)

    with target.connect() as connection:
        usual = connection.execute("SHOW max_parallel_workers_per_gather").fetchone()
    with pool_of(target, 1) as pool:
        for helped in (False, True, False):
            pool.run(Job("a", 1, 1, job, helped=helped))

    assert usual is not None
    assert seen == ["0", usual[0], "0"]


def test_line_shows_bytes_rate_time_left_and_the_longest_job() -> None:
    """A progress line counts pages, and takes the time left from what the jobs cost."""
    plan = Plan()
    first, second, third = (
        plan.add(label, lambda _: None, pages=pages, effort=effort)
        for label, pages, effort in (("a", 1000, 3.0), ("b", 500, 2.0), ("c", 2000, 1.0))
    )
    del first, second, third
    jobs = plan.jobs

    assert plan.line(100.0, 101.0) == "verifying: 0 B of 28.7 MB"
    jobs[0].is_done = True
    jobs[1].began, jobs[2].began = 100.5, 104.0
    assert plan.line(100.0, 105.0) == "verifying: 8.2 MB of 28.7 MB, 1.6 MB/s, 5.00 s left"
    assert plan.line(100.0, 130.0) == (
        "verifying: 8.2 MB of 28.7 MB, 273.1 kB/s, 30 s left (b for 30 s)"
    )


def test_one_line_serves_restore_and_verification() -> None:
    """Without a share of the work the bytes give the time left; at the end none is left."""
    assert (
        progress_line("restoring", 120e6, 240e6, 3.0)
        == "restoring: 120.0 MB of 240.0 MB, 40.0 MB/s, 3.00 s left"
    )
    assert progress_line("restoring", 0, 240e6, 3.0) == "restoring: 0 B of 240.0 MB"
    assert progress_line("restoring", 5, 5, 1.0) == "restoring: 5 B of 5 B, 5 B/s"
    assert progress_line("restoring", 0, 0, 0.0) == "restoring: 0 B of 0 B"


def test_long_job_is_not_silent(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one job runs, lines keep coming from the thread that waits, and name it."""
    monkeypatch.setattr(plans, "LONG", 0.1)
    told: list[tuple[str, threading.Thread]] = []
    plan = Plan()
    plan.add("rows of public.vast", sleep(0.6), pages=1000)
    plan.add("rows of public.small", sleep(0), pages=500)

    with pool_of(target, 2) as pool:
        plan.run(pool, lambda text: told.append((text, threading.current_thread())), 0.05)

    lines = [text for text, _ in told]
    pattern = (
        r"verifying: 4\.1 MB of 12\.3 MB, .+/s, .+ s left \(rows of public\.vast for 0\.\d+ s\)"
    )
    assert len(lines) >= 3
    assert len([line for line in lines if re.fullmatch(pattern, line)]) >= 2, lines
    assert {thread for _, thread in told} == {threading.current_thread()}


def test_first_error_ends_the_others(target: Target) -> None:
    """What still runs is cancelled, and what waits is not begun, once a job has failed."""

    def fail(_: Connection) -> None:
        raise CouldNotRun("the server is gone")

    plan = Plan()
    plan.add("long", sleep(60), pages=3)
    plan.add("failing", fail, pages=2)
    for number in range(100):
        plan.add(f"waiting {number}", sleep(1))
    started = time.monotonic()

    with pool_of(target, 2) as pool, pytest.raises(CouldNotRun):
        plan.run(pool, quiet, 0.05)

    assert time.monotonic() - started < 30


def test_interrupt_ends_what_runs(target: Target) -> None:
    """Ctrl-C does not wait for a query that takes a minute."""

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    plan = Plan()
    plan.add("long", sleep(60))
    started = time.monotonic()

    with pool_of(target, 1) as pool, pytest.raises(KeyboardInterrupt):
        plan.run(pool, interrupt, 0.05)

    assert time.monotonic() - started < 30


TOO_LONG = {
    "view": (SLOW, 0.2, ("view public.patient", "planning it took more than 0.20 s")),
    "pairs": (
        CROWD,
        0.03,
        ("exclusion crowd_span_excl of public.crowd", "it took more than 0.03 s"),
    ),
}


@pytest.mark.parametrize(("script", "patience", "told"), TOO_LONG.values(), ids=TOO_LONG)
def test_what_takes_too_long_is_not_checked(
    script: str,
    patience: float,
    told: tuple[str, str],
    shops: Shops,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A view planned with a slow function, or too many pairs: neither fails, hangs nor is green."""
    monkeypatch.setattr(answers, "TIME_LIMIT", patience)
    target = make(shops, script)

    facts = take(target)
    drop_made()

    assert failures(facts) == {}
    assert told in facts.not_checked


def test_what_runs_aside_runs_where_there_are_no_jobs(target: Target) -> None:
    """An empty database has nothing to read, and what was planned beside it has its answer."""
    plan, lines = Plan(), list[str]()

    def read() -> str:
        time.sleep(0.1)
        return "read"

    answer = plan.add_aside(read)
    with pool_of(target, 1) as pool:
        plan.run(pool, lines.append, tick=0.02)

    assert answer.result(timeout=0) == "read"
    assert lines[0].startswith("verifying: 0 B of 0 B")
