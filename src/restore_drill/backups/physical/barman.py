"""Backups of a Barman server, read from its folders: backup.info and what it describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.barman_text import (
    major_of,
    number_of,
    place_of,
    spaces_in,
    time_of,
)
from restore_drill.backups.physical.files import head_of
from restore_drill.backups.physical.in_folder import USUAL
from restore_drill.backups.physical.in_tars import BASE_TAR, compression_at, tars_in
from restore_drill.backups.physical.labels import LABEL
from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.backups.physical.model import (
    BARMAN,
    PLAIN,
    TAR,
    Member,
    Physical,
)
from restore_drill.core.errors import BackupFault, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some

BASE_DIR, WAL_DIR, INFO, DATA = "base", "wals", "backup.info", "data"
PARTS = ("base", "wals")
"""Folders of a server's that name it."""
MOST = 1 << 20
SIZES = tuple(1 << power for power in range(20, 31))
"""Bytes that a WAL segment may have."""
MOST_SETS, LONGEST_CHAIN = 8, 1000
DONE = "DONE"
KEYS = {"server_name", "begin_wal", "backup_label", "status"}
"""What one of its lines says, wherever it was cut."""
LINE = re.compile(r"^([a-z_]{1,64})=(.*)$", re.MULTILINE)
ID = re.compile(r"\d{8}T\d{6}")


class BarmanSet(NamedTuple):
    """One backup of a Barman server: its folder, and what its backup.info says."""

    path: Path
    info: dict[str, str]

    @property
    def is_done(self) -> bool:
        """Whether Barman has finished it."""
        return self.info.get("status") == DONE

    def get(self, key: str) -> str:
        """What it says of `key`; empty where that is None."""
        text = self.info.get(key, "").strip()
        return "" if text == "None" else text


def servers_at(path: Path) -> list[Path]:
    """Folders of the Barman servers at `path`: its home, a server's folder, or below one."""
    for folder in (path, *list(path.parents)[:3]):
        below = path.relative_to(folder).parts
        if (not below or below[0] in PARTS) and next(sets_in(folder), None):
            return [folder]
        if folder == path:
            with suppress(OSError):
                inner = [each for each in sorted(path.iterdir()) if (each / BASE_DIR).is_dir()]
                if found := [each for each in inner if next(sets_in(each), None)]:
                    return found
    return []


def sets_in(server: Path) -> Iterator[BarmanSet]:
    """The backups of the `server`, the oldest first."""
    with suppress(OSError):
        for folder in sorted((server / BASE_DIR).iterdir()):
            if ID.fullmatch(folder.name) and (found := info_at(folder)):
                yield found


def info_at(folder: Path) -> BarmanSet | None:
    """The backup in `folder`, None where no backup.info of Barman describes it."""
    with suppress(OSError):
        text = head_of(folder / INFO, MOST).decode(errors="replace")
        found = dict(LINE.findall(text))
        return BarmanSet(folder, found) if KEYS & found.keys() else None
    return None


def barman_backup(server: Path, path: Path, set_name: str = "") -> Physical:
    """The backup called `set_name`, else the newest finished one, of the `server`.

    BackupFault where none is finished, UsageError where there is none of that name.
    """
    found = list(sets_in(server))
    done = [each for each in found if each.is_done]
    place = server / BASE_DIR
    own = path.relative_to(place).parts if path.is_relative_to(place) else ()
    named = set_name if set_name not in ("", "latest") else "".join(own[:1])
    if not done:
        raise BackupFault(
            f"the Barman server {server.name} has no backup that is finished",
            checked=[f"{each.path.name}: {each.get('status') or 'no status'}" for each in found],
            remedy=remedy_for("physical", "no_sets"),
        )
    chosen = next((each for each in found if each.path.name == named), None)
    if chosen is None and set_name not in ("", "latest"):
        names = some([each.path.name for each in done[::-1]], MOST_SETS)
        raise UsageError(
            f"--set (DRILL_SET) names {set_name!r}, and the Barman server {server.name} has no "
            f"such backup; it has: {names}"
        )
    return described(server, path, chosen or done[-1], tuple(each.path.name for each in done))


def described(server: Path, path: Path, found: BarmanSet, names: tuple[str, ...]) -> Physical:
    """The backup that was `found` on the `server`."""
    data, first = found.path / DATA, found.get("begin_wal")
    tars = tars_in(data) if data.is_dir() else {}
    earlier = [each for each in sets_in(server) if each.is_done and each.path < found.path]
    wals = server / WAL_DIR
    version, size = found.get("version"), number_of(found.get("xlog_segment_size"))
    return Physical(
        kind=BARMAN,
        path=path,
        members=tuple(member_of(each) for each in chain_of(server, found)),
        major=major_of(version),
        name=found.path.name,
        sets=names,
        system=found.get("systemid"),
        timeline=number_of(found.get("timeline")) or 1,
        start_lsn=place_of(found.get("begin_xlog")),
        stop_lsn=place_of(found.get("end_xlog")),
        first_segment=first,
        segment_size=size if size in SIZES else USUAL,
        started_at=time_of(found.get("begin_time")),
        stopped_at=time_of(found.get("end_time")),
        tablespaces=tuple(spaces_in(found.get("tablespaces"))),
        compression=compression_at(tars[BASE_TAR]) if BASE_TAR in tars else "",
        has_label=(data / LABEL).is_file() or bool(tars),
        archive=wals if wals.is_dir() else None,
        size=number_of(found.get("size")),
        earlier_sizes=tuple(number_of(each.get("size")) for each in earlier[::-1]),
        version=f"{major_of(version)}.{number_of(version) % 10000}" if version else "",
    )


def unfinished_after(physical: Physical) -> str:
    """Which backups of the server are newer than that one and not finished: `ID (FAILED)`."""
    place = physical.newest.path.parent
    newer = [each for each in sets_in(place.parents[1]) if each.path > place and not each.is_done]
    return ", ".join(f"{each.path.name} ({each.get('status') or 'no status'})" for each in newer)


def member_of(found: BarmanSet) -> Member:
    """Its files."""
    data = found.path / DATA
    form = TAR if data.is_dir() and BASE_TAR in tars_in(data) else PLAIN
    manifest = data / MANIFEST
    return Member(data, manifest if manifest.is_file() else None, form)


def chain_of(server: Path, found: BarmanSet) -> list[BarmanSet]:
    """The backups that `found` is the increment of, and itself as the last."""
    chain = [found]
    while (parent := chain[0].get("parent_backup_id")) and len(chain) < LONGEST_CHAIN:
        before = info_at(server / BASE_DIR / parent) if ID.fullmatch(parent) else None
        if before is None or before.path.name >= chain[0].path.name:
            break
        chain.insert(0, before)
    return chain
