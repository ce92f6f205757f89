"""What asks for WAL runs as another account, which may be a dump's own code: it gets no further."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.model import Archive
from restore_drill.recovery.pipes import ABSENT, BROKEN, FOUND
from restore_drill.servers import cleanup
from restore_drill.servers.cleanup import WAL_ANSWERS, WAL_ASKED, RunDirectory
from restore_drill.servers.launcher import choose_launcher
from tests.helpers.drills import ROOT
from tests.recovery.test_archives import name, wal

GIVEN = "pg_wal/RECOVERYXLOG"


@pytest.fixture
def run() -> Iterator[RunDirectory]:
    """A run directory with a data directory, both of the server's account."""
    found = cleanup.make_run_directory(Path("/tmp"))  # noqa: S108
    (found.data / "pg_wal").mkdir(parents=True)
    choose_launcher().own(found.path, found.data, found.data / "pg_wal")
    yield found
    found.remove()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of four segments."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(3, 7):
        (folder / name(number)).write_bytes(wal(name(number)))
    return folder


def command(fetcher: Fetcher, what: str) -> list[str]:
    """How PostgreSQL asks for the file `what`."""
    return ["sh", "-c", fetcher.command.replace("%f", what)]


def ask(fetcher: Fetcher, what: str) -> int:
    """Exit code of the restore_command for `what`, run by the server's account."""
    launcher = choose_launcher()
    return subprocess.run(
        [*launcher.prefix, *command(fetcher, what)], timeout=30, check=False, **launcher.options
    ).returncode


def as_server(script: str, folder: Path) -> None:
    """Let the server's account do something in its run directory."""
    launcher = choose_launcher()
    subprocess.run(
        [*launcher.prefix, "sh", "-ec", script], cwd=folder, check=True, **launcher.options
    )


class Slow:
    """An archive that gives a file after `seconds`, or none where it is stopped before."""

    words = "a slow archive"

    def __init__(self, seconds: float) -> None:
        """Nothing is asked yet."""
        self.seconds, self.released = seconds, threading.Event()

    def names(self) -> Sequence[str]:
        """None: it does not answer this either."""
        self.released.wait(self.seconds)
        return []

    def witnesses(self) -> Sequence[str]:
        """None."""
        return []

    def fetch(self, name: str, to: Path) -> bool:
        """Write it late."""
        if self.released.wait(self.seconds):
            return False
        to.write_bytes(wal(name))
        return True

    def stop(self) -> None:
        """Go on."""
        self.released.set()


def test_a_segment_is_the_servers_own(run: RunDirectory, archive: Path) -> None:
    """Private, of its account, and where PostgreSQL expects it; what follows is there already."""
    with Fetcher(Folder(archive), run, choose_launcher()) as fetcher:
        assert ask(fetcher, name(3)) == FOUND
        given = run.data / GIVEN
        assert given.read_bytes() == wal(name(3))
        account = choose_launcher().account or (os.geteuid(), os.getegid())
        assert (given.stat().st_uid, given.stat().st_mode & 0o777) == (account[0], 0o600)
        for number in (4, 5, 6):
            assert ask(fetcher, name(number)) == FOUND
        assert ask(fetcher, name(7)) == ABSENT
        assert ask(fetcher, "00000002.history") == ABSENT
    assert [each.found for each in fetcher.asked] == [True] * 4 + [False] * 2
    assert not list(run.path.glob("wal.*"))
    assert not fetcher.bringer.folder.exists()


@pytest.mark.parametrize(
    "trick",
    ["../../../etc/passwd", "postgresql.conf", "0000000100000000000000AZ", name(0xABC).lower(),
     f"{name(3)}.partial", f"{name(3)}/../x", "00000001.history.gz", ".", "a" * 5000],
)  # fmt: skip
def test_nothing_but_wal_can_be_asked_for(run: RunDirectory, archive: Path, trick: str) -> None:
    """Such a question gets no file, and no place in the list; the next one its own answer."""
    (archive / "postgresql.conf").write_text("secret")
    with Fetcher(Folder(archive), run, choose_launcher()) as fetcher:
        fd = os.open(run.path / WAL_ASKED, os.O_WRONLY)
        os.write(fd, f"1 {trick}\n{trick}\n".encode())
        os.close(fd)
        assert ask(fetcher, name(3)) == FOUND
    assert [each.name for each in fetcher.asked] == [name(3)]
    assert [path.name for path in (run.data / "pg_wal").iterdir()] == ["RECOVERYXLOG"]


def test_an_answer_that_nobody_took_is_not_the_next_ones(run: RunDirectory, archive: Path) -> None:
    """Who asked was killed meanwhile."""
    with Fetcher(Folder(archive), run, choose_launcher()) as fetcher:
        for what in (name(3), name(9), name(4)):
            fd = os.open(run.path / WAL_ASKED, os.O_WRONLY)
            os.write(fd, f"1 {what}\n".encode())
            os.close(fd)
        time.sleep(0.2)
        assert ask(fetcher, name(8)) == ABSENT
        assert ask(fetcher, name(5)) == FOUND


@pytest.mark.parametrize("what", ["pg_wal", "."])
def test_no_symlink_is_followed(
    run: RunDirectory, archive: Path, tmp_path: Path, what: str
) -> None:
    """What the server puts in the place of its folders leads us nowhere."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "pg_wal").mkdir(parents=True)
    elsewhere.chmod(0o777)
    (elsewhere / "pg_wal").chmod(0o777)
    target = elsewhere / "pg_wal" if what == "pg_wal" else elsewhere
    place = "data/pg_wal" if what == "pg_wal" else "data"
    with Fetcher(Folder(archive), run, choose_launcher()) as fetcher:
        as_server(f"mv {place} away; ln -s {target} {place}", run.path)
        assert ask(fetcher, name(3)) == BROKEN
        with pytest.raises(CouldNotRun, match="cannot be given to the server"):
            fetcher.check()
    assert list((elsewhere / "pg_wal").iterdir()) == []


def test_pipes_that_are_replaced_reach_nobody(
    run: RunDirectory, archive: Path, tmp_path: Path
) -> None:
    """Nothing is written to what they lead to, and nothing that is not ours is removed."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with Fetcher(Folder(archive), run, choose_launcher()) as fetcher:
        as_server(f"rm {WAL_ASKED} {WAL_ANSWERS}", run.path)
        as_server(f"ln -s {victim} {WAL_ASKED}; ln -s {victim} {WAL_ANSWERS}", run.path)
        fetcher.pipes.answer("1", FOUND)
    assert victim.read_text() == "mine"
    assert fetcher.asked == []
    assert not list(run.path.glob("wal.*"))


def test_what_goes_away_in_the_middle_breaks_recovery_off(run: RunDirectory, archive: Path) -> None:
    """A file that was listed and has gone is a fault; an archive that has gone is no end."""
    with Fetcher(Folder(archive), run, choose_launcher()) as fetcher:
        assert ask(fetcher, name(3)) == FOUND
        for number in (4, 5, 6):
            assert ask(fetcher, name(number)) == FOUND
        (archive / name(5)).unlink()
        assert ask(fetcher, name(5)) == ABSENT
        assert [each.name for each in fetcher.faults] == [name(5)]
        assert "it has gone while the drill ran" in fetcher.faults[0].error.what
        archive.rename(archive.with_name("away"))
        assert ask(fetcher, name(6)) == BROKEN
        with pytest.raises(CouldNotRun, match="No such file or directory"):
            fetcher.check()


def test_one_file_has_its_time(run: RunDirectory) -> None:
    """Then recovery is broken off, and why is known."""
    slow = Slow(60)
    with Fetcher(slow, run, choose_launcher(), limit=0.3) as fetcher:
        assert ask(fetcher, name(3)) == BROKEN
        with pytest.raises(CouldNotRun, match=r"did not come within 0\.30 s"):
            fetcher.check()


def test_an_end_waits_for_no_archive(run: RunDirectory) -> None:
    """Who asks is told so, and does not wait either."""
    slow: Archive = Slow(60)
    with Fetcher(slow, run, choose_launcher()) as fetcher:
        asking = subprocess.Popen(command(fetcher, name(3)))
        time.sleep(0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert asking.wait(10) == BROKEN
    assert subprocess.run(command(fetcher, name(3)), check=False, timeout=10).returncode == BROKEN


def test_what_is_brought_ahead_is_bounded(run: RunDirectory, tmp_path: Path) -> None:
    """A few segments of disk, however many there are."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(64):
        (folder / name(number)).write_bytes(wal(name(number)))
    with Fetcher(Folder(folder), run, choose_launcher()) as fetcher:
        for number in range(40):
            assert ask(fetcher, name(number)) == FOUND
            assert len(list(fetcher.bringer.folder.iterdir())) <= 12
        kept = fetcher.bringer.folder
    assert not kept.exists()


KILLED = """
import sys, time
from pathlib import Path
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.archives.folder import Folder
from restore_drill.servers import cleanup
from restore_drill.servers.launcher import choose_launcher
run = cleanup.make_run_directory(Path("/tmp"))
choose_launcher().own(run.path)
with Fetcher(Folder(Path(sys.argv[1])), run, choose_launcher()) as fetcher:
    print(run.path, fetcher.bringer.folder, fetcher.command, sep="\\n", flush=True)
    time.sleep(60)
"""


def test_a_killed_drill_leaves_what_the_next_one_cleans(archive: Path) -> None:
    """And who waits for its answer ends."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(archive)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{ROOT}/src:{ROOT}"},
    ) as process:
        assert process.stdout is not None
        run, ours, text = (process.stdout.readline().strip() for _ in range(3))
        process.send_signal(signal.SIGSTOP)
        asking = subprocess.Popen(["sh", "-c", text.replace("%f", name(3))])
        time.sleep(0.2)
        process.kill()
    assert asking.wait(10) == BROKEN
    done = " ".join(cleanup.clean_left_overs())
    assert run in done and ours in done
    assert not Path(run).exists() and not Path(ours).exists()


def test_no_descriptor_and_no_thread_is_left(run: RunDirectory, archive: Path) -> None:
    """However often one begins and ends."""

    def held() -> tuple[int, int]:
        return psutil.Process().num_fds(), threading.active_count()

    before, until = held(), time.monotonic() + 10
    for _ in range(5):
        with Fetcher(Folder(archive), run, choose_launcher()) as fetcher:
            assert ask(fetcher, name(3)) == FOUND
    while held() > before and time.monotonic() < until:  # what was on its way ends by itself
        time.sleep(0.05)
    assert held() <= before
