"""The drill of a database as a job that any worker can run: its options, variables and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from restore_drill.config.criteria import load_criteria
from restore_drill.config.criteria_file import REFERENCE
from restore_drill.core.errors import UsageError
from restore_drill.core.units import show_bytes
from restore_drill.fleet.model import Database, Job, Needs

OWN = "drill"
"""Folder in which criteria come along: the drill looks there by itself."""
CARRIED = (".py", ".sql", ".toml", ".txt")
MOST = 10_000_000
"""Bytes of criteria that go to a worker."""


def job_of(database: Database, needs: Needs, seconds: float | None = None) -> Job:
    """The drill of `database`, which has these `needs`, and took so many `seconds` before.

    UsageError where its criteria cannot be read, or lie in several places.
    """
    return Job(
        name=database.name,
        arguments=tuple(arguments_of(database, needs)),
        environment=environment_of(database),
        files=dict(files_of(database.criteria)) if database.criteria else {},
        needs=needs,
        source=database.source,
        owner=database.owner,
        timeout=database.timeout,
        seconds=seconds,
    )


def arguments_of(database: Database, needs: Needs) -> Iterator[str]:
    """Options of the drill; secrets are in none of them."""
    yield "--require-backup"
    yield f"--target={database.target}"
    if database.backup:
        yield f"--backup={database.backup}"
    if database.series:
        yield f"--series={database.series}"
    if database.criteria is not None:
        yield f"--criteria={OWN}/{database.criteria.name}"
    for name, value in database.budgets.items():
        yield f"--{name.replace('_', '-')}={value}"
    if needs.cores is not None:
        yield f"--jobs={needs.cores}"
    yield from database.options


def environment_of(database: Database) -> dict[str, str]:
    """Variables of the drill: where its backups lie, and what the inventory adds.

    One database's alerts are the fleet's to send, in one message for all.
    """
    own = {"BACKUP_PATH": database.backups} if database.backups else {}
    return {**own, **database.environment, "DRILL_NOTIFY": ""}


def files_of(criteria: Path) -> Iterator[tuple[str, bytes]]:
    """The criteria file with all that it needs, by the paths that they have on the worker.

    SQL criteria and the reference come from beside it; of a folder called `drill` tests in Python
    come along too.
    """
    home = criteria.parent
    found = {criteria}
    folder = load_criteria(criteria).sql_folder
    if folder is not None and folder.is_dir():
        if not folder.is_relative_to(home):
            raise UsageError(
                f"{criteria}: its SQL criteria lie in {folder}, which is not below {home}; "
                "move them there, so that they come along to a worker"
            )
        found |= {each for each in folder.rglob("*.sql") if each.is_file()}
    if (home / REFERENCE).is_file():
        found.add(home / REFERENCE)
    if home.name == OWN:
        found |= {each for each in home.rglob("*") if each.suffix in CARRIED and each.is_file()}
    total = 0
    for path in sorted(found):
        data = path.read_bytes()
        total += len(data)
        if total > MOST:
            raise UsageError(f"{home} holds more than {show_bytes(MOST)} of criteria")
        yield f"{OWN}/{path.relative_to(home).as_posix()}", data
