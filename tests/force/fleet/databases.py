"""The databases of the fleet, and which verdict is the right one for each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import zstandard

from tests.force.fleet.making import (
    Files,
    Make,
    Maker,
    cut,
    flipped,
    with_bad_page,
    without_rows,
)
from tests.helpers.buckets import BUCKET

PASSED, FAILED, UNKNOWN = "passed", "failed", "could-not-run"
DUMPS = "dumps"
AGE_KEY, WRONG = "PROOF_AGE_KEY", "PROOF_WRONG_SECRET"
"""Variables with secrets, which no inventory holds."""
NO_ENGINE = {"DOCKER_HOST": "tcp://127.0.0.1:9"}


@dataclass(frozen=True)
class Database:
    """One database: what makes its backup, its keys of the inventory, and its right verdict."""

    name: str
    make: Make
    right: str = PASSED
    keys: Mapping[str, object] = field(default_factory=dict)

    def inventory(self) -> Iterator[str]:
        """Its table in fleet.toml."""
        yield f"[databases.{self.name}]"
        keys = {"backups": f"s3://{BUCKET}/{DUMPS}/{self.name}", **self.keys}
        for key, value in keys.items():
            if isinstance(value, dict):
                pairs = (f"{name} = {json.dumps(each)}" for name, each in value.items())
                yield f"{key} = {{ {', '.join(pairs)} }}"
            else:
                yield f"{key} = {json.dumps(value)}"


def one(form: str, name: str, major: int, maker: Maker) -> Files:
    """A dump in one file."""
    return {name: maker.dump(major, form)}


def dumps() -> Iterator[Database]:
    """Healthy dumps of all majors in all formats."""
    packed = {14: "gz", 15: "zst", 16: "lz4", 17: "xz", 18: "bz2"}
    forms = {"plain": "plain.sql", "custom": "custom.dump", "tar": "archive.tar"}
    for major, suffix in packed.items():
        for kind, form in forms.items():
            end = form.rpartition(".")[2]
            yield Database(f"{kind}-{major}", partial(one, form, f"shop.{end}", major))
        form = f"plain.sql.{suffix}"
        yield Database(f"{suffix}-{major}", partial(one, form, f"shop.sql.{suffix}", major))


def others() -> Iterator[Database]:
    """Healthy backups of other kinds."""
    for major in (15, 16, 18):
        yield Database(f"directory-{major}", partial(directory, major))
    for major in (15, 17):
        yield Database(f"cluster-{major}", partial(cluster, major))
        yield Database(f"base-{major}", partial(base, major))
    yield Database("told", lambda maker: maker.told()[0])
    yield Database("sealed", sealed, keys={"environment": {"DRILL_DECRYPT_KEY": f"${{{AGE_KEY}}}"}})


def directory(major: int, maker: Maker) -> Files:
    """A tar of a dump in directory format."""
    return {"shop.tar.gz": maker.directory(major)}


def cluster(major: int, maker: Maker) -> Files:
    """A whole server, by pg_dumpall."""
    return {"all.sql": maker.dumpall(major)}


def base(major: int, maker: Maker) -> Files:
    """A physical backup."""
    return maker.base(major)


def sealed(maker: Maker) -> Files:
    """A dump that is encrypted."""
    return {"shop.sql.age": maker.sealed(maker.dump(15, "plain.sql"))}


def damaged() -> Iterator[Database]:
    """Backups that are not whole: each must be red."""
    yield Database("torn-plain", lambda m: {"shop.sql": cut(m.dump(15, "plain.sql"))}, FAILED)
    yield Database("torn-gz", lambda m: {"shop.sql.gz": cut(m.dump(14, "plain.sql.gz"))}, FAILED)
    yield Database("torn-custom", lambda m: {"s.dump": cut(m.dump(18, "custom.dump"))}, FAILED)
    yield Database("flip-zst", lambda m: {"s.sql.zst": flipped(packed(m))}, FAILED)
    yield Database("flip-custom", with_checksum, FAILED)
    yield Database("empty", lambda _: {"shop.sql": b""}, FAILED)
    yield Database("lost-rows", lost_rows, FAILED)
    yield Database("bad-page", lambda m: with_bad_page(m.base(15)), FAILED)
    yield Database(
        "too-few", partial(one, "custom.dump", "shop.dump", 16), FAILED,
        {"criteria": "criteria.toml"},
    )  # fmt: skip


def packed(maker: Maker) -> bytes:
    """As the command `zstd` does it, whose files have a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(maker.dump(15, "plain.sql"))


def with_checksum(maker: Maker) -> Files:
    """A bit of the dump is another one than when its checksum was taken."""
    data = maker.dump(17, "custom.dump")
    line = f"{hashlib.sha256(data).hexdigest()}  shop.dump\n"
    return {"shop.dump": flipped(data), "shop.dump.sha256": line.encode()}


def lost_rows(maker: Maker) -> Files:
    """Rows are gone that the manifest has; the dump itself is whole."""
    return without_rows(*maker.told())


def cannot() -> Iterator[Database]:
    """Nobody can say anything of these: each must be told as such."""
    make = partial(one, "plain.sql", "shop.sql", 15)
    yield Database("engineless", make, UNKNOWN, {"target": "container", "environment": NO_ENGINE})
    wrong = {"environment": {"AWS_SECRET_ACCESS_KEY": f"${{{WRONG}}}"}}
    yield Database("wrong-secret", make, UNKNOWN, wrong)
    yield Database("keyless", sealed, UNKNOWN)
    yield Database("no-bucket", make, UNKNOWN, {"backups": "s3://no-such-bucket/shop"})


def every_database() -> list[Database]:
    """All of them."""
    return [*dumps(), *others(), *damaged(), *cannot()]


FEW = ("custom-15", "directory-15", "told", "torn-plain", "engineless")
"""What every run of the tests drills."""


def some_databases(names: tuple[str, ...] = FEW) -> list[Database]:
    """A few of them."""
    return [each for each in every_database() if each.name in names]
