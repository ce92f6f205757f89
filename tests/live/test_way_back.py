"""The way back from a promotion, and what an interrupted swap leaves to the next run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.promote.interrupted import settle_interrupted
from restore_drill.live.promote.journal import (
    COMMITTING,
    DONE,
    UNDONE,
    Journal,
    journal_path,
    write_journal,
)
from restore_drill.live.promote.not_swapped import NotSwapped
from restore_drill.live.promote.settle import NotSettled
from restore_drill.live.promote.swap import swap
from restore_drill.live.promote.way_back import swap_back
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.find import find_binaries
from tests.helpers.live import url_of
from tests.helpers.shop import majors, quiet
from tests.helpers.swaps import Pair, connect, pair_on, started, swap_and_kill
from tests.live.test_swap import journal_in, wait_until_let_go


@pytest.fixture(scope="module", params=majors(17))
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A live server of each of these majors; the other tests of `live` have one of 15."""
    with started(request.param) as server:
        yield server


def promoted(pair: Pair, folder: Path) -> Journal:
    """Promote the incoming database of `pair`."""
    with NameLock(pair.server, pair.journal.name) as lock:
        return swap(pair.means(folder, lock), pair.journal)[0]


def back(pair: Pair, folder: Path) -> Journal:
    """Take that back."""
    return swap_back(pair.server, folder, pair.journal.name, 1.0, quiet)


def tools(major: int) -> Binaries:
    """Client tools."""
    return find_binaries(major, note=quiet)


def test_both_databases_stay_whole_there_and_back(pair: Pair, tmp_path: Path) -> None:
    """Each keeps its number and its settings; a second time there is nothing to undo."""
    with pair.server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{pair.journal.name}" CONNECTION LIMIT 9'.encode())
    promoted(pair, tmp_path)
    done = back(pair, tmp_path)

    names = pair.names()
    assert names[pair.journal.name] == pair.journal.live_oid
    assert names[done.kept] == pair.journal.incoming_oid
    assert done.kept.startswith(f"{pair.journal.name}_undone_")
    assert (pair.holds(pair.journal.name), pair.holds(done.kept)) == ("old", "new")
    with pytest.raises(CouldNotRun, match="its last promotion has already been undone") as caught:
        back(pair, tmp_path)
    assert "ALTER DATABASE" not in str(caught.value)


def test_a_way_back_that_fails_can_be_repeated(pair: Pair, tmp_path: Path) -> None:
    """Its own journal does not hide that of the promotion."""
    promoted(pair, tmp_path)
    with pair.server.connect() as blocking, blocking.transaction(force_rollback=True):
        blocking.execute(f'ALTER DATABASE "{pair.journal.kept}" RENAME TO passing'.encode())
        with pytest.raises(NotSwapped):
            back(pair, tmp_path)
    assert pair.holds(pair.journal.name) == "new"

    assert back(pair, tmp_path).step == DONE
    assert pair.holds(pair.journal.name) == "old"


def test_another_server_is_refused(pair: Pair, tmp_path: Path) -> None:
    """One whose databases have the same names: nothing in the folder is about it."""
    promoted(pair, tmp_path)
    with started(15) as other:
        twin = pair_on(other, pair.journal.name)
        with pytest.raises(CouldNotRun, match="belongs to a promotion of it on this server"):
            back(twin, tmp_path)
        assert twin.holds(pair.journal.name) == "old"
    assert pair.holds(pair.journal.name) == "new"


def test_a_promoted_database_that_was_renamed_is_named(pair: Pair, tmp_path: Path) -> None:
    """A new database has its name since: that one was never promoted."""
    promoted(pair, tmp_path)
    name = pair.journal.name
    with pair.server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{name}" RENAME TO elsewhere'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())

    with pytest.raises(CouldNotRun, match="no journal in") as caught:
        back(pair, tmp_path)

    assert "is called elsewhere now" in str(caught.value)
    assert f'ALTER DATABASE "elsewhere" RENAME TO "{name}"' in str(caught.value)
    with pair.server.connect() as connection:
        connection.execute("DROP DATABASE elsewhere")


def test_an_old_database_of_another_name_is_refused(pair: Pair, tmp_path: Path) -> None:
    """Somebody has renamed it: the message names its present name."""
    promoted(pair, tmp_path)
    with pair.server.connect() as connection:
        moved = f'ALTER DATABASE "{pair.journal.kept}" RENAME TO "{pair.journal.name}_archive"'
        connection.execute(moved.encode())

    with pytest.raises(CouldNotRun, match="is not called") as caught:
        back(pair, tmp_path)

    assert f"is {pair.journal.name}_archive" in str(caught.value)
    back_again = f'"{pair.journal.name}_archive" RENAME TO "{pair.journal.kept}"'
    assert back_again in str(caught.value)
    assert pair.holds(pair.journal.name) == "new"


def test_an_old_database_that_lets_nobody_in_is_refused(pair: Pair, tmp_path: Path) -> None:
    """It would take the live name, and nobody could connect."""
    promoted(pair, tmp_path)
    with pair.server.connect() as connection:
        closed = f'ALTER DATABASE "{pair.journal.kept}" ALLOW_CONNECTIONS false'
        connection.execute(closed.encode())

    with pytest.raises(CouldNotRun, match="accepts no connections") as caught:
        back(pair, tmp_path)

    assert f'ALTER DATABASE "{pair.journal.kept}" ALLOW_CONNECTIONS true' in str(caught.value)
    assert "CONNECTION LIMIT" not in str(caught.value)
    assert pair.holds(pair.journal.name) == "new"


def test_sessions_of_the_promoted_database_are_named_and_ended(pair: Pair, tmp_path: Path) -> None:
    """The way back is a swap like any other."""
    promoted(pair, tmp_path)
    lines: list[str] = []
    session = connect(pair.live, name="till")
    try:
        swap_back(pair.server, tmp_path, pair.journal.name, 0.1, lines.append)
    finally:
        session.close()

    assert '"till", idle' in "\n".join(lines)
    assert pair.holds(pair.journal.name) == "old"


@pytest.mark.parametrize(
    ("moment", "words"), [("committing", "was undone"), ("committed", "had taken effect")]
)
def test_the_next_run_notes_how_an_interrupted_one_ended(
    moment: str, words: str, pair: Pair, tmp_path: Path
) -> None:
    """In one line; afterwards there is nothing more to note."""
    swap_and_kill(pair, tmp_path, moment)
    wait_until_let_go(pair)

    (line,) = settle_interrupted(tmp_path, url_of(pair.live, user="postgres"), tools)

    assert words in line
    assert settle_interrupted(tmp_path, url_of(pair.live, user="postgres"), tools) == []


@pytest.mark.parametrize("moment", ["prepared", "committing"])
def test_the_way_back_reports_an_interrupted_promotion_that_was_undone(
    moment: str, pair: Pair, tmp_path: Path
) -> None:
    """There is nothing to do then, and no command takes the live database away."""
    swap_and_kill(pair, tmp_path, moment)
    wait_until_let_go(pair)
    lines: list[str] = []

    with pytest.raises(CouldNotRun, match="its last promotion has already been undone") as caught:
        swap_back(pair.server, tmp_path, pair.journal.name, 1.0, lines.append)

    assert "was interrupted, and was undone" in "\n".join(lines)
    assert "ALTER DATABASE" not in str(caught.value)
    assert "there is nothing to do" in str(caught.value)
    assert pair.holds(pair.journal.name) == "old"


def test_a_live_name_that_is_gone_is_given_back(pair: Pair, tmp_path: Path) -> None:
    """Where only the first of the two renames was done, by whatever means."""
    write_journal(tmp_path, replace(pair.journal, step=COMMITTING))
    with pair.server.connect() as connection:
        rename = f'ALTER DATABASE "{pair.journal.name}" RENAME TO "{pair.journal.kept}"'
        connection.execute(rename.encode())

    (line,) = settle_interrupted(tmp_path, url_of(pair.live, user="postgres"), tools)

    assert "was undone" in line
    assert pair.holds(pair.journal.name) == "old"
    assert journal_in(tmp_path, pair).step == UNDONE


def test_a_swap_that_is_at_work_is_left_alone(pair: Pair, tmp_path: Path) -> None:
    """Its lock is held: it is not called interrupted."""
    write_journal(tmp_path, pair.journal)
    with (
        NameLock(pair.server, pair.journal.name),
        pytest.raises(CouldNotRun, match="another drill is at work"),
    ):
        settle_interrupted(tmp_path, url_of(pair.live, user="postgres"), tools)


def test_a_damaged_journal_stops_only_what_touches_that_database(
    pair: Pair, tmp_path: Path
) -> None:
    """It is reported where the live one is only read; that of another server is none of ours."""
    other = replace(pair.journal, system="4711")
    write_journal(tmp_path, other)
    journal_path(tmp_path, other).write_text("{")
    url = url_of(pair.live, user="postgres")
    assert settle_interrupted(tmp_path, url, tools) == []

    write_journal(tmp_path, pair.journal)
    path = journal_path(tmp_path, pair.journal)
    path.write_text(path.read_text()[:40])

    lines = settle_interrupted(tmp_path, url, tools, only_read=True)

    assert "is neither promoted nor reset until that is resolved" in lines[0]
    assert f"mv {path} {path}.damaged" in "\n".join(lines)
    with pytest.raises(CouldNotRun, match="is damaged"):
        settle_interrupted(tmp_path, url, tools)


def test_an_end_that_is_not_known_stops_only_what_touches_that_database(
    pair: Pair, tmp_path: Path
) -> None:
    """As where somebody has dropped one of the two after a crash."""
    write_journal(tmp_path, replace(pair.journal, live_oid=1))
    url = url_of(pair.live, user="postgres")

    lines = settle_interrupted(tmp_path, url, tools, only_read=True)

    assert "it is not known whether database" in lines[0]
    with pytest.raises(NotSettled):
        settle_interrupted(tmp_path, url, tools)
