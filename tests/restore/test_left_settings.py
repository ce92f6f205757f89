"""Settings that a dump holds and a live server is not given are named, without their values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from restore_drill.backups.plaindump.events import Statement
from restore_drill.restore.left_settings import MOST, lines_on_settings
from restore_drill.restore.model import Restoration
from restore_drill.restore.scope import Scope


def scope(*, beside: bool) -> Scope:
    """Scope of a dump of shop on a live server: beside the live database, or in place of it."""
    target: Any = SimpleNamespace(
        throwaway=False, is_expendable=beside, beside="shop" if beside else "",
        conninfo={"dbname": "shop_drill_1" if beside else "shop", "user": "drill"},
    )  # fmt: skip
    contents: Any = SimpleNamespace(
        head=SimpleNamespace(encoding="UTF8", database="shop"), database="shop", left_out=(),
        roles=frozenset(), superusers=frozenset(),
    )  # fmt: skip
    return Scope(contents, Restoration(target, ""))


def left(found: Scope, *statements: str) -> list[str]:
    """Lines on what of `statements`, one a line of the dump, is left out."""
    events = [Statement(n, each.encode()) for n, each in enumerate(statements, 1)]
    list(found.events(events))
    return found.restoration.harmless


@pytest.mark.parametrize("way", ["beside", "in place"])
def test_each_setting_that_is_left_out_is_named(way: str) -> None:
    """With the line of the dump, and never with its value, which may be secret."""
    lines = left(
        scope(beside=way == "beside"),
        "ALTER DATABASE shop SET statement_timeout TO '5s';",
        "alter role app set search_path to 'hidden';",
        "ALTER ROLE app IN DATABASE shop SET row_security TO 'off';",
        "CREATE ROLE app PASSWORD 'hidden';",
    )

    text = "\n".join(lines)
    for number, words in (
        (1, "ALTER DATABASE shop SET statement_timeout TO ..."),
        (2, "alter role app set search_path TO ..."),
        (3, "ALTER ROLE app IN DATABASE shop SET row_security TO ..."),
    ):
        assert any(x.startswith(f"line {number}: ") and x.endswith(words) for x in lines), text
    assert "line 4: a statement about the whole server is not run" in text
    assert "hidden" not in text and "5s" not in text


def test_many_settings_are_counted() -> None:
    """Only some are named one by one."""
    lines = lines_on_settings("why", [(n, f"ALTER DATABASE shop SET a{n}") for n in range(1, 13)])

    assert len(lines) == MOST + 1
    assert lines[-1] == "and 2 more settings: why"
