"""Servers in containers stay up: reachable, no left-over, ended in time, by order, by a kill."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from docker import DockerClient
from docker.errors import APIError, NotFound

from restore_drill.keep.kept_container import set_timer
from restore_drill.servers.containers import KEPT, clean_left_over_containers
from restore_drill.servers.engine import engine_client
from tests.helpers.drills import run_drill
from tests.helpers.engine import Engine, require_engine
from tests.helpers.keeping import PATIENCE, answer, awaited, command, kept_in


def kept_containers(client: DockerClient, pid: int) -> list[str]:
    """Names of the containers that the keeper `pid` has."""
    names = [str(each.name) for each in client.containers.list(ignore_removed=True)]
    return [name for name in names if name.startswith(f"{KEPT}{pid}-")]


def state_of(client: DockerClient, name: str) -> str:
    """The status of the container `name` in the engine's words; `gone` when there is none."""
    try:
        return str(client.containers.get(name).status)
    except NotFound:
        return "gone"


def test_a_drill_keeps_its_containers(dump: Path, place: Path, report_dir: Path) -> None:
    """PostgreSQL and Redis: the messages' commands and the shell open them, `clean` ends both."""
    engine: Engine = require_engine()
    drill = run_drill(
        f"--backup={dump}", "--target=container", f"--image={engine.image}", "--keep=always",
        f"--redis-image={engine.redis_image}", "-k", "cards or redis", report_dir=report_dir,
    )  # fmt: skip
    assert drill.code == 0, drill.output
    with engine_client() as client:
        names = [each for one in kept_in(place) for each in kept_containers(client, one.keeper.pid)]
        assert len(names) == 2
        cleaned_here = " ".join(clean_left_over_containers())
        assert not [name for name in names if name in cleaned_here]
        shown = {line.removeprefix("· ") for line in drill.output.splitlines()}
        (psql,) = [line for line in shown if "passfile=" in line]
        (redis,) = [line for line in shown if "REDISCLI_AUTH=" in line]
        assert answer(f'{psql} -XAtc "SELECT count(*) FROM cards"') == "200"
        assert answer(f"{redis} PING") == "PONG"
        assert command("shell", "-XAtc", "SELECT 1").stdout == "1\n"
        assert command("shell", "redis", "PING").stdout == "PONG\n"

        cleaned = command("clean").stdout
        assert "ended the kept server of database shop" in cleaned
        assert "ended the kept server of Redis" in cleaned
        assert not {str(each.name) for each in client.containers.list(all=True)} & {*names}
    assert list(place.glob("restore-drill-*")) == []


def test_what_a_killed_keeper_leaves_is_a_left_over(
    dump: Path, place: Path, report_dir: Path
) -> None:
    """`clean`, or a drill of any other test, removes it; until then a timer in it is running."""
    engine = require_engine()
    run_drill(
        f"--backup={dump}", "--target=container", f"--image={engine.image}", "--keep=always",
        "-k", "cards", report_dir=report_dir,
    )  # fmt: skip
    (found,) = kept_in(place)
    with engine_client() as client:
        (name,) = kept_containers(client, found.keeper.pid)
        timed = client.containers.get(name).top()["Processes"]
        assert any("sleep 14" in " ".join(each) for each in timed)
        os.kill(found.keeper.pid, signal.SIGKILL)
        found.keeper.wait(PATIENCE)
        with suppress(APIError):
            set_timer(client.containers.get(name), 0.1)
        # Gone: the drill of another test that runs beside this one may have found it already.
        assert awaited(lambda: state_of(client, name) in {"exited", "gone"})
        assert command("clean").returncode == 0
        assert awaited(lambda: state_of(client, name) == "gone")
    assert list(place.glob("restore-drill-*")) == []


@pytest.mark.parametrize("target", ["embedded", "container"])
def test_a_kept_container_ends_when_its_time_is_over(
    target: str, dump: Path, place: Path, report_dir: Path
) -> None:
    """Both kinds of target, by a whole drill; nothing of them is left."""
    engine = require_engine()
    run_drill(
        f"--backup={dump}", f"--target={target}", f"--image={engine.image}", "--keep=always",
        "--keep-for=2s", "-k", "cards", report_dir=report_dir,
    )  # fmt: skip

    assert awaited(lambda: list(place.glob("restore-drill-*")) == [])
