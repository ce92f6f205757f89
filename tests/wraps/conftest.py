"""Keys of these tests, and what they decrypt in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from restore_drill.backups.wraps.keys import use_keys
from restore_drill.config.decrypt import Decrypt
from tests.helpers.sealing import Keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Keys of every kind."""
    found = Keys(tmp_path_factory.mktemp("keys"))
    yield found
    found.end()


@pytest.fixture(autouse=True)
def no_keys() -> Iterator[None]:
    """No test leaves its keys to the next."""
    yield
    use_keys(Decrypt())
