"""The archive of a pgBackRest repository, read by its own program wherever that keeps it.

Every segment has the SHA-1 of its content in its name: it is compared, as archive-get would, which
PostgreSQL takes for the end of the WAL where it finds one changed.
"""

from __future__ import annotations

import hashlib
import re
import threading
from contextlib import suppress
from pathlib import Path

from restore_drill.backups.physical.pgbackrest import unread
from restore_drill.backups.physical.repositories import Place, access
from restore_drill.backups.physical.wal_names import PARTIAL, SEGMENT, is_last, is_served
from restore_drill.recovery.archives.copying import arrived, damaged, unreadable
from restore_drill.recovery.archives.header import pad
from restore_drill.recovery.archives.running import Programs

KEPT = re.compile(
    r"(?:[0-9A-F]{16}/)?(?P<name>[0-9A-F]{24}(?:\.partial)?|[0-9A-F]{8}\.history)"
    r"(?:-(?P<sum>[0-9a-f]{40})(?:\.(?:gz|lz4|zst|bz2))?)?"
)
DATABASE = re.compile(r'^(\d{1,6})=\{"db-id":(\d{1,20}),"db-version":"([\d.]{1,8})"', re.MULTILINE)
"""A line of archive.info: number, system identifier and version of a server that archived there."""
ENDS = re.compile(r'"archive":\{"start":"[0-9A-F]{24}","stop":"([0-9A-F]{24})"\}')
"""In what it says of a backup set: segments that it needs."""
MISSING = 55
"""How pgbackrest ends where a file is not there."""
LIMIT = 600.0
PIECE = 1 << 20


class Repository:
    """The WAL of the stanza at `place` that a server of the identifier `system` has archived."""

    def __init__(self, place: Place, system: str = "") -> None:
        """Nothing is asked yet; CouldNotRun where there is no pgbackrest."""
        self.place, self.system = place, system
        self.words = f"pgBackRest, stanza {place.stanza} in {place.root}"
        self.programs = Programs(access(place), LIMIT)
        self.folder = ""
        self.files: dict[str, list[str]] | None = None
        self.listing = threading.Lock()
        self.written_down: frozenset[str] | None = None

    def stop(self) -> None:
        """End what runs for us."""
        self.programs.stop()

    def names(self) -> list[str]:
        """Names of all segments, histories and .partial files, sorted."""
        self.witnesses()
        with self.listing:
            self.files = self.listed("", "--recurse")
            return sorted(self.files)

    def witnesses(self) -> frozenset[str]:
        """Segments that backup sets needed, the newest of which may be gone with its WAL."""
        if self.written_down is None:
            done = self.programs.run("--output=json", "info")
            self.written_down = frozenset(ENDS.findall(done.output)) if not done.code else None
        return self.written_down or frozenset()

    def known(self) -> dict[str, list[str]]:
        """Files by names, as they were listed first."""
        with self.listing:
            if self.files is None:
                self.files = self.listed("", "--recurse")
            return self.files

    def listed(self, folder: str, *options: str) -> dict[str, list[str]]:
        """Files of WAL in a `folder` of the server's by their names, without and with the SHA-1."""
        where = "/".join(filter(None, (self.own_folder(), folder)))
        done = self.programs.run(*options, "repo-ls", where)
        if done.code:
            raise unread(self.place, done)
        found: dict[str, list[str]] = {}
        for each in done.output.splitlines():
            if kept := KEPT.fullmatch(each):
                found.setdefault(kept["name"], []).append("/".join(filter(None, (folder, each))))
        return found

    def own_folder(self) -> str:
        """Folder of the server in the repository: after an upgrade there are several."""
        if not self.folder:
            self.folder = self.look()
        return self.folder

    def look(self) -> str:
        """As `own_folder`, read anew: where all has gone, lists are empty, and nothing is said."""
        root = f"archive/{self.place.stanza}"
        done = self.programs.run("repo-get", f"{root}/archive.info")
        known = DATABASE.findall(done.output) if done.code == 0 else []
        mine = [each for each in known if each[1] == self.system] or known
        if not mine:
            raise unread(self.place, done)
        number, _, version = mine[-1]
        return f"{root}/{version}-{number}"

    def fetch(self, name: str, to: Path) -> bool:
        """Write the file `name`, decompressed, to `to`; False where the archive has none."""
        if not is_served(name):
            return False
        if files := self.known().get(name) or self.come_since(name):
            return self.bring(files, name, to)
        files = self.known().get(f"{name}{PARTIAL}", [])
        if not files or not is_last(name, self.known()):
            return False
        is_there = self.bring(files, name, to)
        pad(to)
        return is_there

    def come_since(self, name: str) -> list[str]:
        """Files of `name` that were not there when all of them were listed."""
        self.look()
        return self.listed(name[:16] if SEGMENT.fullmatch(name) else "").get(name, [])

    def bring(self, files: list[str], name: str, to: Path) -> bool:
        """Write what the one of `files` holds to `to`; False where it is not there."""
        where = f"{self.own_folder()}/{files[0]}"
        if len(files) > 1:
            raise damaged(name, where, f"the archive has {len(files)} of that name that differ")
        raw = to.with_name(f"{to.name}.raw")
        try:
            done = self.programs.write(raw, "repo-get", where)
            if done.code == MISSING:
                self.look()
                return False
            if done.code:
                raise unread(self.place, done)
            arrived(raw, to, name, where)
            kept = KEPT.fullmatch(files[0])
            if kept and kept["sum"] and (found := sha1_of(to)) != kept["sum"]:
                raise damaged(name, where, f"its SHA-1 is {found}, and was {kept['sum']}")
        except OSError as error:
            raise unreadable(name, where, error) from None
        finally:
            with suppress(OSError):
                raw.unlink()
        return True


def sha1_of(path: Path) -> str:
    """SHA-1 of the file at `path`."""
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
