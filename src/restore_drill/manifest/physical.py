"""What a manifest says of a physical backup, and whether a recovered server can be held to it.

The facts of a manifest are those of a snapshot. Recovery up to the LSN of its `Point` brings the
transactions that this snapshot sees, and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from restore_drill.backups.physical.model import lsn_of, show_lsn
from restore_drill.core.json_values import text, whole
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_count
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.manifest.point import Point, point_from
from restore_drill.servers.model import Target

UNLOGGED = "it is unlogged: recovery empties it"
REWRITTEN = (
    "it was emptied or written anew while the facts were read, which a snapshot does not hide"
)

MOVED = "the schema was changed while the facts were read"


@dataclass(frozen=True)
class PhysicalFacts:
    """What a manifest says of a physical backup besides what it says of every backup.

    `form` is tar or plain. Recovery begins at `start_lsn`, and is consistent at `stop_lsn`.
    `databases` holds their bytes, `tablespaces` where they lie in the source. An increment is of
    the full backup that `full` names. Tables and sequences that are `apart` cannot be compared: why
    not by name. Where the schema `is_moved`, it was changed while it was read. Where there is no
    `point`, `why_not` says so.
    """

    form: str
    compression: str
    start_lsn: int
    stop_lsn: int
    timeline: int
    databases: Mapping[str, int | None] = field(default_factory=dict)
    tablespaces: Mapping[str, str] = field(default_factory=dict)
    apart: Mapping[str, str] = field(default_factory=dict)
    is_moved: bool = False
    full: str = ""
    point: Point | None = None
    why_not: str = ""

    def as_json(self) -> dict[str, Any]:
        """The facts in JSON's own types."""
        return {
            "kind": "pg_basebackup",
            "format": self.form,
            "compression": self.compression,
            "start_lsn": show_lsn(self.start_lsn),
            "stop_lsn": show_lsn(self.stop_lsn),
            "timeline": self.timeline,
            "databases": dict(self.databases),
            "tablespaces": dict(self.tablespaces),
            "apart": dict(self.apart),
            "schema_changed": self.is_moved,
            "increment_of": self.full,
            "point": self.point.as_json() if self.point else None,
            "no_point": self.why_not,
        }


def physical_from(raw: dict[str, Any] | None) -> PhysicalFacts | None:
    """Facts in `raw`, None where it holds none; KeyError, TypeError or ValueError if not ours."""
    if raw is None:
        return None
    return PhysicalFacts(
        form=text(raw["format"]),
        compression=text(raw["compression"]),
        start_lsn=lsn_of(text(raw["start_lsn"])),
        stop_lsn=lsn_of(text(raw["stop_lsn"])),
        timeline=whole(raw["timeline"]),
        databases={
            text(name): None if size is None else whole(size)
            for name, size in raw["databases"].items()
        },
        tablespaces={text(name): text(path) for name, path in raw["tablespaces"].items()},
        apart={text(name): text(why) for name, why in raw["apart"].items()},
        is_moved=raw["schema_changed"] is True,
        full=text(raw["increment_of"]),
        point=point_from(raw["point"]),
        why_not=text(raw["no_point"]),
    )


def without(found: Fingerprint, apart: Mapping[str, str], *, is_moved: bool) -> Fingerprint:
    """`found` without what is `apart` and, where it `is_moved`, the schema; with why it is not.

    To be held to a manifest, the facts of the recovered database must be without the same.
    """
    reasons = [(f"content of {each}", why) for each, why in apart.items()]
    reasons += [("the definitions of all objects", MOVED)] if is_moved else []
    return replace(
        found,
        tables={name: each for name, each in found.tables.items() if name not in apart},
        sequences={name: each for name, each in found.sequences.items() if name not in apart},
        schema={} if is_moved else found.schema,
        written=None if is_moved else found.written,
        left_out=(*found.left_out, *reasons),
    )


def comparable(
    facts: PhysicalFacts | None, system: str, recovered: Target, *, ended: int | None = None
) -> str:
    """Why the database `recovered` cannot be held to a manifest of these `facts`; empty if it can.

    `system` is the identifier of the cluster in the manifest, `ended` the LSN at which replay
    ended, where that is known: a server that was started again after its recovery does not tell.
    """
    if facts is None or facts.point is None:
        return facts.why_not if facts else "the manifest is of no physical backup"
    point = facts.point
    try:
        with recovered.connect_read_only() as connection:
            row = connection.execute(
                "SELECT system_identifier::text, pg_last_wal_replay_lsn()::text,"
                " (SELECT count(*) FROM unnest(%s::text[]) xid"
                " WHERE pg_xact_status(xid::xid8) = 'committed')"
                " FROM pg_control_system()",
                [list(map(str, point.unfinished))],
            ).fetchone()
    except psycopg.Error as error:
        return f"the recovered server cannot be asked where it stands: {error_text(error)}"
    assert row is not None
    if system and row[0] != system:
        return f"the recovered server is of another cluster: {row[0]}, the manifest is of {system}"
    if ended is None and row[1] is not None:
        ended = lsn_of(row[1])
    return why_not_at(point, ended, int(row[2]))


def why_not_at(point: Point, ended: int | None, late: int) -> str:
    """Why a recovery that `ended` there does not hold what was read at `point`."""
    if ended is None:
        return "where recovery ended is not known: the server was started again since"
    if not point.lsn < ended <= point.before:
        return (
            f"recovery ended at {show_lsn(ended)}, and what the manifest holds was read at "
            f"{show_lsn(point.lsn)}: recover to {point.recover_to}"
        )
    if late:
        return (
            f"{show_count(late, 'transaction')} had been committed and could not be seen yet "
            "when the manifest was made (it waited for a standby)"
        )
    return ""
