"""Coherence: the keys of Redis belong to rows that are there, and hold what these hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from restore_drill.config.criteria import Rule
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for

if TYPE_CHECKING:
    from restore_drill.redis.coherence.found import Found

pytestmark = [pytest.mark.coherence, pytest.mark.reads_rows, pytest.mark.beside_the_copy]


def test_keys_agree_with_rows(coherence_rule: Rule, coherence: Callable[[Rule], Found]) -> None:
    """Keys have their rows, rows their keys, and both the same values."""
    found = coherence(coherence_rule)
    assert not found.cause, message(
        found.what,
        checked=found.checked,
        remedy=remedy_for("test_keys_agree_with_rows", found.cause, table=coherence_rule.table),
    )
