"""What pg_controldata says of a data directory whose server does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.model import lsn_of
from restore_drill.core.errors import BackupFault
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.launcher import Launcher, small_environment

SHUT_DOWN = ("shut down", "shut down in recovery")


class ControlData(NamedTuple):
    """What is needed of it: `redo` is where its checkpoint begins, in bytes.

    `timeline` is that of the checkpoint, `before` the one before it, which differs after a
    promotion. `limits` are the settings of the source that a server must not fall short of. Replay
    must reach `least`: its pages are of no earlier place.
    """

    system: str
    state: str
    redo: int
    timeline: int
    before: int
    segment_size: int
    limits: dict[str, int]
    has_checksums: bool
    least: int = 0

    @property
    def is_shut_down(self) -> bool:
        """Whether its server was shut down in order: no WAL is needed to make it whole."""
        return self.state in SHUT_DOWN


LIMITS = (
    "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_xacts",
    "max_locks_per_xact",
)  # fmt: skip


def read_control_data(binaries: Binaries, launcher: Launcher, data: Path) -> ControlData:
    """Control data of the data directory `data`; BackupFault where there are none to be read."""
    home = data.parent
    answer = launcher.run(
        [binaries.tool("pg_controldata"), "-D", str(data)],
        cwd=home,
        env=small_environment(binaries, str(home)) | {"LC_ALL": "C"},
    )
    pairs = [line.partition(":") for line in answer.stdout.splitlines()]
    found = {name.strip(): value.strip() for name, _, value in pairs}
    try:
        # It reads on where the checksum is wrong; the server does not.
        if answer.returncode or "WARNING" in answer.stdout:
            raise ValueError
        return ControlData(
            system=found["Database system identifier"],
            state=found["Database cluster state"],
            redo=lsn_of(found["Latest checkpoint's REDO location"]),
            timeline=int(found["Latest checkpoint's TimeLineID"]),
            before=int(found["Latest checkpoint's PrevTimeLineID"]),
            segment_size=int(found["Bytes per WAL segment"]),
            limits={name: int(found[f"{name} setting"]) for name in LIMITS},
            has_checksums=found["Data page checksum version"] != "0",
            least=lsn_of(found["Minimum recovery ending location"]),
        )
    except (KeyError, ValueError):
        lines = [line for line in answer.stdout.splitlines() if line.strip()][:3]
        raise BackupFault(
            "the backup's control file (global/pg_control) is damaged: no server can start from it",
            checked=lines or ["pg_controldata gave no answer"],
            remedy=remedy_for("recovery", "damaged"),
        ) from None
