"""A live database that is reset in place without a drill around it: by the engine alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from restore_drill.backups.read import read_contents
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.journal import resets_of
from restore_drill.live.in_place.place import InPlace
from restore_drill.live.in_place.rehearsal import refuse_what_is_lost
from restore_drill.live.in_place.restoring import restore_live
from restore_drill.live.in_place.roll_back import roll_back
from restore_drill.live.in_place.safety import Snapshot, take_snapshot
from restore_drill.live.in_place.shut import in_place
from restore_drill.live.in_place.source import read_source
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from tests.helpers.drills import run_script
from tests.helpers.shop import quiet

SET_UP = """
    SELECT d.datconnlimit, s.setconfig FROM pg_database d
    LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0 WHERE datname = %s
"""


def live_of_keeper(server: EmbeddedServer, test: str, script: str) -> Target:
    """New live database for the `test`, which belongs to the role keeper and holds `script`."""
    name = f"shop {abs(hash(test)) % 10**8}"
    made = server.create_database(name)
    with made.connect() as connection:
        connection.execute(f'ALTER DATABASE "{name}" OWNER TO keeper'.encode())
        connection.execute(script.encode())
    return as_live(made, "keeper")


def set_up(live: Target) -> object:
    """What is set for the database as a whole: its connection limit, and settings."""
    with live.connect() as connection:
        return connection.execute(SET_UP.encode(), [live.conninfo["dbname"]]).fetchone()


def as_live(target: Target, user: str = "postgres") -> Target:
    """`target` as a server of somebody else's, to which we come as `user`."""
    conninfo = target.conninfo | {"user": user}
    is_mighty = target.without_event_triggers and user == "postgres"
    return replace(
        target, kind="database", throwaway=False, isolated=None, conninfo=conninfo,
        without_event_triggers=is_mighty,
    )  # fmt: skip


def reset(place: InPlace, hold: Hold, at: Callable[[str], None] = quiet) -> Snapshot:
    """Take the snapshot of `place`, which is shut, and reset it; `at` is called at each moment."""
    hold.stop_writes()
    refuse_what_is_lost(hold)
    kept = take_snapshot(place.target, place.folder, name="pre_drill_snapshot", jobs=2,
                         progress=quiet)  # fmt: skip
    at("snapshot")
    place.about_to_reset(hold, kept.path)
    at("noted")
    hold.reset(lambda: at("being reset"))
    return kept


def go_back(hold: Hold, kept: Snapshot) -> None:
    """Roll back to the snapshot that was `kept`."""
    roll_back(
        hold, kept.backup, kept.contents, kept.fingerprint, jobs=2, opening="", progress=quiet,
        keep=lambda _: None,
    )  # fmt: skip


def rolled_back_by_command(live: Target, folder: Path) -> None:
    """Do what `restore-drill rollback` does with the snapshot that the open journal names."""
    with in_place(live, folder, 1.0, jobs=2) as place:
        (journal,) = resets_of(folder, place.server)
        path = folder / journal.snapshot
        source = read_source(path)
        assert source is not None
        backup = as_backup(look_at(path, UTC))
        contents = read_contents(backup, folder, quiet)
        restore_live(place, path, backup, contents, source.fingerprint, keep=True, note=quiet)


KILLED = """
import json, os, sys
from pathlib import Path
from restore_drill.live.server.deferred import DeferredSignals
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.shut import in_place, kept_shut
from restore_drill.live.in_place.journal import KEPT, RESET, ROLLED_BACK
from restore_drill.live.in_place.safety import take_snapshot
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.helpers.in_place import go_back, reset

def at(moment):
    print(moment, flush=True)
    if moment == sys.argv[3]:
        os.kill(os.getpid(), 9)

conninfo = json.loads(sys.argv[1])
live = Target("database", conninfo, int(sys.argv[4]),
              find_binaries(int(sys.argv[4]) // 10000, note=print), throwaway=False)
with in_place(live, Path(sys.argv[2]), 1.0) as place:
    at("locked")
    with DeferredSignals(), kept_shut(place):
        at("shut")
        with Hold(place.target, place.lock) as hold:
            kept = reset(place, hold, at)
            at("reset")
            if sys.argv[5] == "keep":
                place.advance(KEPT)
                at("kept")
            else:
                hold.reset_again()
                at("reset again")
                go_back(hold, kept)
                at("restored again")
                place.advance(ROLLED_BACK)
                at("rolled back")
            place.decided(place.journal.step)
"""


def drill_and_kill(
    live: Target, folder: Path, moment: str, verdict: str = "roll back"
) -> subprocess.CompletedProcess[str]:
    """Reset in place in a process of its own, which is killed at `moment`."""
    conninfo, version = json.dumps(live.conninfo), str(live.server_version)
    return run_script(KILLED, conninfo, str(folder), moment, version, verdict)
