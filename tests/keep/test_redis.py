"""A Redis that the drill has started stays up: reachable, ended in time, by order, by a kill."""

from __future__ import annotations

import os
import signal
import subprocess
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.keep import shell
from restore_drill.keep.kept import Kept
from restore_drill.keep.lines import kept_lines
from restore_drill.keep.redis import keep_redis
from restore_drill.redis.connection import Server
from restore_drill.redis.embedded import embedded_redis
from restore_drill.redis.folders import clean_left_over_redis
from restore_drill.redis.throwaway import Throwaway
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.keeping import PATIENCE, answer, awaited, command, kept_in
from tests.helpers.shop import quiet


@pytest.fixture
def kept(place: Path) -> Callable[[float], Kept]:
    """Function that starts a Redis with a key, and keeps it for so many seconds."""

    def make(seconds: float) -> Kept:
        with embedded_redis(note=quiet) as server:
            server.client.set("cart", "full")
            found = keep_redis(server, throwaway_of(server), seconds)
        assert found.run.parent == place
        return found

    return make


def throwaway_of(server: Server) -> Throwaway:
    """What belongs to the `server` that was started here."""
    assert server.throwaway is not None
    return server.throwaway


def servers_in(folder: Path) -> list[psutil.Process]:
    """Processes of the Redis of `folder`."""
    found = psutil.process_iter(["cwd", "name"])
    return [each for each in found if each.info["cwd"] == str(folder)]


def test_a_kept_redis_holds_what_it_held(kept: Callable[[float], Kept]) -> None:
    """By the command that is shown, which holds no password; other runs see that it is kept."""
    found = kept(60)

    assert answer(f"{found.command} GET cart") == "full"
    password = (found.run / "password").read_text()
    assert password not in found.command and password not in " ".join(found.keeper.cmdline())
    assert password not in "".join(
        part for each in servers_in(found.run) for part in each.cmdline()
    )
    assert "NOAUTH" in answer(f"redis-cli {' '.join(found.arguments)} PING")
    assert answer(f"{found.command} CONFIG GET bind").endswith("127.0.0.1")
    assert found.run.stat().st_mode & 0o077 == 0
    assert clean_left_over_redis() == [] and kept_in(found.run.parent)
    assert [line for line in kept_lines() if str(found.run) in line]
    assert found.end()
    assert not found.run.exists() and servers_in(found.run) == []


def test_it_ends_by_itself_when_its_time_is_over(kept: Callable[[float], Kept]) -> None:
    """Server, keeper and files."""
    found = kept(1)

    assert awaited(lambda: not found.run.exists())
    assert servers_in(found.run) == []


def test_it_ends_with_its_keeper(kept: Callable[[float], Kept]) -> None:
    """However that ends; the folder is a left-over for the next drill."""
    found = kept(60)
    os.kill(found.keeper.pid, signal.SIGKILL)
    found.keeper.wait(PATIENCE)

    assert awaited(lambda: servers_in(found.run) == [])
    assert [line for line in kept_lines() if str(found.run) in line] == []
    assert f"removed {found.run}" in "".join(clean_left_over_redis())
    assert not found.run.exists()


def test_a_program_of_the_user_in_its_folder_is_left_alone(kept: Callable[[float], Kept]) -> None:
    """Such as a shell that looks into it, when the server has ended and its folder is gone."""
    found = kept(60)
    with subprocess.Popen(["sleep", "60"], cwd=found.run) as process:
        try:
            assert found.end()
            assert not [line for line in clean_left_over_redis() if str(found.run) in line]
            assert process.poll() is None
        finally:
            process.kill()


def test_a_drill_keeps_it_for_the_shell(place: Path, report_dir: Path) -> None:
    """`--keep always`: the message has the command, `shell redis` opens it, `clean` ends it."""
    drill = run_drill("-k", "redis", "--keep=always", report_dir=report_dir)
    try:
        assert "The drill's Redis stays up for 4 h: Redis, until " in drill.output
        (line,) = [line for line in drill.output.splitlines() if "REDISCLI_AUTH=" in line]
        assert answer(f"{line.removeprefix('· ')} PING") == "PONG"
        assert any("the drill's Redis is kept" in each for each in drill.result["notes"])
        assert command("shell", "redis", "PING").stdout == "PONG\n"
        assert command("shell", "redis", stdin="INFO server\n").stdout.count("redis_version") == 1
        alone = command("shell")
        assert "no server is kept now" in alone.stderr and "Traceback" not in alone.stderr
    finally:
        cleaned = command("clean").stdout
    assert "ended the kept server of Redis, until" in cleaned
    assert list(place.glob("restore-drill-*")) == []


def test_a_port_that_was_taken_keeps_nothing(
    place: Path, kept: Callable[[float], Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill says so, and leaves nothing."""
    monkeypatch.setattr("restore_drill.keep.hand_over.KEEPER", "restore_drill.no_keeper")

    with pytest.raises(OSError, match="did not start"):
        kept(60)
    assert list(place.glob("restore-drill-*")) == []


def test_without_a_client_the_shell_says_what_to_install(
    kept: Callable[[float], Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that opens it then."""
    monkeypatch.setenv("PATH", "/nowhere")
    found = kept(60)
    assert found.program == "redis-cli"
    monkeypatch.setattr(shell, "kept_servers", lambda: [found])

    with pytest.raises(CouldNotRun, match="neither redis-cli nor valkey-cli") as error:
        shell.run(Namespace(), ROOT, ["redis"])
    assert "redis-tools" in str(error.value) and found.command in str(error.value)
