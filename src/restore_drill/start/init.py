"""`restore-drill init`: a drill folder and a workflow for a user's own repository."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from restore_drill import __version__
from restore_drill.config.own import MARK, NAME, is_own_drill
from restore_drill.core.calling import SUITE
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.printable import printable

TEMPLATES = Path(__file__).with_name("templates")

ONLY_HERE = "# drill/sample.toml is a filled-in example.\n"
"""Stands in the criteria file of a clone, and names what is not there elsewhere."""

SCHEMA = "criteria.schema.json"
"""What editors check the criteria file by; one of another version is replaced."""

WORKFLOW = Path(".github/workflows/restore-drill.yml")

IGNORED = "drill-report/"
"""Folder of the reports, which hold names of tables and numbers of rows."""

NEXT = (
    "Next: drill your backups: BACKUP_PATH=/var/backups/shop restore-drill",
    f"      then set the criteria for your database in {NAME}/criteria.toml",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""
    del parser


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Write what is missing in the current folder, and say what was written; the exit code: 0.

    What is there stays as it is. Raises `UsageError` in a clone of restore-drill, `CouldNotRun`
    where something cannot be written.
    """
    del parsed
    here = Path.cwd()
    if here.is_relative_to(root):
        raise UsageError(f"{root} is restore-drill itself: put your criteria into its drill/")
    remove_other_schema(here / NAME / SCHEMA)
    for path, text in files():
        outcome = "written" if write_new(here / path, text) else "kept"
        note(f"{outcome:<14}{path}")
    if (here / ".git").exists():
        ignore_reports(here / ".gitignore")
    if not is_own_drill(here / NAME):
        raise UsageError(
            f"{NAME}/conftest.py existed before and does not import from {MARK}, so "
            f"`pytest {NAME}/` runs no drill; add to it what "
            f"{TEMPLATES / 'conftest.py.txt'} contains"
        )
    if not (here / ".git").exists():
        note(
            f"GitHub reads {WORKFLOW} only in the top folder of a repository, and this "
            "folder is not one"
        )
    for line in NEXT:
        note(line)
    return 0


def ignore_reports(path: Path) -> None:
    """Add the folder of the reports to the `.gitignore` at `path`, where no line names it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if any(line.strip().strip("/") == "drill-report" for line in lines):
            return
        end = "" if not lines or path.read_bytes().endswith(b"\n") else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{end}{IGNORED}\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotRun(f"{path} cannot be written: {error}") from None
    note(f"{'added':<14}{IGNORED} to {path.name}")


def files() -> Iterator[tuple[Path, str]]:
    """Each file by its path in the repository, with its text."""
    drill = Path(NAME)
    yield drill / "criteria.toml", shipped("criteria.toml").replace(ONLY_HERE, "")
    yield drill / SCHEMA, shipped(SCHEMA)
    yield drill / "conftest.py", template("conftest.py")
    yield drill / "test_application.py", template("test_application.py")
    yield drill / "sql" / "indexes_are_valid.sql", template("indexes_are_valid.sql")
    yield WORKFLOW, template("workflow.yml").replace("VERSION", __version__)


def shipped(name: str) -> str:
    """Text of the file `name` of the standard criteria."""
    return (SUITE / "drill" / name).read_text(encoding="utf-8")


def remove_other_schema(path: Path) -> None:
    """Remove a schema that another version of the package has written to `path`."""
    with suppress(OSError):
        if path.read_bytes() != shipped(SCHEMA).encode() and not path.is_symlink():
            path.unlink()


def template(name: str) -> str:
    """Text of the template `name`."""
    return (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")


def write_new(path: Path, text: str) -> bool:
    """Write `text` where nothing lies at `path`, not even a dangling link; whether it was so."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise CouldNotRun(f"{path.parent} is a file: {path.name} cannot be put there") from None
    except OSError as error:
        raise CouldNotRun(f"{path} cannot be written: {error.strerror}") from None
    return True


def note(text: str) -> None:
    """One line on standard output."""
    sys.stdout.write(printable(text) + "\n")
