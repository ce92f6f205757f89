"""A drill that pytest does not even start: people hear of it, and the exit code is no pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.config import ConftestImportFailure

from fixtures.report.unbegun import reasons_of
from restore_drill.alerts.announce import Ending, announce
from restore_drill.alerts.subject import Origin
from restore_drill.config.alerts import alerts_of
from restore_drill.config.criteria.notify import Notify
from tests.helpers.alerting import result_of
from tests.helpers.drills import ROOT
from tests.helpers.inboxes import Inbox
from tests.helpers.mini_drill import environment

OWN = "from restore_drill.own_folder import *  # noqa: F403\n"


def drilled(folder: Path, box: Inbox, own: str, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a drill of a user's own folder, whose `conftest.py` ends as `own`."""
    drill = folder / "drill"
    drill.mkdir(exist_ok=True)
    (folder / "backups").mkdir(exist_ok=True)
    (drill / "conftest.py").write_text(OWN + own, encoding="utf-8")
    (drill / "criteria.toml").write_text('[notify]\nname = "the shop"\n', encoding="utf-8")
    variables = {"DRILL_NOTIFY": box.hook, "DRILL_PING": f"{box.url}/ping"}
    variables |= {"BACKUP_PATH": str(folder / "backups"), "DRILL_METRICS_FILE": "shop.prom"}
    done = subprocess.run(
        [sys.executable, "-m", "drill", *arguments],
        cwd=folder,
        env=environment(folder, "", **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("own", "arguments", "reason"),
    [
        ("import no_such_module\n", (), "conftest.py cannot be imported: ModuleNotFoundError: "),
        ("import sys; sys.exit(0)\n", (), "pytest did not start: SystemExit: 0"),
        ("", ("drill", "--no-such-option"), "unknown option --no-such-option"),
        ("", ("drill", "--report-dir=/proc/x"), "no report can be written"),
    ],
)
def test_what_keeps_pytest_from_starting_is_announced(
    tmp_path: Path, box: Inbox, own: str, arguments: tuple[str, ...], reason: str
) -> None:
    """By the channels and the name of the folder's criteria file; the monitor hears of it."""
    code, _ = drilled(tmp_path, box, own, *arguments)

    assert code not in (0, 1)
    (message,) = box.messages
    assert message["title"] == "Restore drill COULD NOT RUN: the shop"
    assert reason in message["message"]
    assert sorted(path for path in box.paths if path != "/hook") == ["/ping/4", "/ping/start"]
    metrics = (tmp_path / "shop.prom").read_text("utf-8")
    assert 'restore_drill_verdict{series="",verdict="could-not-run"} 1' in metrics


def test_a_listing_that_fails_is_no_drill(tmp_path: Path, box: Inbox) -> None:
    """Nobody waits for it."""
    code, _ = drilled(tmp_path, box, "import no_such_module\n", "drill", "--collect-only")
    assert (code, box.paths) == (4, [])


def test_the_first_line_of_an_error_is_enough() -> None:
    """What an import has printed stays in the terminal."""
    cause = ValueError("first\nsecond")
    (reason,) = reasons_of(ConftestImportFailure(ROOT / "conftest.py", cause=cause))
    assert reason == f"{ROOT}{os.sep}conftest.py cannot be imported: ValueError: first"


def test_the_pass_after_it_is_a_recovery_once(
    tmp_path: Path, box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by channels alone: no history tells of a drill that could not begin."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    everything = Notify(events=("could-not-run", "recovered", "passed"))
    alerts = alerts_of({"DRILL_NOTIFY": box.hook}, everything)
    here, there = Origin(here="m1:/srv/app"), Origin(here="m2:/srv/app")
    bad, good = result_of("could-not-run", path=None), result_of("passed")

    announce(alerts, Ending(bad, 4, origin=here, has_begun=False))
    for origin in (there, here, here):
        announce(alerts, Ending(good, 0, origin=origin))

    titles = [each["title"].removeprefix("Restore drill ").split(":")[0] for each in box.messages]
    assert titles == ["COULD NOT RUN", "passed", "passed again", "passed"]
