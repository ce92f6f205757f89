"""Real backups of every kind, small ones, as the files that lie in a bucket."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pyrage

from tests.helpers.manifests import ROLES, take
from tests.helpers.physical import source
from tests.helpers.shop import Shops, fill_shop

Files = dict[str, bytes]
"""What lies in the folder of a database, by its name."""
PAGE = 8192
BLOCK = 512
"""Bytes of a page of PostgreSQL, and of a block of a tar."""
TABLE = "CREATE TABLE parts AS SELECT n AS id, 'part ' || n AS name FROM generate_series(1, 500) n"


class Maker:
    """Makes backups in `folder`; those that several databases start from once only."""

    def __init__(self, folder: Path) -> None:
        """Start no server yet."""
        folder.mkdir()
        self.folder, self.stack = folder, ExitStack()
        self.shops = Shops(folder)
        self.stack.callback(self.shops.close)
        self.identity = pyrage.x25519.Identity.generate()
        self.bases: dict[int, Files] = {}
        self.taken: list[Files] = []

    def close(self) -> None:
        """Stop all servers."""
        self.stack.close()

    def dump(self, major: int, form: str) -> bytes:
        """A dump of the shop, in a form of `Shops.dump`."""
        return self.shops.dump(major, form).read_bytes()

    def directory(self, major: int) -> bytes:
        """A dump in directory format, as a tar."""
        path, packed = self.shops.dump(major, "directory"), io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.add(path, arcname="shop")
        return packed.getvalue()

    def dumpall(self, major: int) -> bytes:
        """What pg_dumpall writes of a server with one database that has tables."""
        target = self.shops.throwaway(major)
        fill_shop(target, TABLE)
        done = subprocess.run(
            [target.binaries.tool("pg_dumpall")], env=target.tool_environment,
            check=True, capture_output=True,
        )  # fmt: skip
        return done.stdout

    def base(self, major: int) -> Files:
        """A base backup in tars, with its WAL and its manifest."""
        if major not in self.bases:
            with source(major, rows=100) as server:
                server.sql("ALTER TABLE events SET TABLESPACE pg_default")
                server.sql("DROP TABLESPACE ts1")
                packed = ["--gzip"] if major > 15 else []
                made = server.base_backup("base", "-X", "stream", *packed, form="tar")
                self.bases[major] = {each.name: each.read_bytes() for each in made.iterdir()}
        return {f"base/{name}": data for name, data in self.bases[major].items()}

    def told(self) -> list[Files]:
        """Two dumps by `restore-drill backup`, each with its manifest: rows are gone in between."""
        if not self.taken:
            target = self.shops.database(15, "told")
            fill_shop(target, ROLES)
            fill_shop(target, TABLE)
            for name in ("before", "after"):
                (folder := self.folder / name).mkdir()
                take(target, folder)
                self.taken.append({each.name: each.read_bytes() for each in folder.iterdir()})
                fill_shop(target, "DELETE FROM parts WHERE id > 497")
        return self.taken

    def sealed(self, data: bytes) -> bytes:
        """The same, encrypted with age."""
        found: bytes = pyrage.encrypt(data, [self.identity.to_public()])
        return found


def cut(data: bytes) -> bytes:
    """The first half."""
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """The same with one bit changed, in the middle."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


def without_rows(before: Files, after: Files) -> Files:
    """The backup `after`, whose manifest says that it has what `before` has."""
    was, now = (json.loads(files[manifest_in(files)]) for files in (before, after))
    return after | {manifest_in(after): json.dumps(now | {"identity": was["identity"]}).encode()}


def manifest_in(files: Files) -> str:
    """Name of the manifest among `files`."""
    return next(name for name in files if name.endswith(".manifest.json"))


def with_bad_page(files: Files) -> Files:
    """A base backup in which one page of its largest table has lost a part."""
    name = "base/base.tar"
    data = bytearray(files[name])
    with tarfile.open(fileobj=io.BytesIO(files[name])) as tar:
        tables = [each for each in tar if each.name.startswith("base/") and each.size > 40 * PAGE]
    largest = max(tables, key=lambda each: (each.size, each.name))
    place = largest.offset_data + largest.size // PAGE // 2 * PAGE + PAGE // 2
    data[place : place + BLOCK] = bytes(each ^ 0xFF for each in data[place : place + BLOCK])
    return files | {name: bytes(data)}


Make = Callable[[Maker], Files]
