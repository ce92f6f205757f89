"""What is to be done by hand about a database that a killed drill has left reset and shut."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from fixtures.beside import settle_resets
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.live.in_place.left import settle
from restore_drill.live.in_place.mark import mark_on
from restore_drill.live.in_place.noted import noting_undecided
from restore_drill.live.in_place.shut import in_place
from restore_drill.live.rollback import proved
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from tests.helpers.in_place import as_live, drill_and_kill, live_of_keeper, rolled_back_by_command
from tests.helpers.swaps import started
from tests.live.test_left import SHOP


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """The server of this module."""
    with started(15) as running:
        with running.target("postgres").connect() as connection:
            connection.execute("CREATE ROLE keeper LOGIN")
        yield running


@pytest.fixture
def shop(server: EmbeddedServer, request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """A live database that a killed drill has left reset; the snapshot lies in `tmp_path`."""
    live = live_of_keeper(server, request.node.name, SHOP)
    assert drill_and_kill(live, tmp_path, "reset").returncode == -9
    return live


def commands_in(error: CouldNotRun, program: str) -> list[str]:
    """Commands or statements in the remedies of `error` that `program` is in."""
    return [step.split(": ", 1)[1] for step in error.remedy if program in step]


def test_the_printed_commands_restore_and_open_a_shut_database(
    shop: Target, tmp_path: Path
) -> None:
    """Where nothing says what the snapshot is of, a rollback names them."""
    (snapshot,) = tmp_path.glob("*.dump")
    (tmp_path / f"{snapshot.name}.source").unlink()
    with pytest.raises(CouldNotRun, match="nothing beside") as caught:
        proved(snapshot, shop)
    (restore,) = commands_in(caught.value, "pg_restore")
    (opening,) = commands_in(caught.value, "ALTER DATABASE")
    binaries = f"{shop.binaries.bin_dir}:{os.environ['PATH']}"
    given = {
        f"PG{key.upper()}": str(each) for key, each in shop.conninfo.items() if key != "dbname"
    }

    done = subprocess.run(
        ["sh", "-c", restore], env=os.environ | given | {"PATH": binaries},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    with shop.connect(options="-c default_transaction_read_only=off") as connection:
        for statement in opening.split("; "):
            connection.execute(statement.encode())
    assert mark_on(shop) is None
    with shop.connect() as connection:
        assert connection.execute("SELECT count(*) FROM cards").fetchone() == (50,)
        connection.execute("INSERT INTO cards (title) VALUES ('new')")


def test_the_verdict_of_a_promotion_says_that_the_database_is_shut(
    shop: Target, tmp_path: Path
) -> None:
    """An earlier drill has left it so: it is not just that no snapshot was taken."""
    given = SimpleNamespace(snapshots_folder=tmp_path, promote=True, max_lock_wait=1.0)
    steps, record = Steps(lambda: nullcontext(None), lambda: 80), Record()

    with pytest.raises(CouldNotRun, match="stopped after it had reset"):
        settle_resets(shop, cast("Settings", given), steps, record)

    assert record.snapshot is not None and record.snapshot["path"] is None
    assert record.snapshot["live_database"].startswith("shut for others, and perhaps restored in")
    (snapshot,) = tmp_path.glob("*.dump")
    assert f"rollback {snapshot} --confirm-reset" in record.snapshot["live_database"]


def test_a_shut_database_that_was_renamed_gets_its_name_back(
    shop: Target, server: EmbeddedServer, tmp_path: Path
) -> None:
    """Drill and rollback both print the statement, and the command that works after it."""
    (snapshot,) = tmp_path.glob("*.dump")
    old = shop.conninfo["dbname"]
    new = f"{old} 'moved'"
    with server.target("postgres").connect() as connection:
        connection.execute(f'ALTER DATABASE "{old}" RENAME TO "{new}"'.encode())
    moved = as_live(server.target(new), "keeper")
    record = Record()
    with (
        pytest.raises(CouldNotRun) as caught,
        in_place(moved, tmp_path, 1.0) as place,
        noting_undecided(record, new),
    ):
        settle(place)
    with pytest.raises(UsageError, match="not of") as refused:
        proved(snapshot, moved)

    back = f'ALTER DATABASE "{new}" RENAME TO "{old}"'
    for text in (str(caught.value), str(refused.value)):
        assert back in text and f"rollback {snapshot} --confirm-reset '{old}'" in text
    assert record.snapshot is not None
    assert record.snapshot["live_database"].startswith("shut for others, and perhaps restored in")
    with server.target("postgres").connect() as connection:
        connection.execute(back.encode())
    rolled_back_by_command(shop, tmp_path)
    with shop.connect() as connection:
        assert connection.execute("SELECT count(*) FROM cards").fetchone() == (50,)
