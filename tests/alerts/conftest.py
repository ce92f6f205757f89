"""Servers that take alerts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from restore_drill.alerts import delivery
from tests.helpers import inboxes
from tests.helpers.inboxes import Forge, Inbox, Mailbox


@pytest.fixture
def box() -> Iterator[Inbox]:
    """A web server that keeps what it is sent."""
    with inboxes.inbox() as found:
        yield found


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    """A mail server that keeps what it is sent."""
    with inboxes.mailbox() as found:
        yield found


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A server with the APIs of GitHub and GitLab."""
    with inboxes.forge() as found:
        yield found


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(delivery, "PAUSES", [0.01, 0.01])
