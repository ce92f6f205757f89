"""What the drill says of the server that it restores into."""

from __future__ import annotations

from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.core.units import capitalised
from restore_drill.servers.model import Target

ONLY_READ = "which is not changed"
ISOLATED = "the throwaway server was isolated: no network, and no files but its own"


def announce(
    target: Target, source_major: int | None, source: str, steps: Steps, record: Record
) -> None:
    """Say which server it is, and how its version differs from that of the `source`."""
    record.tools = target.binaries.version_text
    record.target = {
        "kind": target.kind,
        "server_version": target.version,
        "description": target.description,
        "isolated": target.isolated,
    }
    if target.kind == "database":
        name = target.conninfo["dbname"]
        way = "beside" if target.beside else "in-place"
        record.target |= {"way": way, "database": name, "live_database": target.beside or name}
    steps.ok(f"Database connectivity confirmed: {target.description}")
    if target.is_absent:
        steps.note(f"A new database, since there is no {target.beside}")
    elif target.beside:
        what = "which gives up its name once this one is proved" if record.promotion else ONLY_READ
        steps.note(f"A new database beside {target.beside}, {what}")
    if target.isolated is False:
        note = f"the throwaway server was not isolated: {target.exposed}"
        steps.warn(capitalised(note))
        record.notes.append(note)
    elif target.isolated:
        record.notes.append(ISOLATED)
    if source_major and source_major != target.major:
        note = f"restored into PostgreSQL {target.version}, the source was {source}"
        steps.warn(capitalised(note))
        record.warnings.append(note)
