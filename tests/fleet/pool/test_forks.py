"""Drills as copies of a process that has loaded what they need: the same as new processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from restore_drill.fleet.pool import copies, starting
from restore_drill.fleet.pool.drilling import drill
from restore_drill.fleet.pool.folders import PREFIX
from restore_drill.fleet.pool.starting import ForkServer, fork_server
from tests.helpers.drills import ROOT
from tests.helpers.fleets import job_of, wait_until
from tests.helpers.shop import USUAL, Shops

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a fork server is for Linux")
TELLS = b"""# restore_drill
import json, os, pathlib, random, re, signal, sys, threading
before = set(sys.modules)
def pytest_sessionfinish():
    kept = ("argv", "path")
    told = {name: getattr(sys, name) for name in kept} | {
        "called": sys.orig_argv[1:], "home": os.getcwd(), "environment": dict(os.environ),
        "leads": os.getpid() == os.getpgid(0), "stdin": os.readlink("/proc/self/fd/0"),
        "open": sorted(re.sub("#.*", "", os.readlink(each))
                       for each in pathlib.Path("/proc/self/fd").iterdir() if each.exists()),
        "threads": threading.active_count(),
        "signals": [str(signal.getsignal(each)).partition(" at 0x")[0] for each in (1, 2, 15, 17)],
        "asserts": pathlib.Path(sys.modules["fixtures.verdict"].__cached__).name,
        "main": sys.modules["__main__"].__file__, "random": random.random(),
        "late": [each for each in sys.modules if each not in before],
        "early": [each for each in before if not each.startswith("tmp.")],
    }
    with open(os.environ["TOLD"], "w") as file:
        json.dump(told, file)
"""
STAYS = b"""
import os, pathlib, time
def test_stays():
    pathlib.Path(os.environ["TOLD"]).write_text(str(os.getpid()))
    time.sleep(60)
"""
OWN = {"drill/conftest.py": b"# restore_drill\n", "drill/criteria.toml": b""}
CLIENT = """
import sys
from restore_drill.fleet.pool.drilling import drill
from restore_drill.fleet.pool.starting import fork_server
from tests.fleet.pool.test_forks import staying
with fork_server():
    drill(staying(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """A fork server for the drills of a test."""
    with fork_server():
        assert starting._server is not None and starting._server.wait_for_it()
        yield starting._server


def staying(told: object, timeout: float | None = None) -> Any:
    """A drill that stays for a minute, and tells its process id."""
    files = {**OWN, "drill/test_stays.py": STAYS}
    arguments = ("-k", "stays", "--backup", __file__)
    return job_of("one", *arguments, files=files, timeout=timeout, TOLD=str(told))


def told_by_drill(dump: Path, told: Path) -> dict[str, Any]:
    """What the drill of `dump` says of its process, without the names of its folder."""
    files = {**OWN, "drill/conftest.py": TELLS}
    done = drill(job_of("one", "--backup", str(dump), files=files, TOLD=str(told)))
    assert (done.verdict, done.code) == ("passed", 0), done.why
    text = told.read_text()
    home = json.loads(text)["home"]
    return dict(json.loads(text.replace(home.removesuffix("/work"), "FOLDER")))


def test_a_copy_is_what_a_new_process_is(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments, paths, variables, signals, files that are open; only less is left to load."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("BACKUP_PATH", "not for drills")
    monkeypatch.delenv("PYTHONPATH", raising=False)  # relative ones are of where a process began
    dump = shops.dump(USUAL, "plain.sql")
    new = told_by_drill(dump, tmp_path / "new")
    with fork_server():
        copies = [told_by_drill(dump, tmp_path / f"copy{number}") for number in range(2)]
    late, random = len(new.pop("late")), new.pop("random")
    early = set(new.pop("early"))
    new["environment"].pop("TOLD")
    for copy in copies:
        assert copy.pop("random") not in (random, None)
        assert early - set(copy.pop("early")) == set()
        assert len(copy.pop("late")) < late / 3
        copy["environment"].pop("TOLD")
        assert copy == new
    assert "BACKUP_PATH" not in new["environment"]


def test_a_drill_that_is_ended(server: ForkServer, tmp_path: Path) -> None:
    """At its limit it is asked to end; whatever ends it, the server stays for the next one."""
    for _ in range(2):
        done = drill(staying(tmp_path / "told", timeout=3.0))
        assert done.code == 2 and 3 < done.seconds < 20
        assert done.why == "it took longer than its limit of 3.00 s"
        assert not psutil.pid_exists(int((tmp_path / "told").read_text()))
        assert server.process.poll() is None


def test_a_drill_that_kills_itself(server: ForkServer) -> None:
    """It has failed by that signal, and so has one whose warden was killed."""
    for whom, code in (("os.getpid()", 137), ("os.getppid()", 137)):
        kills = f"import os\ndef test_it():\n    os.kill({whom}, 9)\n".encode()
        files = {**OWN, "drill/test_kills.py": kills}
        done = drill(job_of("one", "-k", "test_it", "--backup", __file__, files=files))
        assert (done.code, done.result) == (code, None)
        assert done.why.startswith("it was ended by SIGKILL and left no result")
    assert server.process.poll() is None


def test_the_end_of_the_worker_is_the_end_of_its_drills(tmp_path: Path) -> None:
    """And of the fork server; nobody is left to remove the drill's folder, so it is gone too."""
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    environment["TMPDIR"] = str(tmp_path / "tmp")
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(tmp_path / "told")], cwd=ROOT, env=environment
    )
    with client:
        wait_until(lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text())
        family = psutil.Process(client.pid).children(recursive=True)
        assert len(family) >= 3  # fork server, warden, drill
        assert list((tmp_path / "tmp").glob(f"{PREFIX}*"))
        client.kill()
    assert psutil.wait_procs(family, timeout=20)[1] == []
    wait_until(lambda: not list((tmp_path / "tmp").glob(f"{PREFIX}*")))


def test_a_server_that_died(shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drills are new processes then, also the one that it was to begin."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    job = job_of("one", "--backup", str(shops.dump(USUAL, "plain.sql")))
    with fork_server():
        server = starting._server
        assert server is not None and server.wait_for_it()
        server.process.kill()
        wait_until(lambda: not server.can_start(asked()))
        assert drill(job).verdict == "passed"
        monkeypatch.setattr(server, "can_start", lambda _: True)
        assert drill(job).verdict == "passed"


@pytest.mark.parametrize("is_loaded", [True, False])
def test_a_server_that_has_stopped(
    shops: Shops,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_loaded: bool,  # noqa: FBT001
) -> None:
    """It is given up, and drills are new processes: their limits hold."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    job = job_of("one", "--backup", str(shops.dump(USUAL, "plain.sql")), timeout=60.0)
    with fork_server():
        server = starting._server
        assert server is not None and (not is_loaded or server.wait_for_it())
        server.process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(copies, "BEGINNING", 0.5)
        monkeypatch.setattr(starting, "LOADING", 0.5)
        assert drill(job).verdict == "passed"
        assert server.process.wait(20) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("name", "can_start"),
    [
        ("PYTHONPATH", False),
        ("LANG", False),
        ("TZ", False),
        ("PGPASSWORD", True),
        ("DRILL_X", True),
    ],
)
def test_which_drills_it_starts(server: ForkServer, name: str, can_start: bool) -> None:  # noqa: FBT001
    """None whose variables are read while Python and its libraries load, and differ from ours."""
    assert server.can_start(asked(**{name: "other"})) is can_start
    assert server.can_start(asked(**{name: os.environ.get(name, "")}))


def test_an_upgraded_package_is_not_the_one_that_was_loaded(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drill half of the old and half of the new would be neither."""
    assert server.can_start(asked())
    monkeypatch.setattr(server, "stamp", [(1, 1), *server.stamp[1:]])
    assert not server.can_start(asked())


def asked(**environment: str) -> Any:
    """A drill that is to begin, as far as the server asks for it."""
    return SimpleNamespace(environment=environment)
