"""Damages that came after the backup was taken: its manifest, label and tars show them."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.facts.physical.checksum import PAGE
from tests.corpus.physical.model import (
    PAGES,
    RECOVERY,
    SILENT,
    WHOLE,
    Damage,
    Do,
)
from tests.corpus.physical.sources import Made

Act = Callable[[Path], object]
PLAIN, LABEL, TARS, GZIP = (
    "pg_basebackup -Fp, manifest", "label", "pg_basebackup -Ft", "pg_basebackup -Ft -z",
)  # fmt: skip


def flip(path: Path, place: int) -> None:
    """Turn over one bit of one byte."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def put(path: Path, place: int, new: bytes) -> None:
    """Other bytes at a place."""
    data = bytearray(path.read_bytes())
    data[place : place + len(new)] = new
    path.write_bytes(data)


def cut(path: Path, by: int) -> None:
    """Take the last bytes off a file."""
    data = path.read_bytes()
    path.write_bytes(data[:-by])


def edited(path: Path, old: str, new: str) -> None:
    """Write `new` where `old` stands in a text."""
    text = path.read_text()
    assert old in text, text[:400]
    path.write_text(text.replace(old, new))


def largest(folder: Path) -> Path:
    """The largest file of a database in `folder`."""
    return max((folder / "base").rglob("*"), key=lambda each: each.stat().st_size)


def a_table(copy: Path) -> Path:
    """A file of a table in a tablespace."""
    (link,) = (copy / "pg_tblspc").iterdir()
    return max((each for each in link.resolve().rglob("*") if each.is_file()),
               key=lambda each: each.stat().st_size)  # fmt: skip


def swapped(one: Path, other: Path) -> None:
    """Two files, each under the name of the other."""
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def second(copy: Path) -> Path:
    """The largest file of a database that holds something else than the largest."""
    one = largest(copy).read_bytes()
    found = (each for each in (copy / "base").rglob("*") if each.is_file())
    others = (each for each in found if each.read_bytes() != one)
    return max(others, key=lambda each: each.stat().st_size)


BY_MANIFEST: tuple[tuple[str, Act], ...] = (
    ("bit of a file", lambda at: flip(largest(at), 3 * PAGE + 100)),
    ("bit of a tablespace's file", lambda at: flip(a_table(at), 100)),
    ("bit of postgresql.conf", lambda at: flip(at / "postgresql.conf", 10)),
    ("page zeroed", lambda at: put(largest(at), 0, bytes(PAGE))),
    ("file cut", lambda at: cut(largest(at), PAGE)),
    ("file longer", lambda at: largest(at).write_bytes(largest(at).read_bytes() + bytes(PAGE))),
    ("file gone", lambda at: largest(at).unlink()),
    ("tablespace's file gone", lambda at: a_table(at).unlink()),
    ("files swapped", lambda at: swapped(largest(at), second(at))),
    ("file that does not belong there", lambda at: (at / "base" / "x").write_text("x")),
    ("label gone, manifest there", lambda at: (at / "backup_label").unlink()),
    ("label edited", lambda at: edited(at / "backup_label", "BACKUP METHOD: streamed",
                                       "BACKUP METHOD: streaming")),
    ("label of another backup", lambda at: edited(at / "backup_label", "START WAL LOCATION: 0/",
                                                  "START WAL LOCATION: 1/")),
    ("manifest edited", lambda at: edited(at / MANIFEST, '"Size": 3,', '"Size": 4,')),
    ("manifest cut", lambda at: cut(at / MANIFEST, 300)),
    ("manifest emptied", lambda at: (at / MANIFEST).write_bytes(b"")),
    ("manifest is a web page", lambda at: (at / MANIFEST).write_text("<html>404</html>")),
    ("bit of pg_control", lambda at: flip(at / "global/pg_control", 200)),
    ("bit of pg_xact", lambda at: flip(at / "pg_xact/0000", 10)),
    ("visibility map: bit", lambda at: flip(next((at / "base").rglob("*_vm")), 5000)),
)  # fmt: skip


def without_manifest(act: Act) -> Do:
    """Do `act` to a copy that has no manifest."""

    def do(_: Made, copy: Path) -> None:
        (copy / MANIFEST).unlink()
        act(copy)

    return do


def with_manifest(act: Act) -> Do:
    """Do `act` to a copy that has its manifest."""

    def do(_: Made, copy: Path) -> None:
        act(copy)

    return do


def earlier_label(at: Path) -> None:
    """A label that begins a megabyte earlier than the backup."""
    text = (at / "backup_label").read_text()
    lsn = text.partition("CHECKPOINT LOCATION: ")[2].partition("\n")[0]
    high, low = lsn.split("/")
    (at / "backup_label").write_text(text.replace(lsn, f"{high}/{int(low, 16) - 0x100000:X}"))


LABELS: tuple[tuple[str, Act, str, str], ...] = (
    ("label gone", lambda at: (at / "backup_label").unlink(), WHOLE, ""),
    ("label emptied", lambda at: (at / "backup_label").write_text(""), WHOLE, ""),
    ("label is a web page", lambda at: (at / "backup_label").write_text("<html>\n"), WHOLE, ""),
    ("label: another checkpoint", earlier_label, RECOVERY, ""),
    ("label cut", lambda at: cut(at / "backup_label", 180), WHOLE, ""),
    ("label renamed to backup_label.old", lambda at: (at / "backup_label").rename(
        at / "backup_label.old"), WHOLE, ""),
    ("junk in postgresql.auto.conf", lambda at: (at / "postgresql.auto.conf").write_text("\0junk"),
     SILENT, "no setting of the backup is read"),
    ("standby.signal added", lambda at: (at / "standby.signal").touch(), SILENT,
     "removed from the copy"),
)  # fmt: skip


def packed_anew(tar: Path, change: Callable[[tarfile.TarInfo], tarfile.TarInfo | None]) -> None:
    """Write a tar anew, each member as `change` gives it, without those that it gives not."""
    old = tar.rename(tar.with_name("old"))
    with tarfile.open(old) as source, tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT) as to:
        for member in source:
            file = source.extractfile(member) if member.isfile() else None
            if (changed := change(member)) is not None:
                to.addfile(changed, file)
    old.unlink()


def without(name: str) -> Callable[[tarfile.TarInfo], tarfile.TarInfo | None]:
    """Leave out the member `name`."""
    return lambda member: None if member.name == name else member


def tablespace_tar(folder: Path) -> Path:
    """The tar of the tablespace."""
    return next(each for each in folder.iterdir() if each.name[0].isdigit())


def behind(path: Path, data: bytes) -> None:
    """Bytes behind the end of a file."""
    path.write_bytes(path.read_bytes() + data)


def a_header(at: Path) -> None:
    """Another letter in the name of a member."""
    path = at / "base.tar"
    path.write_bytes(path.read_bytes().replace(b"base/5/", b"base/6/", 1))


IN_TARS: tuple[tuple[str, Act, str], ...] = (
    ("cut", lambda at: cut(at / "base.tar", 1 << 20), WHOLE),
    ("end marker cut", lambda at: cut(at / "base.tar", 1024), WHOLE),
    ("bit in a member", lambda at: flip(at / "base.tar", 9_000_000), WHOLE),
    ("bit in a header", a_header, WHOLE),
    ("something behind the end", lambda at: behind(at / "base.tar", b"x" * 600), WHOLE),
    ("label gone", lambda at: packed_anew(at / "base.tar", without("backup_label")), WHOLE),
    ("member gone", lambda at: packed_anew(at / "base.tar", without("global/1262")), WHOLE),
    ("pg_control gone", lambda at: packed_anew(at / "base.tar", without("global/pg_control")),
     WHOLE),
    ("tar of the tablespace gone", lambda at: tablespace_tar(at).unlink(), WHOLE),
    ("pg_wal.tar gone", lambda at: (at / "pg_wal.tar").unlink(), RECOVERY),
    ("pg_wal.tar emptied", lambda at: packed_anew(at / "pg_wal.tar", lambda _: None), WHOLE),
    ("pg_wal.tar of zero bytes", lambda at: (at / "pg_wal.tar").write_bytes(b""), WHOLE),
    ("bit in the WAL", lambda at: flip(at / "pg_wal.tar", 600), WHOLE),
    ("base.tar emptied", lambda at: (at / "base.tar").write_bytes(b""), WHOLE),
    ("base.tar gone", lambda at: (at / "base.tar").unlink(), WHOLE),
    ("manifest cut", lambda at: cut(at / MANIFEST, 300), WHOLE),
)  # fmt: skip


def member_changed(at: Path) -> None:
    """A value changed in a member before it was compressed: all checksums of gzip are right."""
    path = at / "base.tar.gz"
    data = bytearray(gzip.decompress(path.read_bytes()))
    data[9_000_000] ^= 1
    path.write_bytes(gzip.compress(bytes(data), 1))


IN_GZIP: tuple[tuple[str, Act, str], ...] = (
    ("cut", lambda at: cut(at / "base.tar.gz", 1000), WHOLE),
    ("last bytes cut", lambda at: cut(at / "base.tar.gz", 8), WHOLE),
    ("bit", lambda at: flip(at / "base.tar.gz", 300_000), WHOLE),
    ("bit inside, packed anew", member_changed, WHOLE),
    ("emptied", lambda at: (at / "base.tar.gz").write_bytes(b""), WHOLE),
    ("tablespace cut", lambda at: cut(tablespace_tar(at), 50), WHOLE),
    ("WAL cut", lambda at: cut(at / "pg_wal.tar.gz", 50), WHOLE),
    ("WAL gone", lambda at: (at / "pg_wal.tar.gz").unlink(), RECOVERY),
    ("another file behind it", lambda at: behind(at / "base.tar.gz", gzip.compress(b"x" * 900)),
     WHOLE),
)  # fmt: skip


def padded(at: Path) -> None:
    """Zeros behind the end of a tar's compression."""
    behind(at / "base.tar.gz", bytes(600))


def taken(name: str, *options: str) -> Callable[[Made], Path]:
    """The folder of a backup of tars, which is taken when it is first asked for."""

    def takes(made: Made) -> Path:
        path = made.server.folder / name
        return path if path.exists() else made.server.base_backup(name, *options, form="tar")

    return takes


def before(made: Made) -> Iterator[Damage]:
    """Damages that show before anything is started."""
    for what, act in BY_MANIFEST:
        yield Damage(what, PLAIN, with_manifest(act), WHOLE)
    for what, act, must, why in LABELS:
        yield Damage(what, LABEL, without_manifest(act), must, why)
    for what, act, must in IN_TARS:
        yield Damage(what, TARS, with_manifest(act), must, takes=taken("tar"))
    for what, act, must in IN_GZIP:
        yield Damage(what, GZIP, with_manifest(act), must, takes=taken("gzip", "-z"))
    yield Damage("zeros behind it", GZIP, with_manifest(padded), SILENT,
                 "gzip takes them for the padding of a tape, and nothing is lost",
                 takes=taken("gzip", "-z"))  # fmt: skip
    yield Damage("tar without manifest: bit in a member", TARS, tar_alone, PAGES if made.checksums
                 else SILENT, "" if made.checksums else "it is a bit of padding or of a value "
                 "that no index holds", takes=taken("tar"))  # fmt: skip


def tar_alone(made: Made, copy: Path) -> None:
    """A bit of a table's value, in a tar without a manifest."""
    (copy / MANIFEST).unlink()
    name = made.paths["bare"]
    with tarfile.open(copy / "base.tar") as tar:
        place = tar.getmember(name).offset_data
    flip(copy / "base.tar", place + 2 * PAGE + 8170)
