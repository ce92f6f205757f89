"""The container image: built as its recipe says, with two majors, and drills done in it.

It runs as a cluster would run it: no root, a root file system that is read-only, no capability, no
network.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.drills import ROOT
from tests.helpers.engine import require_engine
from tests.helpers.shop import Shops

RECIPE = ROOT / "deploy" / "container" / "Dockerfile"
MAJORS = (14, 17)
ARGUMENTS = {"MAJORS": " ".join(map(str, MAJORS)), "EXTRAS": "fleet", "LOCALES": "de_DE"}
HANGS = "-- PostgreSQL database dump\nSELECT pg_catalog.pg_sleep(3600);\n"


def docker(*arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """What docker said of `arguments`."""
    environment = os.environ | {"DOCKER_CLI_HINTS": "false"}
    return subprocess.run(
        ["docker", *arguments],
        check=False, capture_output=True, text=True, timeout=seconds, env=environment,
    )  # fmt: skip


def base() -> list[str]:
    """Arguments of the build for what it begins with: what the recipe names, or our own."""
    found = re.search(r"^ARG BASE=(.+)", RECIPE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    images = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    if found[1] in images:
        return []
    own = [name for name in images if re.fullmatch(r"restore-drill/python:[\d.]+", name)]
    if not own:
        pytest.skip(f"no image {found[1]} or restore-drill/python; tests/images/build makes one")
    return ["--build-arg", f"BASE={own[0]}"]


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """Name of the image, with no more in it than the tests need."""
    require_engine()
    if not shutil.which("docker"):
        pytest.skip("docker, the program, is not installed")
    name = f"restore-drill/image:test-{os.getpid()}"
    given = [part for item in ARGUMENTS.items() for part in ("--build-arg", "=".join(item))]
    if "PIP_INDEX_URL" in os.environ:
        given += ["--build-arg", "PIP_INDEX_URL"]
    arguments = [f"IMAGE={name}", f"ARGS={shlex.join([*base(), *given])}"]
    # A `make test` around this one would hand on its own ARGS.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--no-print-directory", "image", *arguments],
        cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    yield name
    docker("image", "rm", "--no-prune", name)  # what it was made of makes the next one quick


@dataclass(frozen=True)
class Place:
    """Folders that a container is given: the backups, for reading, its reports and its /tmp."""

    backups: Path
    reports: Path
    temporary: Path

    def options(self, user: str = "1000:1000") -> list[str]:
        """Options of `docker run` that leave as little as a careful cluster does."""
        return [
            "--read-only", "--network=none", "--cap-drop=ALL", f"--user={user}",
            "--security-opt=no-new-privileges", f"--volume={self.backups}:/backups:ro",
            f"--volume={self.reports}:/reports", f"--volume={self.temporary}:/tmp",
        ]  # fmt: skip

    def result(self, name: str = "result.json") -> Any:
        """What a run has left in its reports."""
        return json.loads((self.reports / "drill-report" / name).read_text(encoding="utf-8"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Folders for one test, with nothing in them."""
    made = Place(tmp_path / "backups", tmp_path / "reports", tmp_path / "tmp")
    for folder in (made.backups, made.reports, made.temporary):
        folder.mkdir()
    made.reports.chmod(0o777)
    made.temporary.chmod(0o1777)
    return made


def run(place: Place, image: str, *arguments: str, user: str = "1000:1000", **more: str) -> str:
    """What the image says to `arguments`, which must end well."""
    options = [*place.options(user), *(f"--{name}={value}" for name, value in more.items())]
    done = docker("run", "--rm", *options, image, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_backup_is_drilled_by_a_user_without_an_account(
    image: str, place: Place, shops: Shops
) -> None:
    """On the build of its major, which is in the image; nothing else is left."""
    shutil.copy(shops.dump(MAJORS[0], "custom.dump"), place.backups)
    said = run(place, image, "drill", "--backup=/backups/custom.dump", user="123456:0")
    kept = {path.name for path in place.temporary.iterdir()}

    assert "RESTORE DRILL PASSED" in said
    assert place.result()["verdict"] == "passed"
    assert f"PostgreSQL {MAJORS[0]}." in said and "fetching" not in said
    assert kept <= {".cache", ".local"}, "its cache and its history, which has no other place"


def test_a_fleet_of_two_majors_is_drilled(image: str, place: Place, shops: Shops) -> None:
    """Each on a server of its own major."""
    inventory = "".join(f'[databases.v{each}]\nbackup = "{each}.sql"\n' for each in MAJORS)
    (place.backups / "fleet.toml").write_text(inventory)
    for major in MAJORS:
        shutil.copy(shops.dump(major, "plain.sql"), place.backups / f"{major}.sql")
    run(place, image, "fleet", "run", "--inventory=/backups/fleet.toml", "--workers=2")

    assert place.result("fleet.json")["exit_code"] == 0
    for major in MAJORS:
        target = place.result(f"fleet/v{major}/result.json")["target"]
        assert str(target["server_version"]).startswith(f"{major}")


def test_it_holds_what_a_fleet_needs_and_nothing_that_others_may_write(image: str) -> None:
    """Workers of Dask; programs that decrypt; no file for everybody, no cache, no password."""
    script = """
        dask worker --version && gpg --version && openssl version && command -v tini
        locale -a | grep -i de_DE.utf8
        find / -xdev -perm -o+w ! -type l ! -perm -1000 ! -path '/proc/*' | sed 's/^/WRITABLE /'
        find /opt /reports ! -user root ! -path /reports | sed 's/^/FOREIGN /'
        find /root /var/lib/apt/lists /var/cache/apt -type f -size +9k | sed 's/^/CACHE /'
    """
    asked = ["--network=none", "--user=0", "--entrypoint=sh", image, "-c", script]
    done = docker("run", "--rm", *asked)
    user = docker("image", "inspect", "--format={{.Config.User}}", image).stdout.strip()
    history = docker("history", "--no-trunc", "--format={{.CreatedBy}}", image).stdout

    assert done.returncode == 0 and "dask, version" in done.stdout, done.stdout + done.stderr
    assert "gpg (GnuPG)" in done.stdout and "tini" in done.stdout and "de_DE" in done.stdout
    assert re.findall(r"^(?:WRITABLE|FOREIGN|CACHE) .*", done.stdout, re.MULTILINE) == []
    assert user == "1000:1000"
    assert "PIP_" not in history


def test_a_drill_that_is_stopped_ends_by_itself(image: str, place: Place) -> None:
    """What a cluster sends first is enough: it tells how it ended, and leaves no server's files."""
    (place.backups / "hangs.sql").write_text(HANGS)
    arguments = ["drill", "--backup=/backups/hangs.sql"]
    begun = docker("run", "--detach", *place.options(), image, *arguments)
    name = begun.stdout.strip()
    try:
        until = time.monotonic() + 60
        while not list(place.temporary.glob("restore-drill-*/data/postmaster.pid")):
            assert time.monotonic() < until, docker("logs", name).stdout
            time.sleep(0.1)
        docker("stop", "--time=60", name)
        code = docker("inspect", "--format={{.State.ExitCode}}", name).stdout.strip()
        said = docker("logs", name).stdout
    finally:
        docker("rm", "--force", "--volumes", name)

    assert code == "2", said
    assert place.result()["verdict"] == "could-not-run"
    assert not list(place.temporary.glob("restore-drill-*")), said
