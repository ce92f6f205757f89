"""Options of a recovery, and those that mean nothing to one: none is ignored without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.drills import run_drill
from tests.helpers.physical import Source, source
from tests.helpers.shop import Shops


@pytest.fixture(scope="module")
def server() -> Iterator[Source]:
    """A server with a base backup `base`, a restore point behind it, and a table behind that."""
    with source(15, rows=50) as found:
        found.base_backup("base")
        found.restore_point("before")
        found.sql("CREATE TABLE later AS SELECT 1 AS one")
        found.switch()
        yield found


@pytest.mark.parametrize(
    "option", ["--recover-to=latest", "--timeline=2", "--set=20261129", "--wal=."]
)
def test_no_dump_is_recovered(option: str, shops: Shops, report_dir: Path) -> None:
    """A user who asks for a point in time must not get a green drill of a dump."""
    dump = shops.dump(15, "plain.sql")

    drill = run_drill(option, f"--backup={dump}", report_dir=report_dir)

    assert drill.code == 4, drill.output
    assert "only a physical backup is recovered, and" in drill.output
    assert option.partition("=")[0] in drill.output


@pytest.mark.parametrize("target", ["container", "database"])
def test_files_need_a_server_of_their_own(target: str, server: Source, report_dir: Path) -> None:
    """No other target can take them."""
    drill = run_drill(
        f"--target={target}", f"--backup={server.folder / 'base'}", report_dir=report_dir,
        DATABASE_URL="postgresql://user@127.0.0.1:1/db",
    )  # fmt: skip

    assert drill.code == 4, drill.output
    assert f"cannot be {target} for a physical backup" in drill.output


def test_a_set_is_of_a_repository(server: Source, report_dir: Path) -> None:
    """A folder holds one backup."""
    drill = run_drill("--set=20261129", f"--backup={server.folder / 'base'}", report_dir=report_dir)

    assert drill.code == 4, drill.output
    assert "'20261129' names a backup of a repository, and base is none" in drill.output


def test_an_earlier_point_is_no_loss(server: Source, report_dir: Path) -> None:
    """What was made after the point is not missing, and the next drill is not measured by it."""
    backup, state = f"--backup={server.folder / 'base'}", str(report_dir / "state")
    for goal, is_there in (("latest", True), ("name:before", False), ("LATEST", True)):
        drill = run_drill(
            "-k", "not redis", backup, f"--recover-to={goal}", "--production-settings",
            report_dir=report_dir, XDG_STATE_HOME=state,
        )  # fmt: skip
        assert drill.code == 0, drill.output
        assert ("public.later" in drill.result["tables"]) == is_there
        assert ("test_recovery_point_is_recent_enough" in drill.ran) == is_there
        assert "--production-settings changes nothing here" in " ".join(drill.result["notes"])
