"""The settings of a recovering server: ours alone, of the backup's files none is read."""

from __future__ import annotations

from pathlib import Path

from restore_drill.recovery.control_data import ControlData
from restore_drill.servers import cleanup
from restore_drill.servers.launcher import Launcher
from restore_drill.servers.tuning import MB, server_settings

LOCAL_ONLY = "local all all trust\n"
"""Its socket lies where only we come to."""
BUFFERS = "128MB"
"""With 1 GB of them, 1 GB of files was examined in 3.9 s instead of 5.0, and recovered in 4.0 s
instead of 3.3: most of that in the start, 0.8 s instead of 0.3."""


PREPARED = 1000
"""Prepared transactions that there is room for at least: the source may have raised its limit since
the backup, which WAL that is replayed then needs. A thousand take 2 MB."""


def recovery_settings(run: Path, control: ControlData) -> dict[str, str]:
    """Make the settings of a server that recovers in `run`.

    Without hot standby no limit of the source is checked; those that replay itself needs are met:
    prepared transactions, and the locks that they hold.
    """
    settings = server_settings(run)
    segment = control.segment_size // MB
    prepared = max(control.limits["max_prepared_xacts"], PREPARED)
    connections = int(settings["max_connections"])
    locks = control.limits["max_locks_per_xact"] * (control.limits["max_connections"] + prepared)
    least = int(settings["max_locks_per_transaction"])
    wal = int(settings["max_wal_size"].removesuffix("MB"))
    return settings | {
        "hba_file": str(run / cleanup.HBA),
        "ident_file": str(run / cleanup.IDENT),
        "hot_standby": "off",
        "max_prepared_transactions": str(prepared),
        "max_locks_per_transaction": str(max(least, -(-locks // (connections + prepared)))),
        "shared_buffers": BUFFERS,
        "min_wal_size": f"{max(80, 2 * segment)}MB",
        "max_wal_size": f"{max(wal, 4 * segment)}MB",
        "ssl": "off",
        "restart_after_crash": "on",
        "log_checkpoints": "off",
        "lc_messages": "C",
        # Seconds since 1970, which need no zone and no parsing.
        "log_line_prefix": "%n ",
    }


def write_settings(run: Path, launcher: Launcher, settings: dict[str, str]) -> Path:
    """Write `settings`, and who may connect, into the run directory; its file."""
    config = run / cleanup.CONFIG
    lines = ("{} = '{}'\n".format(name, text.replace("'", "''")) for name, text in settings.items())
    texts = {config: "".join(lines), run / cleanup.HBA: LOCAL_ONLY, run / cleanup.IDENT: ""}
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
        launcher.own(path)
    return config
