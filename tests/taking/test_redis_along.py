"""`backup --with-redis`: an RDB file of the user's own Redis, by its replication stream."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from restore_drill.config.remote import Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.redis.census.known import known_from
from restore_drill.redis.stream import RIGHTS, Wire, marked_file, sized_file
from restore_drill.taking.bucket import BucketFolder
from restore_drill.taking.destination import Folder
from restore_drill.taking.recipients import seal_of
from restore_drill.taking.redis_along import TakenRedis, beside_dumps, take_redis
from restore_drill.taking.redis_known import leave_unmeasured, measure_redis
from tests.helpers.buckets import BUCKET, WRITER, keys_of, s3_server
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.redis_backups import FAMILIES, fill_shop, restored
from tests.helpers.redis_servers import Redis, running
from tests.helpers.sealing import Keys, run
from tests.helpers.shop import Shops
from tests.helpers.takings import backup_to, shop_with_roles

KEYS = 206


def digest_of(client: redis.Redis) -> str:
    """Of all data."""
    return str(client.execute_command("DEBUG", "DIGEST"))  # type: ignore[no-untyped-call]


def only_replication(server: Redis) -> str:
    """URL of a user that has no right but those of a replica."""
    server.admin.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", "backup", "on", ">secret", "-@all", *RIGHTS.split()
    )
    return server.url(user="backup", password="secret")


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("diskless", ["yes", "no"])
def test_a_replica_s_rights_are_enough(family: str, diskless: str, tmp_path: Path) -> None:
    """What comes is whole; nothing has changed there, and it replicates to nobody afterwards."""
    options = (
        *("--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0"),
        *("--enable-debug-command", "yes"),
    )
    with running(FAMILIES[family], options, "") as server:
        fill_shop(server)
        url = only_replication(server)
        before = digest_of(server.admin)
        taken = take_redis(url, Folder(tmp_path / "db"), None, print)
        assert digest_of(server.admin) == before
    path = Path(taken.path)
    assert path.parent == tmp_path / "redis"
    known = json.loads(path.with_name(f"{path.name}.manifest.json").read_text())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert known["backup"] == {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}
    assert path.with_name(f"{path.name}.sha256").read_text().startswith(digest)
    with restored(path) as found:
        assert found.keys == KEYS


def taken_encrypted(keys: Keys, folder: Path) -> TakenRedis:
    """A backup of the keys of the shop, to the age key of `keys`, below `folder`."""
    seal = seal_of([run("age-keygen", "-y", keys.age()).decode().strip()], folder)
    with running(FAMILIES["Redis"], ("--repl-diskless-sync-delay", "0"), "") as server:
        fill_shop(server)
        return take_redis(only_replication(server), Folder(folder / "db"), seal, print)


def drilled_with_its_key(keys: Keys, folder: Path) -> Drill:
    """A drill of it, which passes."""
    key = folder / "key.txt"
    key.write_bytes(keys.age().read_bytes())
    done = run_drill(
        "-k", "redis_backup", "--decrypt-key", str(key),
        report_dir=folder / "report", BACKUP_PATH=str(folder),
    )  # fmt: skip
    assert done.code == 0, done.output
    return done


def test_what_is_taken_is_encrypted_and_drilled(keys: Keys, tmp_path: Path) -> None:
    """To a public key, like the dump; a drill with the key finds and loads it."""
    taken, said = taken_encrypted(keys, tmp_path), list[str]()
    assert taken.path.endswith(".rdb.age")
    measure_redis(taken, said.append)
    assert said == ["  206 keys counted and measured, in a server of our own"]
    plain = [each for each in tmp_path.rglob("*") if b"card:" in content_of(each)]
    assert plain == [] and taken.sent.plain and taken.sent.plain.path is None
    done = drilled_with_its_key(keys, tmp_path)
    assert done.result["redis_backup"]["keys"] == KEYS
    assert done.result["redis_backup"]["format"] == "RDB, age"
    assert {
        "test_redis_backup_keys_match_manifest",
        "test_redis_backup_content_matches_manifest",
        "test_redis_backup_matches_its_checksum",
    } <= done.ran


def content_of(path: Path) -> bytes:
    """Of a file; nothing of a folder."""
    return path.read_bytes() if path.is_file() else b""


def test_without_room_in_memory_it_is_said(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command, in the manifest and by the drill, which is green all the same."""
    monkeypatch.setattr("restore_drill.taking.redis_memory.SHARE", 0.0)
    taken, said = taken_encrypted(keys, tmp_path), list[str]()
    measure_redis(taken, said.append)
    assert "its keys were not counted: it is encrypted or in a bucket" in said[0]
    done = drilled_with_its_key(keys, tmp_path)
    open_points = [each["why"] for each in done.result["not_checked"]]
    assert any("no room to keep it in memory" in why for why in open_points), open_points


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that speaks S3."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.mark.parametrize("ends", ["well", "in an error"])
def test_of_a_bucket_the_manifest_is_written_once(
    s3: str, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Last, with the counts; without them where the dump failed. No object is overwritten."""
    for name, value in keys_of(s3, WRITER).items():
        monkeypatch.setenv(name, value)
    place = BucketFolder(Place("s3", BUCKET, f"taken-{ends[:2]}/"))
    with running(FAMILIES["Valkey"], ("--repl-diskless-sync-delay", "0"), "") as server:
        fill_shop(server)
        taken = take_redis(only_replication(server), place, None, print)
    assert taken.path.startswith(f"s3://{BUCKET}/taken-{ends[:2]}/redis/redis_")
    there = beside_dumps(place)
    assert sorted(there.entries()) == [taken.name, f"{taken.name}.sha256"]
    if ends == "well":
        measure_redis(taken, print)
    else:
        leave_unmeasured(taken)
    assert f"{taken.name}.manifest.json" in there.entries()
    known = known_from(json.loads(there.read(f"{taken.name}.manifest.json")))
    assert known.sha256 == hashlib.sha256(there.read(taken.name)).hexdigest()
    assert known.keys == (KEYS if ends == "well" else None)
    assert (known.content is None) == (ends != "well")
    assert taken.sent.plain and taken.sent.plain.path is None


def test_without_the_rights_that_is_told(tmp_path: Path) -> None:
    """Which are missing, and nothing is left."""
    with running(FAMILIES["Redis"], (), "") as server:
        server.admin.execute_command(  # type: ignore[no-untyped-call]
            "ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+ping"
        )
        url = server.url(user="reader", password="secret")
        with pytest.raises(CouldNotRun, match="no backup of Redis was taken") as caught:
            take_redis(url, Folder(tmp_path / "db"), None, print)
    assert RIGHTS in str(caught.value) and "secret" not in str(caught.value)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_server_that_is_gone_is_told(tmp_path: Path) -> None:
    """No traceback, and no file."""
    with pytest.raises(CouldNotRun, match="no backup of Redis was taken"):
        take_redis("redis://127.0.0.1:1/0", Folder(tmp_path), None, print)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


class Pieces:
    """A socket that gives these pieces, and then ends."""

    def __init__(self, *pieces: bytes) -> None:
        """Give them one after the other."""
        self.pieces = list(pieces)

    def recv(self, _size: int) -> bytes:
        """The next piece."""
        return self.pieces.pop(0) if self.pieces else b""


def test_a_file_ends_where_the_server_says() -> None:
    """By its size or its mark, which may come in two pieces; one that is cut is none."""
    mark = b"m" * 40
    wire = Wire(Pieces(b"RED", b"IS" + mark[:10], mark[10:] + b"PING"))  # type: ignore[arg-type]
    assert b"".join(marked_file(wire, mark)) == b"REDIS"
    wire = Wire(Pieces(b"RED", b"ISnext"))  # type: ignore[arg-type]
    assert b"".join(sized_file(wire, 5)) == b"REDIS"
    for cut in (sized_file(Wire(Pieces(b"RED")), 5), marked_file(Wire(Pieces(b"RED")), mark)):  # type: ignore[arg-type]
        with pytest.raises(CouldNotRun, match="did not send all"):
            b"".join(cut)


def test_the_command_takes_both(shops: Shops, tmp_path: Path) -> None:
    """Redis first; how far they are apart is said."""
    source = shop_with_roles(shops)
    with running(FAMILIES["Redis"], ("--repl-diskless-sync-delay", "0"), "") as server:
        fill_shop(server)
        (tmp_path / "db").mkdir()
        done = backup_to(
            source, "--with-redis", BACKUP_PATH=str(tmp_path), REDIS_URL=only_replication(server)
        )
    assert done.returncode == 0, done.stderr
    assert "before the dump, so that no key is newer" in done.stdout
    assert "206 keys counted and measured" in done.stdout
    assert len(list((tmp_path / "redis").glob("redis_*.rdb"))) == 1
    assert len(list((tmp_path / "db").glob("*.dump"))) == 1


def test_the_command_takes_both_to_a_bucket(
    shops: Shops, s3: str, keys: Keys, tmp_path: Path
) -> None:
    """Encrypted; a drill of the bucket compares what the keys hold with the manifest."""
    place = {"BACKUP_PATH": f"s3://{BUCKET}/whole", **keys_of(s3, WRITER)}
    to = run("age-keygen", "-y", keys.age()).decode().strip()
    with running(FAMILIES["Redis"], ("--repl-diskless-sync-delay", "0"), "") as server:
        fill_shop(server)
        done = backup_to(
            shop_with_roles(shops), "--with-redis", "--encrypt-to", to,
            REDIS_URL=only_replication(server), **place,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "206 keys counted and measured" in done.stdout
    key = tmp_path / "key.txt"
    key.write_bytes(keys.age().read_bytes())
    drill = run_drill(
        "-k", "redis_backup", "--decrypt-key", str(key),
        report_dir=tmp_path / "report", cwd=ROOT, **place,
    )  # fmt: skip
    assert drill.code == 0, drill.output
    assert "test_redis_backup_content_matches_manifest" in drill.ran


def test_a_cluster_is_refused(tmp_path: Path) -> None:
    """One node of it sends its own keys alone."""
    options = ("--cluster-enabled", "yes")
    with (
        running(FAMILIES["Redis"], options, "") as server,
        pytest.raises(CouldNotRun, match="names a cluster"),
    ):
        take_redis(server.url(), Folder(tmp_path), None, print)
