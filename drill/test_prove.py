"""The drill itself: it can fail (only with --prove)."""

from __future__ import annotations

import pytest

from fixtures.rehearsals import Noticed
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for
from restore_drill.damages.model import Damage

pytestmark = pytest.mark.prove


def test_damage_is_noticed(damage: Damage, noticed: Noticed) -> None:
    """A damaged copy of this backup fails the drill."""
    found = noticed(damage)
    if damage.needs_manifest and not found:
        pytest.skip(f"not noticed: {damage.what}; take backups with {COMMAND} backup")
    assert found, message(
        f"no criterion noticed the damage: {damage.what}",
        remedy=remedy_for("test_damage_is_noticed", "unnoticed"),
    )
