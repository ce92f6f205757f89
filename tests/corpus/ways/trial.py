"""Restores one dump by every way, and tells where one is not as psql or pg_restore has it."""

from __future__ import annotations

import contextlib
import itertools
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from restore_drill.backups.model import Backup, Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.restore.model import Restoration, RestoreError
from restore_drill.restore.plain import MAX_ERRORS, restore_plain
from restore_drill.servers.model import Target
from tests.corpus.judge import read_backup, settings_with
from tests.corpus.ways.state import State, differences, state_of
from tests.corpus.ways.ways import WAYS, Way, go
from tests.helpers.shop import Shops, quiet

SQL_ERRORS = re.compile(rb"^(?:psql:.*: ERROR:  |pg_restore: error: )", re.MULTILINE)


@dataclass(frozen=True)
class Dump:
    """One file to restore: what it holds, and the `schema` that is there before, if any.

    With `fingerprint` what the project itself reads of a database is compared too.
    """

    path: Path
    backup: Backup
    contents: Contents
    schema: Path | None = None
    is_run_by_psql: bool = True
    fingerprint: bool = True

    @property
    def encoding(self) -> str:
        """That of the database that a drill would make for it."""
        return self.backup.head.server_encoding


@dataclass(frozen=True)
class Truth:
    """What must come out: the database, how many errors psql met, and which tables no two agree on.

    `errors` is None where no tool has run the dump.
    """

    state: State
    errors: int | None
    unstable: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Trial:
    """What one way came to: whether it was gone to its end, and what is not as it must be."""

    way: str
    is_taken: bool
    wrong: list[str]


class Trials:
    """Restores dumps on the server of one major version of `shops`."""

    def __init__(self, shops: Shops, folder: Path, major: int) -> None:
        """Keep what is unpacked in `folder`."""
        self.shops, self.folder, self.major = shops, folder, major
        self.settings = settings_with()
        self.numbers = itertools.count()

    def dump(self, path: Path, **known: Any) -> Dump:
        """The dump at `path`, read; `known` are further fields of it."""
        found = read_backup(path, self.folder, self.settings)
        return Dump(path, found["backup"], found["contents"], **known)

    @contextlib.contextmanager
    def database(self, dump: Dump) -> Iterator[Target]:
        """A new database for `dump`, dropped at the end."""
        name = f"trial_{next(self.numbers)}"
        target = self.shops.database(self.major, name, encoding=dump.encoding)
        if dump.schema is not None:
            assert not run_tool(target, dump.schema, is_archive=False)
        try:
            yield target
        finally:
            with (
                contextlib.suppress(psycopg.errors.ObjectInUse),  # it has a subscription
                target.connect(dbname="postgres") as connection,
            ):
                connection.execute(f"DROP DATABASE {name} (FORCE)".encode())

    def truth(self, dump: Dump) -> Truth:
        """What psql or pg_restore makes of `dump`; where they may not, what our plainest way does.

        Rows that a trigger or a default stamps with the time are not the same twice.
        """
        first, errors = self.by_tool(dump)
        unstable: frozenset[bytes] = frozenset()
        if dump.schema is not None:
            second, _ = self.by_tool(dump)
            names = first.rows.keys() & second.rows.keys()
            unstable = frozenset(each for each in names if first.rows[each] != second.rows[each])
        return Truth(first, errors, unstable)

    def by_tool(self, dump: Dump) -> tuple[State, int | None]:
        """The database that PostgreSQL's own tool makes of `dump`, and the number of its errors."""
        errors = None
        with self.database(dump) as target:
            may_psql = dump.is_run_by_psql and not dump.contents.misread
            if may_psql and not dump.backup.compression:
                errors = run_tool(target, dump.path, is_archive=dump.backup.is_archive)
            else:
                restore_plain(target, dump.backup, dump.contents, quiet)
            return state_of(target, fingerprint=dump.fingerprint), errors

    def compare(self, dump: Dump, truth: Truth, ways: Sequence[Way] = WAYS) -> Iterator[Trial]:
        """Go every way that fits `dump`; the first one of its kind says which errors there are."""
        model: dict[bool, Restoration | str] = {}
        for way in ways:
            if not way.fits(dump.backup):
                continue
            with self.database(dump) as target:
                done, is_taken = self.gone(way, target, dump)
                is_tool = not isinstance(done, str) and done.way.startswith("pg_restore")
                first = model.setdefault(is_tool, done)
                wrong = of_errors(first, done)
                if not isinstance(done, str) and len(done.errors) < MAX_ERRORS:
                    now = state_of(target, fingerprint=dump.fingerprint)
                    wrong += differences(truth.state, now, unstable=truth.unstable)
                    if done is first and truth.errors not in (None, found(done)):
                        wrong.append(f"{found(done)} errors, psql has {truth.errors}")
                yield Trial(way.name, is_taken, wrong)

    def gone(self, way: Way, target: Target, dump: Dump) -> tuple[Restoration | str, bool]:
        """What came of going `way`, or why it could not be gone; whether that was to its end.

        One that gives up must have left nothing that is in the way of another.
        """
        try:
            gone = go(way, target, dump.backup, dump.contents)
            if gone.restoration is not None:
                return gone.restoration, gone.is_taken
            return restore_plain(target, dump.backup, dump.contents, quiet), False
        except CouldNotRun as error:
            return f"could not run: {'; '.join([error.what, *error.checked])}", False


def found(done: Restoration) -> int:
    """How many errors the server has given."""
    settled = sum("warning: " not in each for each in done.harmless)
    return len(done.errors) + settled


def of_errors(first: Restoration | str, done: Restoration | str) -> list[str]:
    """How errors and warnings of `done` differ from those of the `first` of its kind."""
    if isinstance(first, str) or isinstance(done, str):
        return [f"{shown(first)}, now {shown(done)}"] * (first != done)
    wrong = []
    was, now = errors_in(first), errors_in(done)
    if was != now:
        pairs = itertools.zip_longest(was, now)
        pair = next(each for each in pairs if each[0] != each[1])
        wrong.append(f"{len(was)} errors, now {len(now)}; first {pair[0]} now {pair[1]}")
    if not done.way.startswith("pg_restore") and sorted(first.harmless) != sorted(done.harmless):
        wrong.append(f"harmless: {first.harmless[:3]} now {done.harmless[:3]}")
    return wrong


def shown(done: Restoration | str) -> str:
    """What came of it, in a few words."""
    return done if isinstance(done, str) else f"{len(done.errors)} errors"


def errors_in(done: Restoration) -> list[RestoreError]:
    """Errors; which of two broken keys the server names hangs on which index was made first."""
    return [
        replace(error, message=re.sub(r"(unique_violation).*", r"\1", error.message))
        for error in done.errors
    ]


def run_tool(target: Target, path: Path, *, is_archive: bool) -> int:
    """Restore `path` with psql or pg_restore as a person would; the number of errors."""
    tool = "pg_restore" if is_archive else "psql"
    options = ["--dbname=" + target.conninfo["dbname"], str(path)]
    if not is_archive:
        options = ["--no-psqlrc", "--quiet", "--output=/dev/null", f"--file={path}"]
    done = subprocess.run(
        [target.binaries.tool(tool), "--no-password", *options],
        env=replace(target, without_event_triggers=False).tool_environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return len(SQL_ERRORS.findall(done.stderr))
