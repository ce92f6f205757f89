"""Hostile dumps: what their code tries to reach, it does not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from restore_drill.servers import isolation, untrusted
from tests.corpus.hostile import (
    CORE,
    DEEDS,
    HARMLESS,
    SOCKET_LED,
    WAYS,
    Hostile,
    World,
    dump_of,
    left_behind,
    reached,
    world,
)
from tests.helpers.shop import Shops


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shops]:
    """Servers behind walls; skips with the reason where none can be put up."""
    with contextlib.closing(Shops(tmp_path_factory.mktemp("hostile"))) as shops:
        if not shops.database(15, "probe").isolated:
            pytest.skip(f"namespaces are closed here: {isolation.why_not()}")
        yield shops
    assert left_behind(everywhere=True) == []


@pytest.fixture(scope="module")
def open_shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shops]:
    """Servers without walls, as where namespaces are closed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolation, "closed", {"why": "closed for a test"})
        with contextlib.closing(Shops(tmp_path_factory.mktemp("open"))) as shops:
            assert not shops.database(15, "probe").isolated
            patch.undo()
            yield shops


@pytest.fixture
def outside() -> Iterator[World]:
    """What a hostile dump may want to reach."""
    with world() as found:
        yield found


def test_there_are_enough_cases() -> None:
    """Each deed is tried, by each way."""
    assert len(CORE) >= 25
    assert {case.way for case in CORE} == set(WAYS)


@pytest.mark.parametrize("case", CORE, ids=lambda case: case.id)
def test_hostile_dump_reaches_nothing(
    case: Hostile, outside: World, shops: Shops, open_shops: Shops, tmp_path: Path
) -> None:
    """No file, no other server, no process and no secret is reached when it is restored.

    The same dump does reach it where there are no walls: these are what held it.
    """
    path = dump_of(case, outside, shops, tmp_path)
    name = f"copy_{CORE.index(case)}"

    assert reached(path, outside, shops.database(15, name), tmp_path) == []
    if case.deed not in HARMLESS:
        assert reached(path, outside, open_shops.database(15, name), tmp_path) != []


def test_whoever_follows_the_servers_own_socket_is_led_elsewhere(
    outside: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our way to the server is what holds that deed: by the socket's own path it succeeds."""
    monkeypatch.setattr(untrusted, "way_to", lambda socket, _: socket.parent)
    with contextlib.closing(Shops(tmp_path)) as led:
        target = led.database(15, "led")
        with target.connect() as connection:
            connection.execute("CREATE TABLE public.loot (line text)")
            connection.execute(outside.sql(DEEDS[SOCKET_LED]).encode())
        with pytest.raises(psycopg.OperationalError):
            target.connect(connect_timeout=5)

    assert outside.unix.calls == 1
