"""A bucket that backups are written to: claimed by name, by parts, and taken back if not whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from restore_drill.config.remote import BUCKETS, Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.bucket import Bucket
from restore_drill.places.store import Object, open_store
from restore_drill.places.writing import AlreadyThere, delete, put, upload
from restore_drill.taking.destination import AROUND, Add

CLAIM = ".part"
"""Suffix of the object that claims a name while a backup is written: drills pass over it."""
ABANDONED = timedelta(days=2)
"""So old a claim is of a process that was killed."""
LARGEST_CLAIM = 1000
CLAIMED = "restore-drill backup writes this ({}); it may be deleted once no such process runs\n"


class BucketFolder:
    """A folder of a bucket."""

    def __init__(self, place: Place) -> None:
        """Nothing is asked yet; CouldNotRun where the library is missing, or it is no bucket."""
        if place.scheme not in BUCKETS:
            raise CouldNotRun(
                f"a backup cannot be written to {place.scheme}://, only to a folder or a bucket",
                checked=[place.url],
                remedy=remedy_for("backup", "not_a_bucket"),
            )
        store = open_store(place)
        assert isinstance(store, Bucket)
        self.place = place
        self.store = store
        self.left: list[str] = []
        self.listed: dict[str, Object] = {}

    @property
    def shown(self) -> str:
        """Its URL."""
        return self.place.url

    @property
    def notes(self) -> list[Path]:
        """In the state folder of this user: those of it, and of the folders around it."""
        names = self.place.prefix.split("/")[:-1]
        around = ["".join(f"{each}/" for each in names[:end]) for end in range(len(names), -1, -1)]
        return [replace(self.place, prefix=each).state_folder for each in around[: AROUND + 1]]

    def inner(self, folder: str) -> BucketFolder:
        """The `folder` in it, where there is one; else itself."""
        prefix = f"{self.place.prefix}{folder}/"
        if next(self.store.list(prefix), None) is None:
            return self
        return BucketFolder(replace(self.place, prefix=prefix))

    def beside(self, folder: str, inner: str) -> BucketFolder:
        """The `folder` in it; where it is called `inner`, beside it."""
        around = self.place.prefix
        around = around.removesuffix(f"{inner}/") if f"/{around}".endswith(f"/{inner}/") else around
        return BucketFolder(replace(self.place, prefix=f"{around}{folder}/"))

    def entries(self) -> dict[str, int]:
        """Objects in it, without those in folders below it."""
        start = len(self.place.prefix)
        found = {each.key[start:]: each for each in self.store.list(self.place.prefix)}
        self.listed = {name: each for name, each in found.items() if name and "/" not in name}
        return {name: each.size for name, each in self.listed.items()}

    def read(self, name: str) -> bytes:
        """All of an object, of the version that was listed."""
        return b"".join(self.store.pieces(self.listed[name]))

    def put(self, name: str, content: bytes) -> None:
        """Write a new object, in one request."""
        put(self.store, self.place.prefix + name, content)

    def remove(self, names: Sequence[str]) -> None:
        """Delete these objects."""
        for name in names:
            delete(self.store, self.place.prefix + name)

    @contextmanager
    def writing(self, name: str, expected: int) -> Iterator[Add]:
        """Of two processes that choose one name at one moment, one is refused."""
        claim = name + CLAIM
        self.remove_abandoned()
        self.claim(claim)
        added: list[str] = []
        try:
            yield self.adding(name, added, expected)
        except BaseException:
            self.take_back([*added, claim])
            raise
        self.take_back([claim])

    def remove_abandoned(self) -> None:
        """Remove what killed processes have left, so far as the bucket was listed and allows it."""
        begin = CLAIMED.partition("(")[0].encode()
        for name, what in self.listed.items():
            is_old = datetime.now(UTC) - what.modified > ABANDONED
            if name.endswith(CLAIM) and is_old and what.size < LARGEST_CLAIM:
                with suppress(CouldNotRun):
                    if self.read(name).startswith(begin):
                        self.remove([name])

    def claim(self, name: str) -> None:
        """Keep others from the name; CouldNotRun where another one has it."""
        key, content = self.place.prefix + name, CLAIMED.format(uuid4()).encode()
        try:
            put(self.store, key, content)
        except AlreadyThere:
            raise CouldNotRun(
                f"{self.store.url_of(key)} exists: another backup is "
                "being written under that name, or was killed while it was being written",
                remedy=remedy_for("backup", "same_name"),
            ) from None
        except BaseException:  # it may be there: an interrupt, or an answer that was lost
            self.take_back([name], content)
            raise

    def adding(self, name: str, added: list[str], expected: int) -> Add:
        """Function that uploads the backup `name`, and puts the files beside it."""

        def add(file: str, pieces: Iterable[bytes]) -> None:
            key = self.place.prefix + file
            added.append(file)
            try:
                if file == name:
                    upload(self.store, key, pieces, expected)
                else:
                    put(self.store, key, b"".join(pieces))
            except AlreadyThere:
                added.remove(file)
                raise

        return add

    def take_back(self, names: Sequence[str], content: bytes | None = None) -> None:
        """Remove what there is of `names`; what the key may not delete is noted in `left`.

        With a `content`, only what has that.
        """
        for key in (self.place.prefix + name for name in names):
            try:
                what = self.store.find(key)
                if what and (content is None or b"".join(self.store.pieces(what)) == content):
                    delete(self.store, key)
            except CouldNotRun:
                self.left.append(self.store.url_of(key))
