"""Damages of archived WAL, and of the WAL that lies in a backup; targets that cannot be reached."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from restore_drill.backups.physical.wal_names import SEGMENT
from tests.corpus.physical.look import Asked
from tests.corpus.physical.model import (
    RECOVERY,
    REFUSED,
    SILENT,
    WAL,
    WHOLE,
    Damage,
    Do,
)
from tests.corpus.physical.sources import Made

Act = Callable[[Made, Path], object]
"""Damages the archive in a folder."""
KIND, INSIDE = "WAL archive", "WAL in the backup"
SIZE = 1 << 24
NEWEST = "no archive says what it once had: all that it has was replayed"


def segment(number: int) -> Callable[[Made, Path], Path]:
    """The segment in which the transaction of that number lies; -1 is the newest."""
    return lambda made, wal: wal / made.segments[number]


def changed(number: int, change: Callable[[bytearray], object]) -> Act:
    """Change the bytes of a segment."""

    def act(made: Made, wal: Path) -> None:
        path = segment(number)(made, wal)
        content = bytearray(path.read_bytes())
        before = bytes(content)
        change(content)
        assert bytes(content) != before
        path.write_bytes(content)

    return act


def bit(place: int) -> Callable[[bytearray], object]:
    """One bit of a byte."""

    def change(content: bytearray) -> None:
        content[place] ^= 4

    return change


def zeros(begin: int, end: int) -> Callable[[bytearray], object]:
    """Zeros between two places."""

    def change(content: bytearray) -> None:
        content[begin:end] = bytes(end - begin)

    return change


def shorter(size: int) -> Callable[[bytearray], object]:
    """Only its first bytes."""

    def change(content: bytearray) -> None:
        del content[size:]

    return change


def gone(*numbers: int) -> Act:
    """Segments removed."""

    def act(made: Made, wal: Path) -> None:
        for number in numbers:
            segment(number)(made, wal).unlink()

    return act


def first_gone(made: Made, wal: Path) -> None:
    """The segment with which the backup begins."""
    label = (made.bare / "backup_label").read_text()
    (wal / label.partition("(file ")[2][:24]).unlink()


def copied_from(one: int, other: int) -> Act:
    """A segment that holds what another one does."""
    return lambda made, wal: shutil.copyfile(segment(one)(made, wal), segment(other)(made, wal))


def of_another_server(made: Made, wal: Path) -> None:
    """A segment whose system identifier is another one, and all else right."""
    changed(2, bit(24))(made, wal)


def emptied(_: Made, wal: Path) -> None:
    """An archive with nothing in it."""
    for each in wal.iterdir():
        each.unlink()


def damaged_gzip(made: Made, wal: Path) -> None:
    """A compressed segment with a wrong byte."""
    import gzip  # noqa: PLC0415

    path = segment(2)(made, wal)
    packed = bytearray(gzip.compress(path.read_bytes()))
    packed[len(packed) // 2] ^= 0x55
    path.with_name(f"{path.name}.gz").write_bytes(packed)
    path.unlink()


def not_gzip(made: Made, wal: Path) -> None:
    """A segment that is said to be compressed, and is some page of a web server."""
    path = segment(2)(made, wal)
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(b"<html>404 Not Found</html>")


def as_partial(made: Made, wal: Path) -> None:
    """A segment of the middle is there only as it was before it was full."""
    path = segment(2)(made, wal)
    path.rename(path.with_name(f"{path.name}.partial"))


def history_of_nothing(_: Made, wal: Path) -> None:
    """A history of a timeline that branched off before the backup began."""
    (wal / "00000002.history").write_text("1\t0/1000000\tno recovery target specified\n")


def junk_history(_: Made, wal: Path) -> None:
    """A history that is none."""
    (wal / "00000002.history").write_text("<html>\n")


ARCHIVES: tuple[tuple[str, Act, str, str], ...] = (
    ("segment missing", gone(1), WAL, ""),
    ("two segments missing", gone(1, 2), WAL, ""),
    ("first segment behind the backup missing", gone(0), WAL, ""),
    ("newest segment missing", gone(-1), SILENT, NEWEST),
    ("first segment of the backup missing", first_gone, RECOVERY, ""),
    ("archive emptied", emptied, RECOVERY, ""),
    ("bit in a record", changed(1, bit(200)), WAL, ""),
    ("bit in the newest segment", changed(-1, bit(200)), WAL, ""),
    ("bit behind a switch", changed(1, bit(SIZE - 5000)), SILENT,
     "a switch of segments leaves its rest unused: nothing reads it"),
    ("bit in a segment's header", changed(2, bit(0)), WAL, ""),
    ("bit in the place of a page", changed(2, bit(8)), WAL, ""),
    ("page of a segment zeroed", changed(1, zeros(0, 8192)), WAL, ""),
    ("segment of zeros", changed(2, zeros(0, SIZE)), WAL, ""),
    ("newest segment of zeros", changed(-1, zeros(0, SIZE)), WAL, ""),
    ("segment cut", changed(1, shorter(SIZE // 2)), WAL, ""),
    ("newest segment cut", changed(-1, shorter(8192)), WAL, ""),
    ("segment emptied", changed(2, shorter(0)), WAL, ""),
    ("segment too long", changed(2, lambda content: content.extend(b"x" * 8192)), WAL, ""),
    ("another segment under its name", copied_from(1, 2), WAL, ""),
    ("another segment under the newest name", copied_from(1, -1), WAL, ""),
    ("segment of another server", of_another_server, WAL, ""),
    ("compressed segment damaged", damaged_gzip, WAL, ""),
    ("compressed segment is a web page", not_gzip, WAL, ""),
    ("segment only as .partial", as_partial, WAL, ""),
    ("history from before the backup", history_of_nothing, RECOVERY, ""),
    ("history that is none", junk_history, WAL, ""),
)  # fmt: skip


def archives(_: Made) -> Iterator[Damage]:
    """Damages of an archive, with a backup that has no WAL of its own."""
    for what, act, must, why in ARCHIVES:
        yield Damage(what, KIND, on_archive(act), must, why, takes=bare)
    for what, act, goal, must in TARGETS:
        yield Damage(what, KIND, on_archive(act, goal), must, takes=bare)
    for what, change, must in INSIDES:
        yield Damage(what, INSIDE, inside(change), must)


def bare(made: Made) -> Path:
    """The backup without WAL."""
    return made.bare


def on_archive(act: Act, goal: str = "latest", timeline: str = "latest") -> Do:
    """Damage a copy of the archive, and recover to `goal` with it."""

    def do(made: Made, copy: Path) -> Asked:
        wal = copy.parent / "away" / "segments"
        shutil.copytree(made.server.archive, wal)
        act(made, wal)
        text = goal.format(after=made.times, xid=made.xids)
        line, _, text = text.rpartition("|")
        return Asked(copy, text, wal, line or timeline)

    return do


def nothing(_: Made, __: Path) -> None:
    """The archive is whole."""


TARGETS: tuple[tuple[str, Act, str, str], ...] = (
    ("gap before a time", gone(1), "{after[2]}", RECOVERY),
    ("gap before a restore point", gone(1), "name:after_three", RECOVERY),
    ("gap before a transaction", gone(1), "xid:{xid[2]}", RECOVERY),
    ("bit before a restore point", changed(1, bit(200)), "name:after_three", RECOVERY),
    ("time in the future", nothing, "2999-01-01 00:00:00+00", REFUSED),
    ("time before the backup", nothing, "2020-01-01 00:00:00+00", REFUSED),
    ("restore point that never was", nothing, "name:nowhere", RECOVERY),
    ("transaction that never was", nothing, "xid:4000000", RECOVERY),
    ("transaction from before the backup", nothing, "xid:3", RECOVERY),
    ("place of WAL behind the end", nothing, "lsn:FF/0", RECOVERY),
    ("place of WAL before the backup", nothing, "lsn:0/1000000", REFUSED),
    ("timeline that never was", nothing, "7|latest", RECOVERY),
    ("goal that is none", nothing, "tomorrow", REFUSED),
)


def inside(change: Callable[[Path], object]) -> Do:
    """Damage the WAL in a plain backup."""

    def do(_: Made, copy: Path) -> None:
        names = [
            each for each in sorted((copy / "pg_wal").iterdir()) if SEGMENT.fullmatch(each.name)
        ]
        change(names[0])

    return do


def over(place: int) -> Callable[[Path], object]:
    """A bit of a file."""

    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[place] ^= 4
        path.write_bytes(content)

    return change


def cut_to(size: int) -> Callable[[Path], object]:
    """Only the first bytes of a file."""
    return lambda path: path.write_bytes(path.read_bytes()[:size])


INSIDES: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("segment gone", Path.unlink, RECOVERY),
    ("bit in a record", over(100), WHOLE),
    ("segment cut", cut_to(SIZE // 2), WHOLE),
    ("segment emptied", cut_to(0), WHOLE),
    ("segment of zeros", lambda path: path.write_bytes(bytes(SIZE)), WHOLE),
    ("bit of the system identifier", over(24), WHOLE),
)
