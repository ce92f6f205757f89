"""A database is promoted where there is none: made or not made, whatever happens; and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.beside.anew import Anew
from restore_drill.live.beside.database import database_beside
from restore_drill.live.promote.interrupted import settle_interrupted
from restore_drill.live.promote.journal import CREATION, DONE, NO_DATABASE, UNDONE
from restore_drill.live.promote.not_swapped import NotSwapped
from restore_drill.live.promote.outcome import not_promoted
from restore_drill.live.promote.promotion import Promotion
from restore_drill.live.promote.swap import swap
from restore_drill.live.promote.way_back import swap_back
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.find import find_binaries
from tests.helpers.live import url_of
from tests.helpers.shop import quiet
from tests.helpers.swaps import Pair, pair_on, started, swap_and_kill
from tests.live.test_swap import journal_in, wait_until_let_go


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """A live server."""
    with started(15) as server:
        yield server


@pytest.fixture
def lone(server: EmbeddedServer, request: pytest.FixtureRequest) -> Pair:
    """The incoming database of a pair whose live one was dropped."""
    pair = pair_on(server, f"lone {abs(hash(request.node.name)) % 10**8}")
    with pair.server.connect() as connection:
        connection.execute(f'DROP DATABASE "{pair.journal.name}"'.encode())
        connection.execute(f"COMMENT ON DATABASE \"{pair.journal.incoming}\" IS 'mark'".encode())
    return replace(
        pair, journal=replace(pair.journal, live_oid=NO_DATABASE, kept="", kind=CREATION)
    )


@pytest.mark.parametrize(
    ("moment", "end"),
    [("prepared", UNDONE), ("renamed the restored one", UNDONE), ("committed", DONE)],
)
def test_killed_at_any_moment_there_is_a_whole_database_or_none(
    moment: str, end: str, lone: Pair, tmp_path: Path
) -> None:
    """The next run notes how it ended; the way back renames the created one."""
    name = lone.journal.name

    assert swap_and_kill(lone, tmp_path, moment).returncode == -9
    wait_until_let_go(lone)
    (line,) = settle_interrupted(
        tmp_path, url_of(lone.live, "postgres"), lambda major: find_binaries(major, note=quiet)
    )

    assert journal_in(tmp_path, lone).step == end
    assert f"there is {'a' if end == DONE else 'no'} database {name} now" in line
    assert (name in lone.names()) == (end == DONE)
    if end == UNDONE:
        with NameLock(lone.server, name) as lock:
            swap(lone.means(tmp_path, lock), lone.journal)
    assert lone.names()[name] == lone.journal.incoming_oid
    assert lone.holds(name) == "new"

    done = swap_back(lone.server, tmp_path, name, 1.0, quiet)

    assert name not in lone.names()
    assert lone.holds(done.kept) == "new"


def test_a_database_that_was_made_meanwhile_stays(lone: Pair, tmp_path: Path) -> None:
    """Nothing is renamed over it."""
    name = lone.journal.name
    with lone.server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    had = lone.names()

    with NameLock(lone.server, name) as lock, pytest.raises(NotSwapped) as caught:
        swap(lone.means(tmp_path, lock), lone.journal)

    assert f"no database {name} was created" in str(caught.value)
    assert lone.names() == had
    assert journal_in(tmp_path, lone).step == UNDONE
    with NameLock(lone.server, name) as lock:
        promotion = Promotion(lone.means(tmp_path, lock), "", name, NO_DATABASE, 1, "x")
        part = not_promoted(promotion, "why", [])
        assert part["live_database"] == (
            f"{name} was created by somebody else during the drill, and was not touched"
        )
        with lone.server.connect() as connection:
            connection.execute(f'DROP DATABASE "{name}"'.encode())
        assert promotion.as_before == f"there is no database {name}, as before the drill"


def test_a_created_database_that_was_renamed_or_undone_has_no_way_back(
    lone: Pair, tmp_path: Path
) -> None:
    """Its new name is given; a database that was put aside is not spoken of: there is none."""
    name = lone.journal.name
    with NameLock(lone.server, name) as lock:
        swap(lone.means(tmp_path, lock), lone.journal)
    with lone.server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{name}" RENAME TO "{name} away"'.encode())

    with pytest.raises(CouldNotRun, match="the one that was created as") as caught:
        swap_back(lone.server, tmp_path, name, 1.0, quiet)

    assert f"number {lone.journal.incoming_oid} is called {name} away now" in str(caught.value)
    assert "no journal" not in str(caught.value)
    assert "_before_" not in "".join([str(caught.value), *caught.value.remedy])
    with lone.server.connect() as connection:
        connection.execute(f'ALTER DATABASE "{name} away" RENAME TO "{name}"'.encode())
    swap_back(lone.server, tmp_path, name, 1.0, quiet)
    with pytest.raises(CouldNotRun, match="has already been undone"):
        swap_back(lone.server, tmp_path, name, 1.0, quiet)


def test_a_locale_that_the_server_lacks_is_named(lone: Pair) -> None:
    """With a statement that this server takes."""
    absent = replace(lone.live, is_absent=True)
    name = absent.conninfo["dbname"]
    anew = Anew(name, {"ENCODING": "UTF8", "LOCALE": "xx_TOP.UTF-8"}, "")

    with (
        pytest.raises(CouldNotRun, match=re.escape("LOCALE 'xx_TOP.UTF-8'")) as caught,
        database_beside(absent, quiet, anew.clauses),
    ):
        pass

    statement = caught.value.remedy[-1].partition("CREATE DATABASE")
    assert "..." not in statement[2]
    with lone.server.connect() as connection:
        connection.execute("".join(statement[1:]).encode())
    assert name in lone.names()


def test_a_promoted_database_that_was_renamed_is_named(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    """The way back is open again when it has its name."""
    pair = pair_on(server, "moved")
    with NameLock(pair.server, "moved") as lock:
        swap(pair.means(tmp_path, lock), pair.journal)
    with pair.server.connect() as connection:
        connection.execute("ALTER DATABASE moved RENAME TO away")

    with pytest.raises(CouldNotRun, match="is called away now"):
        swap_back(pair.server, tmp_path, "moved", 1.0, quiet)
