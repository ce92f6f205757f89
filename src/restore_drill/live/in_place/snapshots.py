"""The safety snapshots that a folder keeps: each with a checksum and a manifest, counted, pruned.

The manifest is that of a backup: `pytest drill/ --backup SNAPSHOT` proves one by it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from restore_drill.backups.read import NO_DIGEST, expected_sha256
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.record import Record
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_count
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.live.in_place.source import SUFFIX, read_source
from restore_drill.live.server.identity import ServerIdentity
from restore_drill.manifest.description import describe, in_lines
from restore_drill.manifest.file import OWNER_ALONE, manifest_path, read_manifest, write_text
from restore_drill.manifest.file import SUFFIX as MANIFEST
from restore_drill.manifest.staging import sync
from restore_drill.selection.flat import SNAPSHOTS
from restore_drill.servers.model import Target

CHECKSUM = ".sha256"
WAS = "has changed since it was taken"
BESIDE = (SUFFIX, CHECKSUM, MANIFEST)
"""What lies beside a snapshot, and goes with it."""


@dataclass
class Kept:
    """The snapshots of one database: their paths, the newest first, and the names of those gone.

    `former` are of an earlier database of that name: it was dropped or renamed since.
    """

    paths: list[Path] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    former: list[Path] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of those that are kept."""
        return size_of(self.paths)

    @property
    def line(self) -> str:
        """`3 snapshots of it are kept (36 MB), 2 older ones were removed (--keep-snapshots 3)`."""
        count = show_count(len(self.paths), "snapshot")
        text = f"{count} of it {'are' if self.paths[1:] else 'is'} kept ({show_bytes(self.size)})"
        if self.gone:
            older = show_count(len(self.gone), "older one")
            text += f", {older} {'were' if self.gone[1:] else 'was'} removed"
        if self.former:
            size = show_bytes(size_of(self.former))
            text += f"; and {len(self.former)} of an earlier database of that name ({size})"
        return text


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of `paths`, of those that are there."""
    return sum(path.stat().st_size for path in paths if path.exists())


def write_manifest(
    target: Target, path: Path, fingerprint: Fingerprint, server: ServerIdentity
) -> None:
    """Write checksum and manifest of the snapshot at `path`, for its owner alone; raises OSError.

    The manifest is last: who finds it finds all of a proved snapshot.
    """
    manifest = describe(
        target, path, fingerprint, form="custom", server=target.version, system=server.system,
        taken_at=datetime.now(UTC).replace(microsecond=0),
    )  # fmt: skip
    for place, text in (
        (path.with_name(path.name + CHECKSUM), f"{manifest.sha256}  {path.name}\n"),
        (manifest_path(path), in_lines(manifest)),
    ):
        write_text(place, text, OWNER_ALONE)
    sync(path.parent)


def refuse_changed(path: Path, sha256: str, opening: Sequence[str] = ()) -> None:
    """CouldNotRun where the snapshot at `path`, whose digest is `sha256`, is not as it was.

    Checksum and manifest both hold that. `opening` is what else there is to do.
    """
    known = {path.with_name(path.name + CHECKSUM): expected_sha256(path)}
    if (beside := manifest_path(path)).is_file():
        known[beside] = digest_in(beside)
    wrong = {place: each for place, each in known.items() if each not in (None, sha256)}
    if not wrong:
        return
    aside = " && ".join(f"mv {quote(str(each))} {quote(f'{each}.damaged')}" for each in wrong)
    checked = [f"SHA-256 {sha256}", *(f"{each.name} says {wrong[each]}" for each in wrong)]
    if right := [place.name for place, each in known.items() if each == sha256]:
        what = f"{path.name} matches {right[0]}, but not {next(iter(wrong)).name}"
        remedy = remedy_for("rollback", "confirmed", aside=aside, right=right[0])
    elif set(wrong.values()) == {NO_DIGEST}:
        what = f"{path.name} cannot be compared with its checksum"
        remedy = remedy_for("rollback", "no_digest", aside=aside, path=path)
    else:
        what = f"{path.name} {WAS}"
        remedy = [*remedy_for("rollback", "damaged", path=path), *opening]
    raise CouldNotRun(f"{what}; nothing was touched", checked=checked, remedy=remedy)


def digest_in(manifest: Path) -> str:
    """Digest of the snapshot in its `manifest`, NO_DIGEST where that is damaged."""
    try:
        return read_manifest(manifest).sha256
    except BackupFault:
        return NO_DIGEST


def keep_newest(
    folder: Path, server: ServerIdentity, number: int | None, spared: Iterable[str] = ()
) -> Kept:
    """Snapshots of the database `server` in `folder`, of which the newest `number` of a kind stay.

    None keeps all. Only one that was proved is removed, none that a journal names or that is
    `spared`, and none of an earlier database of that name: no other holds what that was.
    """
    kept = Kept()
    named = names_in_journals(folder)
    of_kind: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("pre_*_snapshot_*.dump"), reverse=True):
        kind = next(filter(path.name.startswith, SNAPSHOTS), "")
        source = read_source(path)
        if not kind or source is None or not source.server.may_have_been(server):
            continue
        if source.server != server:
            kept.former.append(path)
            continue
        of_kind[kind].append(path)
        too_many = number is not None and len(of_kind[kind]) > number
        is_free = named is not None and path.name not in named and path.name not in spared
        if too_many and is_free and remove(path):
            kept.gone.append(path.name)
        else:
            kept.paths.append(path)
    return kept


def count_snapshots(
    folder: Path, server: ServerIdentity, number: int | None, record: Record
) -> str:
    """A line on the snapshots of `server` that are kept in `folder`; they go into the record too.

    Of each kind only the newest `number` stay, where that is not None.
    """
    assert record.snapshot is not None
    kept = keep_newest(folder, server, number)
    record.snapshot |= {"kept": len(kept.paths), "kept_bytes": kept.size, "removed": kept.gone}
    return f"{kept.line}: {folder}"


def names_in_journals(folder: Path) -> set[str] | None:
    """All texts in the journals in `folder`; None where one cannot be read: it may name any."""
    found: set[str] = set()
    for path in folder.glob("*.json"):
        if path.name.endswith(MANIFEST):
            continue
        try:
            found.update(texts_in(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            return None
    return found


def texts_in(value: object) -> Iterator[str]:
    """Each text in the members of a JSON object."""
    if isinstance(value, dict):
        yield from (each for each in value.values() if isinstance(each, str))


def remove(path: Path) -> bool:
    """Remove the snapshot at `path`, first the dump; False where that is not possible.

    Without its manifest it was never proved, and stays.
    """
    if not manifest_path(path).is_file():
        return False
    try:
        path.unlink()
    except OSError:
        return False
    with suppress(OSError):
        for suffix in BESIDE:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return True
