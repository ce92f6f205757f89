"""One S3 server for all tests of places, and a state folder for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.places import trying
from restore_drill.selection import remote
from tests.helpers.buckets import s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state folder of this test, and no key of the tester's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(trying, "PAUSE", 0.01)
    yield
    remote.clear()
    assert not list((tmp_path / "state").rglob("files-*"))
