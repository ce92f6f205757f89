"""Embedded servers: private, with the settings of a throwaway, and clear where one cannot start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import cleanup, executor, isolation, place, processes, tuning
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cluster import LOCALE
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from tests.helpers.clusters import LOCALES, ask
from tests.helpers.shop import quiet


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
    process = processes.find_server(server.run.data)
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
            # By the shell alone: ls fails when a process that it was given has ended meanwhile.
            each = "for each in /proc/[0-9]*; do echo $each; done"
            connection.execute(f"COPY told FROM PROGRAM 'cat /proc/net/dev; {each}'".encode())
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


def test_failed_start_shows_the_log(wheel: Binaries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not start is reported with the end of its log, and leaves nothing."""
    monkeypatch.setattr(executor, "server_settings", lambda _: {"no_such_setting": "1"})
    with pytest.raises(CouldNotRun) as caught:
        start_embedded(wheel, note=pytest.fail)
    story = str(caught.value)
    assert story.startswith(f"{wheel.name} did not start")
    assert 'unrecognized configuration parameter "no_such_setting"' in story


def test_lack_of_space_is_reported_before(wheel: Binaries, temporary: Path) -> None:
    """A backup larger than every disk is refused before anything is started."""
    with pytest.raises(CouldNotRun) as caught:
        start_embedded(wheel, note=pytest.fail, room=10**18)
    assert f"{temporary}: not enough space: " in str(caught.value)
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
        assert ask(server.target("postgres"), "SHOW shared_buffers") == "128MB"
        path = server.run.path
    assert not path.exists()
    for options in ({"room": 1_001}, {"room": None}, {"room": 1, "production_settings": True}):
        with start_embedded(wheel, note=quiet, **options) as server:
            assert server.run.path.parent != cleanup.MEMORY
    monkeypatch.setenv("TMPDIR", str(temporary))
    with start_embedded(wheel, note=quiet, room=1_000) as server:
        assert server.run.path.parent == temporary


def test_buffers_are_as_many_as_the_data_may_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six times the backup's SQL, within bounds that the machine's memory sets."""
    monkeypatch.setattr(tuning, "memory", lambda: 8 << 30)
    found = [tuning.fewer_buffers(megabytes << 20) for megabytes in (0, 50, 5000)]

    assert [each["shared_buffers"] for each in found] == ["128MB", "300MB", "512MB"]


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


def test_production_settings_server_has_default_settings(wheel: Binaries) -> None:
    """A server for the time of the runbook is tuned in nothing, and sorts by the locale."""
    with start_embedded(wheel, note=quiet, production_settings=True) as server:
        target = server.create_database("drill")
        assert ask(target, "SHOW fsync") == "on"
        assert ask(target, LOCALES) == f"{LOCALE} {LOCALE}"


def test_long_directory_is_passed_over(
    wheel: Binaries, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TMPDIR whose path is too long for a socket gives way to /tmp, and that is said."""
    long = temporary / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setenv("TMPDIR", str(long))
    notes: list[str] = []
    with start_embedded(wheel, note=notes.append) as server:
        assert server.run.path.parent != long
        place = f"it lives in {server.run.path.parent}, not in TMPDIR ({long}): its path is too"
        assert notes[-1].startswith(place), notes
        assert ask(server.create_database("drill"), "SELECT 1") == "1"
    assert not server.run.path.exists()
