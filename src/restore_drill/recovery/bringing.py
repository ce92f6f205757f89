"""One WAL file: from the archive into a directory of ours, looked at, and on to the server."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from restore_drill.backups.physical.files import WAL_DIR
from restore_drill.backups.physical.wal_names import SEGMENT
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.recovery.archives.copying import damaged
from restore_drill.recovery.archives.header import Expected, read_header, why_wrong
from restore_drill.recovery.holes import why_no_history
from restore_drill.recovery.model import Archive
from restore_drill.recovery.new_tablespaces import keep_inside
from restore_drill.servers import untrusted
from restore_drill.servers.cleanup import DATA, RunDirectory
from restore_drill.servers.launcher import Launcher

SEGMENT_AS, HISTORY_AS = "RECOVERYXLOG", "RECOVERYHISTORY"
"""Where PostgreSQL expects what it has asked for."""


class Bringer:
    """Brings files of `archive` into `folder`, which no other account can enter.

    All segments must be of one cluster, `expected`; what is not known of it the first one tells.
    """

    def __init__(self, archive: Archive, folder: Path, expected: Expected) -> None:
        """Nothing is brought yet."""
        self.archive, self.folder, self.expected = archive, folder, expected
        self.numbers = itertools.count()

    def bring(self, name: str) -> Path | None:
        """Path of the file `name`; None where the archive has none.

        BackupFault where it is damaged. It may run in several threads. What it has of tablespaces
        that are made is changed, so that none lies outside of the copy.
        """
        to = self.folder / f"{name}.{next(self.numbers)}"
        try:
            if not self.archive.fetch(name, to):
                to.unlink(missing_ok=True)
                return None
            if why := self.why_wrong(to, name):
                raise damaged(name, self.archive.words, why)
            if SEGMENT.fullmatch(name):
                keep_inside(to)
        except BaseException:
            to.unlink(missing_ok=True)
            raise
        return to

    def why_wrong(self, path: Path, name: str) -> str:
        """Why the file at `path` is not what `name` must be; empty where it is."""
        if not SEGMENT.fullmatch(name):
            return why_no_history(path.read_bytes(), name)
        if why := why_wrong(path, name, self.expected):
            return why
        header = read_header(path)
        if header is not None:
            self.expected = self.expected._replace(system=header.system, size=header.size)
        return ""


def place(path: Path, name: str, run: RunDirectory, launcher: Launcher) -> None:
    """Move the file at `path` to where the server in `run` looks for `name`; it is its own then.

    No symlink is followed: its account may write there.
    """
    to = SEGMENT_AS if SEGMENT.fullmatch(name) else HISTORY_AS
    try:
        if launcher.account is not None:
            os.chown(path, *launcher.account)
        path.chmod(0o600)
        with (
            untrusted.opened(run.path) as outer,
            untrusted.opened_in(outer, DATA, WAL_DIR) as inner,
        ):
            os.rename(path, to, dst_dir_fd=inner)
    except OSError as error:
        raise CouldNotRun(
            f"the WAL file {name} cannot be given to the server: {error.strerror}",
            remedy=remedy_for("target", "folder"),
        ) from None
