"""Examines a recovered server: files, tables and indexes of all its databases, before any row.

The order is of need: a damaged row may crash the server that reads it. Files are read past it;
amcheck reads tables calmly, and only what is sound is read as rows afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg

from restore_drill.core.calling import installs
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.physical.amcheck import BY_ORDER, NO_LIBRARY, Amcheck, Said
from restore_drill.facts.physical.databases import Database, open_each, quiet, read_cluster
from restore_drill.facts.physical.examination import Examination
from restore_drill.facts.physical.guard import Away, Guard
from restore_drill.facts.physical.outcomes import lost_outcomes, read_known
from restore_drill.facts.physical.telling import tell
from restore_drill.facts.session import open_session
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target

PAGE = 8192
"""Bytes of a page that we read; a server may be built with others."""

END_OF_WAL = "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint"

Progress = Callable[[str], None]


def examine(
    server: EmbeddedServer,
    databases: Sequence[str],
    jobs: int,
    progress: Progress,
    *,
    revive: Callable[[], None] = lambda: None,
) -> Examination:
    """Examine `databases` of `server`, of which the first is the one that the drill is about.

    `revive` has the server back after a crash, where more than waiting is to be done.
    """
    targets = [(name, server.target(name)) for name in databases]
    guard = Guard(server.target(databases[0]).why_ended, revive)
    return examine_targets(server.run.data, targets, jobs, progress, guard)


def examine_targets(
    data: Path,
    targets: Sequence[tuple[str, Target]],
    jobs: int,
    progress: Progress,
    guard: Guard | None = None,
) -> Examination:
    """The same, of databases by their names, of a server whose data directory is `data`."""
    guard = guard or Guard(targets[0][1].why_ended)
    found = Examination(guard=guard)
    try:
        quietly = [(name, quiet(target)) for name, target in targets]
        found.databases, found.unopened = open_each(quietly, guard)
        if found.databases:
            read_files(found, data, jobs, progress)
            for database in found.databases:
                check_storage(found, database, jobs, progress)
    except Away as error:
        found.is_away = True
        found.told.append(("what was to be checked after that", str(error)))
    tell(found)
    return found


def read_files(found: Examination, data: Path, jobs: int, progress: Progress) -> None:
    """Read all files below `data`, as the server has written them."""
    target = found.databases[0].target
    with open_session(target) as session:
        found.cluster = read_cluster(session)
    if found.cluster.page != PAGE or sys.byteorder != "little":
        why = f"pages of {found.cluster.page:,} bytes, or of a processor of this kind, are not read"
        found.told.append(("checksums of pages, and whether index entries meet a row", why))
        return
    need_numpy()
    from restore_drill.facts.physical.reading import read_all  # noqa: PLC0415 - slow to import

    def settle() -> int:
        with target.connect() as session:
            session.execute("CHECKPOINT")
            row = session.execute(END_OF_WAL).fetchone()
        assert row is not None
        return int(row[0])

    relations = [each for database in found.databases for each in database.relations]
    try:
        found.pages = read_all(
            data,
            relations,
            jobs,
            progress,
            checksums_on=found.cluster.checksums_on,
            settle=settle,
        )
        with target.connect() as session:
            found.pages.cut += lost_outcomes(data, read_known(session))
    except psycopg.Error as error:
        found.pages.unreadable.append(f"the server cannot write its pages: {error_text(error)}")


def need_numpy() -> None:
    """CouldNotRun where the library is missing with which pages are read."""
    if find_spec("numpy") is None:
        raise CouldNotRun(
            "physical backups need the library numpy, which is not installed",
            remedy=remedy_for("place", "extra", install=installs("physical")),
        )


def check_storage(found: Examination, database: Database, jobs: int, progress: Progress) -> None:
    """Let amcheck examine all of a database; order that hangs on this machine is no finding."""
    sizes = found.pages.sizes
    relations = [each._replace(pages=sizes.get(each.path, 0)) for each in database.relations]
    check = Amcheck(database.target, relations, found.guard, jobs, progress)
    try:
        said = check.run()
    except psycopg.Error as error:
        if isinstance(error, Away):
            raise
        reason = error_text(error)
        if NO_LIBRARY in reason:
            found.told.append((f"storage of database {database.name}", reason))
        else:
            found.unopened[database.name] = f"amcheck cannot be used in it: {reason}"
        return
    found.examined += check.examined
    found.said += (as_is_known(each, database) for each in said)


def as_is_known(said: Said, database: Database) -> Said:
    """The same; of an index whose collation is another one here, its order is no finding."""
    why = database.orders.get(said.relation.oid)
    if why is None or not any(word in said.what for word in BY_ORDER):
        return said
    return said._replace(what=f"{said.what}, but {why}", is_damage=False)
