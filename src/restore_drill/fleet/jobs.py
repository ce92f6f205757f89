"""The drill of a database as a job that any worker can run: its options, variables and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from restore_drill.checks.files import read_folder
from restore_drill.config.alerts import ALERTS, split_urls
from restore_drill.config.criteria import Criteria
from restore_drill.config.criteria.notify import Notify
from restore_drill.config.criteria_file import REFERENCE, sql_folder_of
from restore_drill.config.environment import NO_FILES
from restore_drill.config.options import OPTIONS, VARIABLES
from restore_drill.core.errors import UsageError
from restore_drill.core.units import show_bytes
from restore_drill.fleet.model import Database, Job, Needs

OWN = "drill"
"""Folder in which criteria come along: the drill looks there by itself."""
CARRIED = (".py", ".sql", ".toml", ".txt")
OF_A_MACHINE = (
    "history", "machine", "image", "redis_image", "cache", "cache_size", "decrypt_key",
    "decrypt_options", "sign",
)  # fmt: skip
"""Options that a worker may set for all that it drills: what it has, and where it may keep what."""
CHOICES = frozenset(
    {
        VARIABLES["backup_path"],
        VARIABLES["database_url"],
        VARIABLES["redis_url"],
        "GITHUB_STEP_SUMMARY",
        *(name for option in OPTIONS.values() if option.name not in OF_A_MACHINE
          for name in option.variables),
    }
)  # fmt: skip
"""Variables of a worker that would choose what is drilled, and how strictly: the inventory does."""
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
    if database.series:
        yield f"--series={database.series}"
    if database.criteria is not None:
        yield f"--criteria={OWN}/{database.criteria.path.name}"
    for name, value in database.budgets.items():
        yield f"--{name.replace('_', '-')}={value}"
    if needs.cores is not None:
        yield f"--jobs={needs.cores}"
    yield from database.options


def environment_of(database: Database) -> dict[str, str]:
    """Variables of the drill: where its backups lie, and what the inventory adds.

    A link may hold a signature, so it is no option. One database's alerts are the fleet's to send,
    in one message for all: the drill has no channel.
    """
    own = {VARIABLES["backup_path"]: database.backups} if database.backups else {}
    if database.backup:
        own[OPTIONS["backup"].variable] = database.backup
    silent = dict.fromkeys((*ALERTS, *notify_of(database).channels), "")
    return {**own, **database.environment, **silent, NO_FILES: "1"}


def notify_of(database: Database) -> Notify:
    """`[notify]` of its criteria file."""
    return database.criteria.notify if database.criteria else Notify()


def with_channels(database: Database, environment: Mapping[str, str]) -> Database:
    """`database`, which also tells the channels that `[notify]` of its criteria file names."""
    names = notify_of(database).channels
    more = [url for name in names for url in split_urls(environment.get(name, ""))]
    return replace(database, notify=tuple(dict.fromkeys((*database.notify, *more))))


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What a drill has of a worker's `environment`: all but what the inventory decides."""
    return {
        name: value
        for name, value in environment.items()
        if name not in CHOICES and not name.startswith("PYTEST_")
    }


def files_of(criteria: Criteria) -> Iterator[tuple[str, bytes]]:
    """The criteria file with all that it needs, by the paths that they have on the worker.

    SQL criteria, the reference and a configuration of pgBackRest come from beside it; of a folder
    called `drill` tests in Python come along too.
    """
    home = criteria.path.parent
    found = {criteria.path}
    folder, repository = sql_folder_of(criteria), criteria.backup_pgbackrest
    if folder.is_dir():
        if not folder.is_relative_to(home):
            raise UsageError(
                f"{criteria.path}: its SQL criteria lie in {folder}, which is not below {home}; "
                "move them there, so that they come along to a worker"
            )
        found |= set(read_folder(folder))
    config = repository and repository.config
    if config and config.is_relative_to(home) and config.is_file():
        found.add(config)
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
