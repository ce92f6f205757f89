"""Whether a backup of Redis is byte for byte the file that was written, by what lies beside it."""

from __future__ import annotations

from typing import NamedTuple

from restore_drill.backups.model import Backup
from restore_drill.backups.read import NO_DIGEST, expected_sha256, sha256_of
from restore_drill.manifest.beside import digest_behind, from_outside
from restore_drill.manifest.file import manifest_path
from restore_drill.redis.census.known import Known


class Said(NamedTuple):
    """The SHA-256 that a file beside a backup gives, and whether it is that of what is inside.

    `shop.rdb.manifest.json` may lie beside `shop.rdb.age`, which was encrypted later.
    """

    name: str
    digest: str
    is_inner: bool = False

    @property
    def cause(self) -> str:
        """Which remedy helps where it does not hold."""
        return "no_digest" if self.digest == NO_DIGEST else "changed"


def digests_beside(backup: Backup, known: Known | None) -> list[Said]:
    """What the `.sha256` file beside `backup` and its manifest, which is `known`, say of it."""
    path = backup.path
    if path.is_dir():
        return []
    found = []
    if digest := expected_sha256(path):
        found.append(Said(f"{path.name}.sha256", digest))
    if known is not None:
        is_inner = known.name != manifest_path(path).name
        if not (is_inner and backup.compression.startswith("tar")):
            found.append(Said(known.name, known.sha256, is_inner))
    return found


def first_differing(backup: Backup, said: list[Said]) -> tuple[Said, str] | None:
    """The first that was `said` which does not hold, and the SHA-256 that `backup` has."""
    outer = sha256_of(backup.path)
    for each in said:
        if each.digest == outer:
            continue
        layers = list(from_outside(backup.compression)) if each.is_inner else []
        inside = [digest_behind(backup.path, one)[0] for one in layers]
        if each.digest not in inside:
            return each, inside[-1] if inside else outer
    return None
