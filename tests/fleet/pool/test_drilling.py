"""One drill as a worker runs it, without Dask."""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.fleet.jobs import inherited
from restore_drill.fleet.pool.drilling import Ending, attempt, done_of, drill
from restore_drill.fleet.pool.folders import PREFIX, REPORT, own_folder, sweep, write_files
from restore_drill.fleet.pool.leash import Leash, interrupt
from tests.helpers.fleets import job_of
from tests.helpers.shop import USUAL, Shops

STAYS = b"""
import signal, time
def test_stays():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
"""
OWN = {
    "drill/conftest.py": b"# restore_drill\n",
    "drill/criteria.toml": b"",
    "drill/test_stays.py": STAYS,
}


def test_what_does_not_end_is_killed() -> None:
    """After its limit it had time to clean up."""
    job = job_of("stays", "-k", "stays", "--backup", __file__, files=OWN, timeout=3.0)
    done = drill(job, patience=0.2)
    assert done.code in (128 + signal.SIGKILL, 128 + signal.SIGTERM) and done.result is None
    assert done.why == "it took longer than its limit of 3.00 s" and 3 < done.seconds < 20


@pytest.mark.parametrize(
    ("verdict", "code", "counts"),
    [("passed", 0, True), ("passed", 137, False), ("failed", 1, True), ("failed", 137, True)],
)
def test_which_results_count(tmp_path: Path, verdict: str, code: int, counts: bool) -> None:  # noqa: FBT001
    """None that says it passed where the process did not."""
    (tmp_path / REPORT).mkdir()
    (tmp_path / REPORT / "result.json").write_text(json.dumps({"verdict": verdict}))
    done = done_of(job_of("one"), tmp_path, Ending(code), 1.0)
    assert (done.verdict == verdict) is counts and done.is_final is counts


def test_why_there_is_no_result(tmp_path: Path) -> None:
    """The signal, or what pytest said; no secrets of the job's environment."""
    (tmp_path / "output").write_text("ERROR: cannot log in with s3cretpw\nlast\n")
    job = job_of("one", PGPASSWORD="s3cretpw")
    assert done_of(job, tmp_path, Ending(4), 1.0).why == (
        "it ended with exit code 4 and left no result: ERROR: cannot log in with ***"
    )
    (tmp_path / "output").unlink()
    assert (
        done_of(job, tmp_path, Ending(137), 1.0).why == "it was ended by SIGKILL and left no result"
    )
    assert "s3cretpw" not in repr(job)


@pytest.mark.parametrize("name", ["/etc/passwd", "../c.toml", "a/../../c.toml", ""])
def test_files_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    """A path that leads out is refused, and the drill could not run."""
    with pytest.raises(CouldNotRun, match="leads out of its folder"):
        write_files(tmp_path, {name: b""})
    done = attempt(drill, job_of("one", files={name: b""}))
    assert not done.is_final and "leads out of its folder" in done.why


def test_folders_of_dead_drills_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no others."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with own_folder() as (folder, _):
        (dead := tmp_path / f"{PREFIX}0badcafe").mkdir()
        (dead / "owner").write_text("process 1, started long ago")
        assert any(str(dead) in line for line in sweep())
        assert not dead.exists() and folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_the_leash() -> None:
    """Of a drill without Dask, and of one that is interrupted."""
    assert Leash().why_to_end() == ""
    interrupt(["key"])
    leash = Leash(None, "key")
    assert leash.why_to_end() == "the run was cancelled"
    leash.let_go()
    assert leash.why_to_end() == ""


def test_criteria_above_the_folder_of_temporary_files_are_not_the_jobs(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drill folder that lies there is somebody else's, with all that is in it."""
    (tmp_path / "drill").mkdir()
    (tmp_path / "drill" / "conftest.py").write_text("# restore_drill\n")
    (tmp_path / "drill" / "criteria.toml").write_text("[tables]\nothers = {}\n")
    (tmp_path / "drill" / "test_others.py").write_text("def test_others():\n    assert False\n")
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    dump = shops.dump(USUAL, "plain.sql")
    for files in ({}, {"drill/criteria.toml": b""}):
        done = drill(job_of("one", "--backup", str(dump), files=files))

        assert (done.verdict, done.code) == ("passed", 0), done.why
        assert b"others" not in done.report


def test_nothing_runs_from_folders_around_that_of_temporary_files(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may write into /tmp: a conftest.py there would have all keys, and the verdict."""
    (tmp_path / "conftest.py").write_text("import os\nos._exit(0)\n")
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (backup := tmp_path / "torn.sql").write_bytes(
        shops.dump(USUAL, "plain.sql").read_bytes()[:3000]
    )
    for files in ({}, {"drill/criteria.toml": b""}):
        done = drill(job_of("one", "--backup", str(backup), files=files))

        assert (done.verdict, done.code) == ("failed", 1), done.why


def test_what_a_drill_has_of_its_worker() -> None:
    """Keys, and what the machine has; not what is drilled, and how strictly."""
    own = {"AWS_ACCESS_KEY_ID": "a", "DRILL_HISTORY": "/h", "DRILL_DECRYPT_KEY": "k", "PATH": "/"}
    others = dict.fromkeys(
        ("DRILL_BACKUP", "BACKUP_PATH", "DATABASE_URL", "REDIS_URL", "PYTEST_ADDOPTS", "DRILL_PICK",
         "DRILL_MAX_BACKUP_AGE", "DRILL_KEEP", "DRILL_SERIES", "DRILL_TARGET",
         "PYTEST_DISABLE_PLUGIN_AUTOLOAD"), "x",
    )  # fmt: skip
    assert inherited(own | others) == own


def test_a_drill_says_that_it_was_not_recorded(tmp_path: Path) -> None:
    """After its result, so in what it prints; without secrets of the job's environment."""
    (tmp_path / REPORT).mkdir()
    (tmp_path / REPORT / "result.json").write_text(json.dumps({"verdict": "passed"}))
    said = "This drill was not recorded in s3://s3cretpw@h: denied"
    (tmp_path / "output").write_text(f"! {said} \n\nPASSED\n")
    done = done_of(job_of("one", PGPASSWORD="s3cretpw"), tmp_path, Ending(0), 1.0)

    assert (done.verdict, done.why) == ("passed", "")
    assert done.unrecorded == "This drill was not recorded in s3://***@h: denied"
