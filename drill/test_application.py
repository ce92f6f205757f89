"""The application: its role can do with the restored database what it could with the live one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from restore_drill.core.errors import message
from restore_drill.core.remedies import remedy_for

if TYPE_CHECKING:
    from restore_drill.live.promote.application import Compared

pytestmark = pytest.mark.verify


def test_application_role_keeps_its_rights(
    application_role: str, rights_of: Callable[[str], Compared]
) -> None:
    """The application's role can log in, and has its rights on every table."""
    problems = rights_of(application_role).problems
    assert not problems, message(
        f"role {application_role} could not work with the restored database: {problems[0]}",
        checked=problems[1:],
        remedy=remedy_for("test_application_role_keeps_its_rights", "lost", role=application_role),
    )
