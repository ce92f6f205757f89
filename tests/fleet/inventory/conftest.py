"""A fleet file in a folder of its own, and a state folder for what is discovered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from restore_drill.fleet.inventory import load_inventory
from restore_drill.fleet.model import Inventory
from restore_drill.selection import remote

Load = Callable[..., Inventory]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes a fleet file with a text, and loads it with the variables of an environment."""

    def loaded(text: str, environment: Mapping[str, str] | None = None) -> Inventory:
        path = tmp_path / "fleet.toml"
        path.write_text(text, encoding="utf-8")
        return load_inventory(path, environment or {})

    return loaded


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state folder of this test, and no key of the tester's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield
    remote.clear()
