"""The comparison before a promotion: what it sees, what it cannot read, and what comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from restore_drill.live.promote import content_loss
from restore_drill.live.promote.content_loss import ContentLoss
from restore_drill.live.promote.not_swapped import NotSwapped
from restore_drill.live.promote.swap import swap
from restore_drill.live.server import bounded
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.embedded import EmbeddedServer
from tests.helpers.shop import quiet
from tests.helpers.swaps import Pair, connect, started


@pytest.fixture(scope="module", params=[15, 18])
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A live server of each of these majors; 14 counts nothing where it has no network."""
    with started(request.param) as server:
        yield server


@pytest.fixture
def pair(pair: Pair) -> Pair:
    """A live database, and one beside it that holds the same."""
    with pair.incoming.connect() as connection:
        connection.execute("UPDATE content SET what = 'old'")
    return pair


def comparing(pair: Pair, *, accepted: bool = False) -> ContentLoss:
    """The comparison of both."""
    oid = pair.journal.live_oid
    return ContentLoss(pair.live, pair.incoming, pair.server, oid, 2, accepted, quiet)


def test_what_is_written_after_the_comparison_undoes_the_swap(pair: Pair, tmp_path: Path) -> None:
    """By a session that is still there, too; unless the loss was accepted."""
    content = comparing(pair)
    assert content.find() == []
    with closing(connect(pair.live)) as session:
        session.execute("UPDATE content SET what = 'older'")
        with NameLock(pair.server, pair.journal.name) as lock:
            means = pair.means(tmp_path, lock, max_wait=0.1, last_check=content.refuse_written)
            with pytest.raises(NotSwapped, match="was written to after it was compared") as caught:
                swap(means, pair.journal)

    assert "--accept-loss" in str(caught.value)
    assert pair.names()[pair.journal.name] == pair.journal.live_oid
    assert pair.holds(pair.journal.name) == "older"
    assert comparing(pair).find() == ["public.content: 1 row in both, with other content in what"]
    with NameLock(pair.server, pair.journal.name) as lock:
        accepted = comparing(pair, accepted=True)
        accepted.find()
        swap(pair.means(tmp_path, lock, last_check=accepted.refuse_written), pair.journal)
    assert pair.holds(pair.journal.kept) == "older"


def test_nothing_written_lets_the_swap_pass(pair: Pair, tmp_path: Path) -> None:
    """Reading, and what the comparison itself does, count for nothing."""
    content = comparing(pair)
    assert content.find() == []
    with closing(connect(pair.live)) as session:
        session.execute("SELECT * FROM content")
        with NameLock(pair.server, pair.journal.name) as lock:
            swap(
                pair.means(tmp_path, lock, max_wait=0.1, last_check=content.refuse_written),
                pair.journal,
            )

    assert pair.names()[pair.journal.kept] == pair.journal.live_oid


def test_what_cannot_be_compared_is_a_loss_to_accept(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that somebody holds, a server that counts nothing, and too little time."""
    monkeypatch.setattr(bounded, "LOCK_SECONDS", 0.1)
    with closing(connect(pair.live)) as session:
        session.execute("BEGIN")
        session.execute("LOCK TABLE content")
        line, locked = comparing(pair).find()
    assert "could not be compared" in line
    assert "lock_not_available" in line
    assert locked.startswith("public.content is locked by pid")
    assert "idle in transaction" in locked

    with pair.live.connect() as connection:
        off = f'ALTER DATABASE "{pair.journal.name}" SET track_counts = off'
        connection.execute(off.encode())
    assert comparing(pair).find() == [content_loss.UNCOUNTED]

    monkeypatch.setattr(content_loss, "ACCEPTED_SECONDS", 0.0)
    (line,) = comparing(pair, accepted=True).find()
    assert line.startswith("public.content could not be compared: with --accept-loss")
