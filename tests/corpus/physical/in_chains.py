"""Damages of chains of incremental backups: combining a damaged one verifies green."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.manifests import MANIFEST
from tests.corpus.physical.before import cut, edited, flip, largest
from tests.corpus.physical.look import Asked
from tests.corpus.physical.model import RECOVERY, SILENT, WHOLE, Damage, Do
from tests.corpus.physical.sources import Made, kept
from tests.helpers.physical import Source, copied

KIND = "incremental chain"
NAMES = ("full", "inc1", "inc2")


class Chain(NamedTuple):
    """A server with a full backup and two increments."""

    server: Source
    folder: Path


def chain_of(server: Source) -> Chain:
    """Take the chain, with changes in between."""
    last = server.base_backup("full")
    for name in NAMES[1:]:
        server.commit(f"before {name}", 400)
        server.sql("UPDATE customers SET name = name || '!' WHERE id % 7 = 0")
        last = server.base_backup(name, f"--incremental={last}/{MANIFEST}")
    nothing = server.folder / "nothing"
    nothing.mkdir()
    return Chain(server, server.folder)


def increment(folder: Path) -> Path:
    """The largest of the files that hold only changed pages."""
    return max((folder / "base").rglob("INCREMENTAL.*"), key=lambda each: each.stat().st_size)


DAMAGES: tuple[tuple[str, Callable[[Path], object], str, str], ...] = (
    ("bit in the full backup", lambda at: flip(largest(at / "full"), 24676), WHOLE, ""),
    ("file of the full backup cut", lambda at: cut(largest(at / "full"), 8192), WHOLE, ""),
    ("file of the full backup gone", lambda at: largest(at / "full").unlink(), WHOLE, ""),
    ("full backup gone", lambda at: shutil.rmtree(at / "full"), WHOLE, ""),
    ("first increment gone", lambda at: shutil.rmtree(at / "inc1"), WHOLE, ""),
    ("bit in the first increment", lambda at: flip(increment(at / "inc1"), 9000), WHOLE, ""),
    ("bit in the newest increment", lambda at: flip(increment(at / "inc2"), 9000), WHOLE, ""),
    ("file of an increment gone", lambda at: increment(at / "inc1").unlink(), WHOLE, ""),
    ("file of an increment cut", lambda at: cut(increment(at / "inc2"), 100), WHOLE, ""),
    ("manifest of the full backup edited", lambda at: edited(at / "full" / MANIFEST,
                                                             '"Size": 3,', '"Size": 4,'), WHOLE,
     ""),
    ("label of the newest increment gone", lambda at: (at / "inc2" / "backup_label").unlink(),
     WHOLE, ""),
    ("label of the first increment gone", lambda at: (at / "inc1" / "backup_label").unlink(),
     WHOLE, ""),
    ("WAL of the newest increment gone", lambda at: shutil.rmtree(at / "inc2" / "pg_wal"), RECOVERY,
     ""),
    ("WAL of the full backup gone", lambda at: shutil.rmtree(at / "full" / "pg_wal"), SILENT,
     "the newest increment has all WAL that the chain needs"),
    ("pg_control of the newest increment gone",
     lambda at: (at / "inc2" / "global/pg_control").unlink(), WHOLE, ""),
    ("tablespace of the full backup gone", lambda at: shutil.rmtree(f"{at / 'full'}.ts1"),
     WHOLE, ""),
)  # fmt: skip


def in_chains(made: Made) -> Iterator[Damage]:
    """Damages of a chain; PostgreSQL 17 is the first that makes any."""
    if made.major < 17:
        return
    for what, act, must, why in DAMAGES:
        yield Damage(what, KIND, on_copy(act), must, why, takes=nothing)


def nothing(made: Made) -> Path:
    """An empty folder: the members are copied one by one."""
    chain: Chain = kept(made, "chain", chain_of)
    return chain.folder / "nothing"


def on_copy(act: Callable[[Path], object]) -> Do:
    """Damage copies of all members, and drill the newest."""

    def do(made: Made, copy: Path) -> Asked:
        chain: Chain = kept(made, "chain", chain_of)
        copy.rmdir()
        for name in NAMES:
            copied(chain.folder / name, copy.parent / name)
        act(copy.parent)
        return Asked(copy.parent / "inc2")

    return do
