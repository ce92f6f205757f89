"""What is asked of the server and of the disk before a base backup is begun."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.names import apart
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, some
from restore_drill.facts.session import Connection
from restore_drill.manifest.backup import system_of
from restore_drill.manifest.source import refuse_row_security
from restore_drill.servers.model import Target
from restore_drill.taking.physical.form import PLAIN, PhysicalForm

SENDERS = 2
"""One for the files, one for the WAL."""
LEAST = 10
"""Compressed files take a tenth of their room at least, as far as anybody knows before."""
ABOUT = """
    SELECT rolsuper OR rolreplication, current_setting('wal_level'),
        current_setting('max_wal_senders')::int,
        (SELECT setting::int FROM pg_settings WHERE name = 'wal_segment_size'),
        coalesce(current_setting('summarize_wal', true), 'on')
    FROM pg_roles WHERE rolname = current_user
"""
SIZES = """
    SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT')
        OR pg_has_role('pg_read_all_stats', 'MEMBER') THEN pg_database_size(oid) END
    FROM pg_database ORDER BY 1
"""
TABLESPACES = """
    SELECT spcname, pg_tablespace_location(oid) FROM pg_tablespace
    WHERE pg_tablespace_location(oid) <> '' ORDER BY 1
"""
UNREADABLE = """
    SELECT n.nspname || '.' || c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND c.oid >= 16384
        AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'))
    ORDER BY 1
"""


@dataclass(frozen=True)
class Cluster:
    """A server that a base backup is taken of: its identifier, the bytes of its databases.

    `databases` has None for one whose size the role may not know. `tablespaces` are where they lie
    by name, `segment` is the size of a segment of its WAL.
    """

    system: str
    server: str
    databases: dict[str, int | None]
    tablespaces: dict[str, str]
    segment: int

    @property
    def size(self) -> int:
        """Bytes of all databases, as far as they are known."""
        return sum(each or 0 for each in self.databases.values())


def look_before(target: Target, form: PhysicalForm) -> Cluster:
    """What the server is; CouldNotRun where it would refuse, or some of it could not be read."""
    if "," in target.conninfo.get("host", "") + target.conninfo.get("hostaddr", ""):
        raise UsageError("DATABASE_URL names several hosts: a physical backup is of one, name that")
    with target.connect_read_only() as session:
        row = session.execute(ABOUT).fetchone()
        assert row is not None
        may_replicate, wal_level, senders, segment, summarizes = row
        lacking = {
            "no_right": ("the role in DATABASE_URL may not stream", not may_replicate),
            "wal_level": ("its wal_level is minimal", wal_level == "minimal"),
            "senders": (f"its max_wal_senders is {senders}", senders < SENDERS),
            "summaries": (
                "its WAL is not summarized (summarize_wal)",
                form.incremental and summarizes == "off",
            ),
        }
        for cause, (what, is_so) in lacking.items():
            if is_so:
                raise CouldNotRun(
                    f"no backup was taken of {target.description}: {what}",
                    remedy=remedy_for("pg_basebackup", cause),
                )
        if form.facts:
            refuse_unreadable(session, target)
        tablespaces = {str(name): str(place) for name, place in session.execute(TABLESPACES)}
        if tablespaces and form.name == PLAIN:
            raise CouldNotRun(
                "no backup was taken: as plain files it would hold links to its tablespaces: "
                + some(list(tablespaces), 5),
                remedy=remedy_for("physical_backup", "plain_tablespaces"),
            )
        sizes = {str(name): size for name, size in session.execute(SIZES)}
        server = session.info.parameter_status("server_version") or ""
        return Cluster(system_of(session), server, sizes, tablespaces, int(segment))


def refuse_unreadable(session: Connection, target: Target) -> None:
    """CouldNotRun where the role may not read some table, or not all of its rows."""
    refuse_row_security(session, target)
    tables = [str(row[0]) for row in session.execute(apart(UNREADABLE).encode())]
    if tables:
        raise CouldNotRun(
            f"no backup was taken: the role in DATABASE_URL may not read {some(tables, 5)}, so "
            "that a drill could not be held to it",
            checked=[target.description, "has_table_privilege()"],
            remedy=remedy_for("physical_backup", "unreadable"),
        )


def refuse_without_room(cluster: Cluster, form: PhysicalForm, folder: Path) -> str:
    """CouldNotRun where `folder` cannot take the backup; a warning where it may be too much."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    if form.incremental:
        return ""
    least = cluster.size // LEAST if form.compression else cluster.size
    room = f"{show_bytes(free)} are free in {folder}, the databases have {show_bytes(cluster.size)}"
    if free < least:
        raise CouldNotRun(
            f"no backup was taken: {room}", remedy=remedy_for("physical_backup", "no_room")
        )
    return f"there may be too little room: {room}" if free < cluster.size else ""
