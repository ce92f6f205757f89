"""What a backup of Redis is, by its content: an RDB file, or append-only files."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from restore_drill.backups.foreign import Foreign
from restore_drill.backups.formats import SUFFIXES, Kind, kind_of, kind_of_other
from restore_drill.backups.layers import around, peeled
from restore_drill.backups.origins import is_awaited
from restore_drill.backups.plain import looks_like_sql
from restore_drill.backups.sealed import SEALS
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.backups.tars import first_names, is_tar
from restore_drill.redis.backup.header import header_in

RDB, AOF = "RDB", "AOF"
FOLDER = "appendonlydir"
"""What Redis calls the folder of its append-only files, unless it is told otherwise."""
MANIFEST = ".manifest"
PART = re.compile(r".+\.aof\.manifest|.+\.\d+\.(base\.(rdb|aof)|incr\.aof)")
"""Names of files that belong together: the manifest of an AOF and what it names."""
TEMPORARY = re.compile(r"temp-.+\.(rdb|aof)")
"""Names of files that a server is writing, or was when it was ended."""
COMMAND = re.compile(rb"(#[^\r\n]*\r\n)*\*\d+\r\n\$\d+\r\n")
"""How a file of commands begins; annotations may come first."""
NAMES = (".rdb", ".aof", *(each for each in SUFFIXES if each not in (".sql", ".pgdump")))
"""Names that claim to be a backup."""
DUMP = Foreign("a dump of PostgreSQL, not a backup of Redis", "redis_dump")
UNFINISHED = Foreign("a temporary file of a save that runs, or was broken off")
LONE_MANIFEST = Foreign("the manifest of append-only files without its folder", "redis_part")
LONE_BASE = Foreign("the base of append-only files without what was written since", "redis_part")
LONE_INCREMENT = Foreign("a part of append-only files without their base", "redis_part")


def recognise_redis(path: Path, *, decrypt: bool = False) -> Kind:
    """What lies at `path`, see `formats.recognise`; the formats are RDB and AOF."""
    if path.is_dir():
        return Kind(AOF) if is_aof_folder(path) else kind_of(path, "", b"")
    if is_awaited(path):
        return Kind("", path.suffix.removeprefix("."))
    compression, head, end = peeled(path, decrypt=decrypt)
    if end in SEALS:
        return Kind("", compression, sealed=end)
    if end:
        return kind_of_other(path, compression, DUMP)
    if is_tar(head) and (kind := held_by_tar(path, compression)):
        return Kind(kind, around("tar", compression))
    is_unfinished = TEMPORARY.fullmatch(path.name) is not None
    other = kind_of_other(path, compression, UNFINISHED)
    return other if is_unfinished else kind_by_head(path, compression, head)


def kind_by_head(path: Path, compression: str, head: bytes) -> Kind:
    """As `recognise_redis`, of a file whose first bytes behind its layers are `head`."""
    header = header_in(head)
    is_part = PART.fullmatch(path.name) is not None
    if header is not None:
        if header.is_aof_base and is_part:
            return kind_of_other(path, compression, LONE_BASE)
        return Kind(AOF if header.is_aof_base else RDB, compression)
    if COMMAND.match(head):
        other = kind_of_other(path, compression, LONE_INCREMENT)
        return other if is_part else Kind(AOF, compression)
    if head.startswith(b"file ") and b" seq " in head:
        return kind_of_other(path, compression, LONE_MANIFEST)
    if looks_like_sql(head) or head.startswith(b"PGDMP"):
        return kind_of_other(path, compression, DUMP)
    other = kind_of(path, compression, head)
    return kind_of_other(path, compression, DUMP) if other.format and head else other


def is_aof_folder(path: Path) -> bool:
    """Whether append-only files that belong together lie directly in the folder `path`."""
    return path.is_dir() and any(PART.fullmatch(each.name) for each in path.iterdir())


def is_manifest(name: str, start: bytes) -> bool:
    """Whether a file of this name that begins so is a manifest, whatever appendfilename says."""
    return name.endswith(MANIFEST) and start.startswith(b"file ") and b" seq " in start


def held_by_tar(path: Path, compression: str) -> str:
    """Kind of backup in the tar at `path`, behind `compression`: AOF before RDB; empty for none.

    A server that writes append-only files loads those, and no RDB file that lies beside them.
    """
    try:
        with open_plain(path, compression) as stream:
            names = [PurePosixPath(name).name for name in first_names(stream)]
    except READ_ERRORS:
        return ""
    if any(PART.fullmatch(name) or name.lower().endswith(".aof") for name in names):
        return AOF
    return RDB if any(name.lower().endswith(".rdb") for name in names) else ""


def claims_to_be_redis(path: Path) -> bool:
    """Whether the name says backup, so that garbage in it must not be passed over."""
    return path.is_file() and path.name.lower().endswith(NAMES)
