"""Names that are nearly those of the drill: what was meant is named, nothing is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.commands import main
from restore_drill.config.near import misspelled
from tests.helpers.drills import run_drill

NEAR = ["BACKUP_PAHT", "BACKUP_PATHS", "BACKUPPATH", "DATABSE_URL", "DATABASE_URI", "REDIS_URI"]
OTHERS = ["BACKUP_DIR", "BACKUP_PATHXX", "PATH", "DATABASE", "REDIS", "DB_URL"]


@pytest.mark.parametrize("name", NEAR)
def test_variable_one_edit_away_is_named(name: str) -> None:
    """Where the right one is unset; its value is not shown."""
    (line,) = misspelled({name: "hunter2"})

    assert line.startswith(f"{name} is set, ") and "hunter2" not in line


def test_other_variables_are_not_named() -> None:
    """Neither those that are less alike, nor any where the right one is set."""
    right = dict.fromkeys(("BACKUP_PATH", "DATABASE_URL", "REDIS_URL"), "x")

    assert misspelled(dict.fromkeys(OTHERS, "x")) == ()
    assert misspelled(dict.fromkeys(NEAR, "x") | right) == ()


def test_drill_warns_of_it_and_goes_on(report_dir: Path) -> None:
    """One line at the start; none where a backup is named."""
    drill = run_drill("-k", "redis", report_dir=report_dir, BACKUP_PAHT="/x", DATABASE_URI="x")

    assert drill.code == 0, drill.output
    assert drill.output.count("BACKUP_PAHT is set, BACKUP_PATH is not") == 1
    assert drill.output.count("DATABASE_URI is set, DATABASE_URL is not") == 1
    assert drill.output.index("BACKUP_PAHT") < drill.output.index("criteria passed")


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (["reference", "--ouput", "X"], "--output"),
        (["backup", "--formt=plain"], "--format"),
        (["rollback", "a.dump", "--confirm-rest", "shop"], "--confirm-reset"),
        (["clean", "--hlep"], "--help"),
        (["init", "--hlep"], "--help"),
        (["completion", "--hlep"], "--help"),
        (["status", "--hlep"], "--help"),
        (["accept", "--hlep"], "--help"),
        (["drill", "--bakcup=X"], "--backup"),
    ],
)
def test_misspelled_option_of_any_command_is_named(
    command: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the one that was meant, exit 4, before anything is done."""
    code = main(command)

    assert code == 4
    assert f"did you mean {meant}?" in capsys.readouterr().err
