"""A container engine with images to test with; what is missing is reported, never guessed."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.engine import engine_client

PREFIXES = ("", "restore-drill/")
"""Images from a registry, and those that tests/images/build makes where there is none."""


@dataclass(frozen=True)
class Engine:
    """A container engine that answers, and the images that it has.

    `image` and `redis_image` are full names; `environment` makes the short ones of the defaults
    (`postgres:15`, of major version `major`) mean the same images in a drill that is run with it.
    """

    image: str
    redis_image: str
    major: int
    environment: dict[str, str]


@functools.cache
def find_engine() -> Engine | str:
    """Find the engine and its newest images; a text says what is missing."""
    try:
        with engine_client() as client:
            tags = [tag for image in client.images.list() for tag in image.tags]
    except CouldNotRun as error:
        return error.what
    for prefix in PREFIXES:
        postgres = newest(f"{prefix}postgres", tags)
        redis = newest(f"{prefix}redis", tags)
        if postgres and redis:
            return Engine(
                image=f"{prefix}postgres:{postgres}",
                redis_image=f"{prefix}redis:{redis}",
                major=postgres,
                environment={"TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX": prefix},
            )
    return "no images postgres:MAJOR and redis:MAJOR; tests/images/build makes them"


def newest(name: str, tags: Iterable[str]) -> int | None:
    """Highest major version among those `tags` that are `name:MAJOR`."""
    found = [re.fullmatch(rf"{re.escape(name)}:(\d+)", tag) for tag in tags]
    return max((int(match[1]) for match in found if match), default=None)


def require_engine() -> Engine:
    """Give the engine to a test, which is skipped with what is missing where there is none."""
    engine = find_engine()
    if isinstance(engine, str):
        pytest.skip(engine)
    return engine
