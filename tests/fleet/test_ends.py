"""How a run over a fleet ends: whom it tells, and what is left of one that is interrupted."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import tempfile
from pathlib import Path

import psutil
import pytest

from restore_drill.fleet.report.files import alone
from tests.helpers.fleet_runs import called
from tests.helpers.fleets import wait_until
from tests.helpers.inboxes import inbox
from tests.helpers.shop import USUAL, Shops
from tests.helpers.warm import Kept, run_module

WAITS = """
import pathlib, time
def test_waits(facts):
    pathlib.Path({place!r}).touch()
    time.sleep(60)
"""


@pytest.fixture
def folder(shops: Shops, tmp_path: Path) -> Path:
    """Backups of three databases: one is damaged, and the criteria of one take a minute."""
    for name in ("quick", "torn", "slow"):
        (tmp_path / name).mkdir()
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / name / "shop.sql")
    torn = tmp_path / "torn" / "shop.sql"
    torn.write_bytes(torn.read_bytes().partition(b"COPY public.cards")[0])
    (own := tmp_path / "drill").mkdir()
    (own / "conftest.py").write_text("# restore_drill\n")
    (own / "criteria.toml").write_text('[notify]\nchannels = ["TEAM_URL"]\n')
    (own / "test_waits.py").write_text(WAITS.format(place=str(tmp_path / "waits")))
    (tmp_path / "fleet.toml").write_text(
        "[databases.quick]\nbackups = 'quick'\n[databases.torn]\nbackups = 'torn'\n"
        "owner = 'ann'\nnotify = ['${ANN_URL}']\n"
        "[databases.slow]\nbackups = 'slow'\ncriteria = 'drill/criteria.toml'\n"
    )
    return tmp_path


def test_each_channel_hears_once(folder: Path) -> None:
    """The run tells; no drill has a channel. A monitor hears the beginning and the end."""
    with inbox() as all_of_them, inbox() as anns, inbox() as monitor:
        done = run_module(
            ["drill", "fleet", "run", "--only", "quick", "torn", "--workers", "2"],
            cwd=folder, timeout=60,
            env=called(
                folder, DRILL_NOTIFY=all_of_them.hook, ANN_URL=anns.hook,
                DRILL_PING=f"{monitor.url}/ping",
            ),
        )  # fmt: skip
    output = done.stdout + done.stderr

    assert done.returncode == 1, output
    assert len(all_of_them.messages) == len(anns.messages) == 1, output
    assert "1 of 2 databases" in str(all_of_them.messages[0])
    assert "1 of 1 database" in str(anns.messages[0])
    assert monitor.paths == ["/ping/start", "/ping/1"], output
    assert all_of_them.host not in output and anns.host not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_an_interrupted_run_says_what_was_proved(folder: Path, number: signal.Signals) -> None:
    """Drills that run clean up, those that ended count, and nothing is left."""
    # A short name for sockets.
    with tempfile.TemporaryDirectory(prefix="fl-") as temporary, inbox() as box:
        process = Kept(
            ["drill", "fleet", "run", "--only", "quick", "slow", "--workers", "2"],
            cwd=folder,
            env=called(folder, TMPDIR=temporary, TEAM_URL=box.hook, ANN_URL=box.hook),
        )
        wait_until(lambda: (folder / "waits").exists() and "PASSED" in process.output)
        there = [
            each.laddr.ip
            for each in psutil.Process(process.pid).net_connections("inet")
            if each.status == psutil.CONN_LISTEN
        ]
        process.send_signal(number)
        output, _ = process.communicate(60)
        left = [each.name for each in Path(temporary).iterdir()]
    plain = json.loads((folder / "drill-report" / "fleet.json").read_text())
    states = {each["name"]: each["state"] for each in plain["databases"]}

    assert process.returncode == 2, output
    assert plain["interrupted"] and states == {"quick": "passed", "slow": "could-not-run"}, output
    assert "The run was interrupted; proved before that: quick" in output
    assert len(box.messages) == 1, output
    assert left == [] and set(there) <= {"127.0.0.1"}, there


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_an_interrupt_before_the_first_drill_is_told(folder: Path, number: signal.Signals) -> None:
    """While places are asked what they hold: no database is proved, and the monitor hears it."""
    with socket.create_server(("127.0.0.1", 0)) as silent, inbox() as monitor:
        host, port = silent.getsockname()
        (folder / "fleet.toml").write_text('[databases.far]\nbackups = "s3://bucket/far"\n')
        process = Kept(
            ["drill", "fleet", "run"], cwd=folder,
            env=called(
                folder, DRILL_PING=f"{monitor.url}/ping", AWS_ACCESS_KEY_ID="a",
                AWS_SECRET_ACCESS_KEY="b", AWS_ENDPOINT_URL=f"http://{host}:{port}",
            ),
        )  # fmt: skip
        silent.settimeout(60)
        with silent.accept()[0]:
            process.send_signal(number)
            output, _ = process.communicate(60)
    plain = json.loads((folder / "drill-report" / "fleet.json").read_text())

    assert process.returncode == 2, output
    assert [each["state"] for each in plain["databases"]] == ["not-begun"], output
    assert monitor.paths == ["/ping/start", "/ping/2"], output


def test_two_runs_do_not_share_their_reports(folder: Path) -> None:
    """The second would replace the verdict of the first."""
    with alone(folder / "drill-report"):
        done = run_module(
            ["drill", "fleet", "run", "--only", "quick"],
            cwd=folder, env=called(folder, ANN_URL="json://localhost"), timeout=60,
        )  # fmt: skip

    assert done.returncode == 6
    assert f"another run of a fleet writes its reports to {folder / 'drill-report'}" in done.stderr
    with alone(folder / "drill-report"):
        pass


def test_what_contradicts_itself_is_refused(folder: Path) -> None:
    """A name that --only gives, and that --select leaves out, would be left out in silence."""
    done = run_module(
        ["drill", "fleet", "run", "--only", "quick", "torn", "--select", "owner=ann"],
        cwd=folder, env=called(folder, ANN_URL="json://localhost"), timeout=60,
    )  # fmt: skip

    assert done.returncode == 4
    assert "--only names what --select leaves out: quick" in done.stderr
