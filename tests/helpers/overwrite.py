"""Plugin of a drill: once its backup was read, another one is written to its place."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """As many rows, and as whole: a row has another text."""
    found = yield
    if fixturedef.argname == "contents":
        path = request.getfixturevalue("backup").path
        content = path.read_bytes()
        new = path.with_name("new")
        new.write_bytes(content.replace(b"artist 1\t", b"artist x\t"))
        assert new.read_bytes() != content
        new.replace(path)
    return found
