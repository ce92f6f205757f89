"""Real servers with base backups of every form, taken once for the tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from tests.helpers.physical import Source, source

FORMS = {
    "tar": (), "gzip": ("--gzip",), "fetch": ("-X", "fetch"), "fetch gzip": ("-X", "fetch", "-z"),
    "none": ("-X", "none"),
}  # fmt: skip


BY_US = {
    "lz4": (".lz4", lz4.frame.compress), "zstd": (".zst", zstandard.ZstdCompressor().compress),
}  # fmt: skip
"""Compressions that not every build of PostgreSQL can do."""


def packed(tars: Path, to: Path, how: tuple[str, Callable[[bytes], bytes]]) -> None:
    """Copy a backup of `tars`, each compressed."""
    to.mkdir()
    for each in tars.iterdir():
        is_tar = each.suffix == ".tar"
        data = each.read_bytes()
        target = to / f"{each.name}{how[0] if is_tar else ''}"
        target.write_bytes(how[1](data) if is_tar else data)


@pytest.fixture(scope="module")
def source15() -> Iterator[Source]:
    """Server 15 with base backups: plain, and the tars of FORMS by their names."""
    with source(15, rows=200) as found:
        found.base_backup("plain")
        for name, options in FORMS.items():
            found.base_backup(name, *options, form="tar")
        for name, compress in BY_US.items():
            packed(found.folder / "tar", found.folder / name, compress)
        found.switch()
        yield found


@pytest.fixture(scope="module")
def source18() -> Iterator[Source]:
    """Server 18 with a chain: `full`, `inc1` and `inc2`, plain, and `inc3` as tars."""
    with source(18, rows=200) as found:
        last = found.base_backup("full")
        for number in (1, 2):
            found.commit(f"before {number}", 50)
            last = found.base_backup(f"inc{number}", f"--incremental={last}/backup_manifest")
        found.base_backup("inc3", f"--incremental={last}/backup_manifest", form="tar")
        found.base_backup("gzip", "--gzip", form="tar")
        found.switch()
        yield found
