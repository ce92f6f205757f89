"""Servers that a test keeps, and a place where no other test's `clean` looks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restore_drill.keep.kept import Kept
from restore_drill.keep.postgres import keep_server
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from tests.helpers.keeping import kept_in
from tests.helpers.shop import USUAL, Shops, quiet


@pytest.fixture(scope="session")
def dump(shops: Shops) -> Path:
    """A dump of the shop, made before a test has a place of its own: its server lives longer."""
    return shops.dump(USUAL, "custom.dump")


@pytest.fixture
def place(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A temporary directory of this test alone; what is kept in it is ended."""
    tmp_path_factory.getbasetemp()  # which is not to lie in it: it would be gone for later tests
    with tempfile.TemporaryDirectory(prefix="kept-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)
        for each in kept_in(Path(folder)):
            each.end()


@pytest.fixture
def kept(place: Path) -> Callable[..., Kept]:
    """Function that starts a server with a database and keeps it, for so many seconds."""

    def make(seconds: float, database: str = "shop") -> Kept:
        server = start_embedded(find_binaries(USUAL, note=quiet), note=quiet)
        server.create_database(database)
        found = keep_server(server, database, seconds)
        assert found.run.parent == place
        return found

    return make
