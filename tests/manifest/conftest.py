"""The shop with a manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.servers.model import Target
from tests.helpers.manifests import ROLES, fingerprint, restore, take
from tests.helpers.shop import Shops


@pytest.fixture
def shop(shops: Shops, request: pytest.FixtureRequest) -> Callable[..., Target]:
    """Function that makes a shop of this test's own on a server of a major version."""

    def make(major: int = 15, script: str = "") -> Target:
        shops.source(major)  # makes the roles
        target = shops.database(major, f"m{abs(hash((request.node.name, script))) % 10**9}")
        copy = shops.dump(major, "plain.sql").read_bytes()
        restore(target, copy)
        with target.connect() as connection:
            connection.execute(ROLES.encode())
            connection.execute(script.encode() or b"SELECT")
        return target

    return make


@pytest.fixture(scope="session")
def source(shops: Shops) -> Target:
    """The shop, not to be changed, on a server with the roles that backups are taken by."""
    source = shops.source(15)
    with source.connect() as connection:
        connection.execute(ROLES.encode())
    return source


@pytest.fixture(scope="session")
def backup_of_shop(source: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain backup of the shop with its manifest, not to be changed."""
    return take(source, tmp_path_factory.mktemp("taken"), "--format=plain")


@pytest.fixture
def taken(backup_of_shop: Path, tmp_path: Path) -> Path:
    """A copy of the backup of the shop, with its manifest."""
    shutil.copytree(backup_of_shop.parent, tmp_path / "taken")
    return tmp_path / "taken" / backup_of_shop.name


@pytest.fixture(scope="session")
def was(shops: Shops) -> Fingerprint:
    """What the shop is."""
    return fingerprint(shops.source(15))
