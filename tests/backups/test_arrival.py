"""A backup that is still on its way is read as one that is here, and what ends it has its name."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from restore_drill.backups import arrival as arrival_module
from restore_drill.backups.arrival import AHEAD, Arrival, arrivals
from restore_drill.backups.formats import recognise
from restore_drill.backups.model import Contents
from restore_drill.backups.read import read_contents, read_head, sha256_of
from restore_drill.config.values import without_file_scheme
from restore_drill.core.errors import CouldNotRun
from restore_drill.selection.candidate import as_backup, look_at
from tests.helpers.shop import USUAL, Shops, quiet

PIECE = 1500
LARGE = 3 * AHEAD


def slowly(data: bytes, *, pause: float = 0.0005, end: Exception | None = None) -> Iterator[bytes]:
    """`data` in small pieces; at its end `end` is raised."""
    for place in range(0, len(data), PIECE):
        time.sleep(pause)
        yield data[place : place + PIECE]
    if end:
        raise end


def arriving(path: Path, pieces: Iterator[bytes], size: int | None) -> Arrival:
    """An arrival of `pieces` at `path`."""
    return Arrival(path, pieces, size)


def contents_of(path: Path, folder: Path) -> Contents:
    """What the backup at `path` holds."""
    found = as_backup(look_at(path, UTC))
    return read_contents(replace(found, head=read_head(found)), folder, quiet)


PACKED = ("gz", "zst", "lz4", "xz", "bz2")


@pytest.mark.parametrize(
    "form", ["plain.sql", "custom.dump", "archive.tar", *(f"plain.sql.{each}" for each in PACKED)]
)
def test_what_arrives_is_read_as_what_is_here(shops: Shops, tmp_path: Path, form: str) -> None:
    """Kind, size, digest and everything that it holds are those of the same file on the disk."""
    there = shops.dump(USUAL, form)
    data = there.read_bytes()
    with closing(arriving(tmp_path / form, slowly(data), len(data))) as arrival:
        assert recognise(arrival.path) == recognise(there)
        found = contents_of(arrival.path, tmp_path)
        assert found.is_complete and found.rows
        (tmp_path / "other").mkdir()
        assert found == contents_of(there, tmp_path / "other")
        assert sha256_of(arrival.path) == sha256_of(there)
        assert look_at(arrival.path, UTC).size == len(data)
    assert arrival.path.stat().st_mode & 0o777 == 0o600
    assert not arrivals


@pytest.mark.parametrize("form", ["plain.sql", "plain.sql.gz", "custom.dump", "archive.tar"])
def test_a_transfer_that_fails_is_no_damage(shops: Shops, tmp_path: Path, form: str) -> None:
    """Whoever reads on hears why there is no more, and it is not the backup's fault."""
    data = shops.dump(USUAL, form).read_bytes()
    cut = slowly(data[: len(data) * 3 // 4], end=CouldNotRun("the network failed"))
    with (
        closing(arriving(tmp_path / form, cut, len(data))) as arrival,
        pytest.raises(CouldNotRun, match="the network failed"),
    ):
        contents_of(arrival.path, tmp_path)


def test_a_look_at_the_head_does_not_bring_all_of_it(tmp_path: Path) -> None:
    """Until all is wanted, no more comes than a little beyond what was asked for."""
    pieces = (bytes(1 << 20) for _ in range(LARGE >> 20))
    arrival = Arrival(tmp_path / "large", pieces, LARGE)
    with closing(arrival):
        with arrival.open() as stream:
            assert stream.read(10) == bytes(10)
        time.sleep(0.1)
        assert arrival.arrived <= AHEAD + (2 << 20) < LARGE
        arrival.wait()
        assert arrival.arrived == arrival.path.stat().st_size == LARGE


def test_a_transfer_without_a_byte_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever should bring them, a wait has a limit."""
    monkeypatch.setattr(arrival_module, "STALL_SECONDS", 0.3)
    never = threading.Event()
    pieces = stuck(never)
    with closing(Arrival(tmp_path / "slow.dump", pieces, 100)) as arrival:
        with pytest.raises(CouldNotRun, match=r"no more of slow\.dump has arrived"):
            arrival.wait()
        never.set()


def stuck(event: threading.Event) -> Iterator[bytes]:
    """One piece, and nothing behind it until `event`."""
    yield b"begin"
    event.wait()


def test_a_wait_can_be_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends it at once."""
    never = threading.Event()
    pieces = stuck(never)
    with closing(Arrival(tmp_path / "slow.dump", pieces, 100)) as arrival:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            arrival.wait()
        assert time.monotonic() - began < 5
        never.set()


def test_a_full_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is what the disk has no room for."""

    def full(_file: object, _piece: bytes, _folder: Path) -> None:
        raise CouldNotRun("not enough space for the backup in /tmp: No space left on device")

    monkeypatch.setattr(arrival_module, "write_all", full)
    with (
        closing(arriving(tmp_path / "x.sql", slowly(b"-- x\n"), 5)) as arrival,
        pytest.raises(CouldNotRun, match="not enough space"),
    ):
        recognise(arrival.path)


def test_a_url_of_a_file_is_its_path() -> None:
    """Of this machine; of another one it stays what it is."""
    assert without_file_scheme("file:///srv/a%20b.dump") == "/srv/a b.dump"
    assert without_file_scheme("file://localhost/srv/x") == "/srv/x"
    assert without_file_scheme("file://nas/srv/x") == "file://nas/srv/x"
    assert without_file_scheme("/srv/100%25") == "/srv/100%25"
