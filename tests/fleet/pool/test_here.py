"""Drills on a cluster in this process: real ones, and the rules by which any are run."""

from __future__ import annotations

import logging
import tempfile
from itertools import accumulate
from pathlib import Path

import pytest

from restore_drill.core.errors import EXIT_COULD_NOT_RUN, CouldNotRun
from restore_drill.fleet.model import Database, Needs
from restore_drill.fleet.pool import opening
from restore_drill.fleet.pool.drilling import drill
from restore_drill.fleet.report.outcome import outcome_of
from tests.helpers.fleets import (
    Running,
    breaks,
    cannot,
    job_of,
    lines_of,
    sleeps,
    wait_until,
    words_of,
)
from tests.helpers.shop import USUAL, Shops

HANGS = b"""
import pathlib, os, time
def test_hangs():
    pathlib.Path(os.environ["HANGS"]).touch()
    time.sleep(60)
"""
OWN = {
    "drill/conftest.py": b"# restore_drill\n",
    "drill/criteria.toml": b"",
    "drill/test_hangs.py": HANGS,
}
"""A drill folder of a user's own, with a criterion that hangs."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where drills that are functions say what they do."""
    (path := tmp_path / "log").touch()
    return path


def test_real_drills(shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One passes, one fails, one does not exist, one hangs: each has its verdict, once.

    Neither what is at its limit nor a mistake is tried again; of the first the limit is told.
    """
    monkeypatch.setenv("TMPDIR", str(own := Path(tempfile.mkdtemp(prefix="fl-"))))
    monkeypatch.setattr(tempfile, "tempdir", None)
    backup = ("--backup", str(shops.dump(USUAL, "custom.dump")))
    wrong = {"c.toml": b"[tables]\ncards = { min_rows = 201 }\n"}
    mark = str(tmp_path / "hangs")
    jobs = [
        job_of("good", *backup, seconds=9),
        job_of("bad", *backup, "--criteria", "c.toml", files=wrong, seconds=8),
        job_of("gone", "--backup", str(tmp_path / "none"), seconds=7, PASSWORD="tops3cret"),
        job_of("hangs", *backup, "-k", "hangs", files=OWN, seconds=10, timeout=4, HANGS=mark),
    ]  # fmt: skip
    running = Running(jobs, workers=2, tries=3, function=drill)
    done = running.result()
    verdicts = {name: each.verdict for name, each in done.items()}
    assert verdicts == {
        "good": "passed", "bad": "failed", "gone": "could-not-run", "hangs": "could-not-run",
    }, done  # fmt: skip
    assert done["good"].code == 0 and b"<html" in done["good"].report
    assert b"<testsuite" in done["bad"].junit and done["bad"].code == 1
    assert "none" in done["gone"].why and "tops3cret" not in str(done["gone"])
    assert done["gone"].tries == done["hangs"].tries == 1
    assert done["hangs"].result is not None  # it says that it was ended by SIGTERM
    assert outcome_of(Database("hangs", "fleet.toml, line 3"), done["hangs"], 1).why == (
        "it took longer than its limit of 4.00 s; give it more time: timeout = … for it in "
        "fleet.toml, line 3"
    )
    assert list(own.iterdir()) == []
    own.rmdir()


def test_longest_first_woven_and_bounded(log: Path) -> None:
    """As `test_order` says, by Dask: one at a time in their order, and two of one source."""
    seconds = {"a1": 0.3, "a2": 0.2, "a3": 0.1, "b1": 0.05}
    jobs = [job_of(name, owner=name[0], seconds=each, LOG=str(log))
            for name, each in seconds.items()]  # fmt: skip
    Running(jobs[::-1], workers=1, function=sleeps).result()
    assert [name for name, _ in lines_of(log, "begins")] == ["a1", "b1", "a2", "a3"]
    log.write_text("")
    jobs = [job_of(f"{source}{number}", source=source, seconds=0.15, LOG=str(log))
            for source in "st" for number in range(4)]  # fmt: skip
    running = Running(jobs, workers=8, at_once=2, function=sleeps)
    assert len(running.result()) == 8
    steps = {source: [1 if what == "begins" else -1 for what, name, _ in words_of(log)
                      if name.startswith(source)] for source in "st"}  # fmt: skip
    assert {source: max(accumulate(each)) for source, each in steps.items()} == {"s": 2, "t": 2}
    last = running.told[-1]
    assert (last.done, last.total, last.running, last.seconds_left) == (8, 8, (), 0.0)


def test_what_fits_nowhere_says_so(log: Path) -> None:
    """By numbers, once a larger worker had time to come; others go on."""
    large = job_of("large", needs=Needs(10**18, 1, 1), LOG=str(log))
    done = Running([large, job_of("small", LOG=str(log))], workers=1, function=sleeps).result()
    assert done["small"].verdict == "passed" and done["large"].code == EXIT_COULD_NOT_RUN
    assert "it needs 1000000.0 TB of disk, 1 B of memory, 1 core; " in done["large"].why
    assert "the largest worker (this machine) has " in done["large"].why


def test_what_cannot_run_is_tried_again(log: Path) -> None:
    """So often as is said, and a failure never; an error of a drill shows no secret."""
    jobs = [job_of(name, LOG=str(log)) for name in ("fails", "passes", "cannot")]
    done = Running(jobs, workers=2, tries=3, function=cannot).result()
    assert sorted(name for name, _ in lines_of(log, "begins")) == [
        *["cannot"] * 3,
        "fails",
        "passes",
    ]
    assert done["cannot"].why == "no server (tried 3 times: this machine)"
    job = job_of("breaks", PLACE="postgres://u:s3cretpw@h/d")
    done = Running([job], workers=1, tries=1, function=breaks).result()
    assert done["breaks"].why == "RuntimeError: no such place: postgres://u:***@h/d"


def test_a_cancelled_run(
    shops: Shops, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits does not begin, what runs cleans up; verdicts that there are stay."""
    own = tmp_path / "temporary"  # other tests have theirs in the usual one
    own.mkdir()
    monkeypatch.setenv("TMPDIR", str(own))
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    backup = ("--backup", str(shops.dump(USUAL, "custom.dump")))
    mark = tmp_path / "hangs"
    jobs = [
        job_of(name, *backup, "-k", "hangs", files=OWN, HANGS=str(mark))
        for name in ("runs", "waits")
    ]
    running = Running(jobs, workers=1)
    wait_until(mark.exists)
    running.stop.set()
    done = running.result(25)
    assert {(each.code, each.why) for each in done.values()} == {(None, "the run was cancelled")}
    assert not list(own.glob("restore-drill-*"))
    jobs = [job_of("short", seconds=0.1, LOG=str(log)),
            job_of("long", owner="o", seconds=30, LOG=str(log))]  # fmt: skip
    running = Running(jobs, workers=2, function=sleeps)
    wait_until(lambda: running.ended)
    running.stop.set()
    assert {each.verdict for each in running.result(10).values()} == {"passed", "could-not-run"}
    assert lines_of(log, "interrupted") == [["long", "0"]]


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setattr(opening, "import_module", missing)
    with pytest.raises(CouldNotRun, match=r"(?s)needs the library distributed.*\[fleet\]"):
        opening.distributed()


def missing(name: str) -> None:
    """Raise what an import does."""
    raise ModuleNotFoundError(name, name=name)


def test_nothing_is_written(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """By Dask, or by the loggers that it sets up."""
    Running([job_of("one", LOG=str(log))], workers=1, function=sleeps).result()
    logging.getLogger("distributed.worker").error("noise")
    assert capfd.readouterr() == ("", "")
