"""The shop as a source of backups, and keys to encrypt them to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from restore_drill.servers.model import Target
from tests.helpers.sealing import Keys
from tests.helpers.shop import Shops
from tests.helpers.takings import shop_with_roles


@pytest.fixture(scope="session")
def source(shops: Shops) -> Target:
    """The shop, not to be changed, on a server with the role that backups are taken by."""
    return shop_with_roles(shops)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Keys of every kind."""
    found = Keys(tmp_path_factory.mktemp("keys"))
    yield found
    found.end()
