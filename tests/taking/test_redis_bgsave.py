"""`backup --with-redis --redis-bgsave`: the file that a server saves, where none may replicate."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
import redis

from restore_drill.core.errors import CouldNotRun
from restore_drill.redis import saving
from restore_drill.redis.stream import RIGHTS
from restore_drill.taking.destination import Folder
from restore_drill.taking.redis_along import TakenRedis, left_alone, take_redis
from tests.helpers.drills import command
from tests.helpers.redis_backups import FAMILIES, fill_shop, restored, writer
from tests.helpers.redis_servers import Redis, wait_for
from tests.helpers.shop import Shops
from tests.helpers.takings import backup_to, shop_with_roles

KEYS = 206
SAVES = "+bgsave +lastsave +info +config|get"


def only(server: Redis, rights: str) -> str:
    """URL of a user that has these `rights` alone."""
    server.admin.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", "saver", "on", "resetkeys", ">secret", "-@all", *rights.split()
    )
    return server.url(user="saver", password="secret")


def ripe(server: Redis) -> None:
    """Wait until its last save is so old that none is waited for before the next."""
    server.admin.set_response_callback("LASTSAVE", int)
    wait_for(lambda: time.time() > int(server.admin.execute_command("LASTSAVE")) + 1.2)  # type: ignore[no-untyped-call]


def taken_by(server: Redis, rights: str, folder: Path, bgsave: str | None = "") -> TakenRedis:
    """A backup of `server`, by a user with these rights."""
    return take_redis(only(server, rights), Folder(folder / "db"), None, print, bgsave)


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("named", ["", "dump.rdb"])
def test_the_file_that_it_saves_is_taken(family: str, named: str, tmp_path: Path) -> None:
    """Of a user that may do no more; named, not even where it lies is asked."""
    with writer(family, fill_shop) as (server, home):
        rights = SAVES.replace(" +config|get", "") if named else SAVES
        taken = taken_by(server, rights, tmp_path, named and str(home / named))
        calls = server.admin.info("commandstats")
        assert "cmdstat_save" not in calls and calls["cmdstat_bgsave"]["calls"] == 1
    with restored(Path(taken.path)) as found:
        assert found.keys == KEYS
    known = json.loads(Path(f"{taken.path}.manifest.json").read_text())
    assert known["taken_by"] == "BGSAVE" and known["order"] == "before the dump"
    assert taken.sent.notes == ["taken by BGSAVE, because replication was refused"]


def test_who_may_replicate_does(tmp_path: Path) -> None:
    """It is allowed to save, and not asked to."""
    with writer("Redis", fill_shop, "--repl-diskless-sync-delay", "0") as (server, _):
        taken = taken_by(server, f"{SAVES} {RIGHTS}", tmp_path)
        assert "cmdstat_bgsave" not in server.admin.info("commandstats")
    assert (taken.sent.by, taken.sent.notes) == ("replication", [])


def test_nothing_is_saved_that_was_not_allowed(tmp_path: Path) -> None:
    """Without the option the way is named, and not gone."""
    with writer("Redis") as (server, _):
        with pytest.raises(CouldNotRun, match="no backup of Redis was taken") as caught:
            taken_by(server, SAVES, tmp_path, bgsave=None)
        assert "cmdstat_bgsave" not in server.admin.info("commandstats")
    assert "--redis-bgsave" in str(caught.value) and RIGHTS in str(caught.value)


def test_neither_way_is_told_with_what_each_needs(tmp_path: Path) -> None:
    """Rights of both; nothing is left."""
    with (
        writer("Redis") as (server, _),
        pytest.raises(CouldNotRun, match="and by BGSAVE: ") as caught,
    ):
        taken_by(server, "+ping", tmp_path)
    assert SAVES in str(caught.value) and RIGHTS in str(caught.value)
    assert "secret" not in str(caught.value)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_save_that_runs_is_waited_for(tmp_path: Path) -> None:
    """It is told, and its file is taken: no second one is begun."""
    with writer("Redis", fill_shop, "--rdb-key-save-delay", "5000") as (server, _):
        ripe(server)
        server.admin.bgsave()
        taken = taken_by(server, SAVES, tmp_path)
        assert server.admin.info("stats")["total_forks"] == 1
    assert "a save was already running" in taken.sent.notes[1]
    with restored(Path(taken.path)) as found:
        assert found.keys == KEYS


def test_a_rewrite_that_runs_is_waited_for(tmp_path: Path) -> None:
    """A server forks once at a time: the save comes after it."""
    options = ("--appendonly", "yes", "--rdb-key-save-delay", "5000")
    with writer("Redis", fill_shop, *options) as (server, _):
        wait_for(lambda: not server.admin.info("persistence")["aof_rewrite_in_progress"])
        ripe(server)
        server.admin.bgrewriteaof()
        taken = taken_by(server, SAVES, tmp_path)
    assert "rewriting its append-only files" in taken.sent.notes[1]
    with restored(Path(taken.path)) as found:
        assert found.keys == KEYS


def test_a_save_that_takes_too_long_ends_the_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its limit, and what to do."""
    monkeypatch.setattr(saving, "LONGEST", 0.5)
    with writer("Redis", fill_shop, "--rdb-key-save-delay", "200000") as (server, _):
        with pytest.raises(CouldNotRun, match="did not finish saving within") as caught:
            taken_by(server, SAVES, tmp_path)
        with suppress(redis.RedisError):
            server.admin.shutdown(nosave=True, now=True, force=True)
    assert "rdb_last_bgsave_time_sec" in str(caught.value)


def test_a_save_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the server's own state, long before the limit."""
    monkeypatch.setattr(saving, "IDLE", 0.3)
    with writer("Redis", fill_shop) as (server, home):
        (home / "dump.rdb").mkdir()
        (home / "dump.rdb" / "x").touch()
        with pytest.raises(CouldNotRun, match=r"saving .BGSAVE. failed"):
            taken_by(server, SAVES, tmp_path)


def test_a_file_of_another_server_is_not_taken(tmp_path: Path) -> None:
    """Whether it stays as it was, or is new: the time in it is not that of the save."""
    other = tmp_path / "dump.rdb"
    with writer("Redis", fill_shop) as (server, home):
        server.admin.save()
        other.write_bytes((home / "dump.rdb").read_bytes())
        with pytest.raises(CouldNotRun, match="is not the file that Redis just saved"):
            taken_by(server, SAVES, tmp_path, str(other))
        old = (home / "dump.rdb").read_bytes()
        at = old.index(b"\x05ctime") + 6
        assert old[at] == 0xC2
        old = old[: at + 1] + (1).to_bytes(4, "little") + old[at + 5 :]
        writing = Thread(target=wait_and_write, args=(server, other, old))
        writing.start()
        with pytest.raises(CouldNotRun, match="is not the file that Redis just saved"):
            taken_by(server, SAVES, tmp_path, str(other))
        writing.join()


def wait_and_write(server: Redis, path: Path, data: bytes) -> None:
    """Replace the file at `path` once the server is asked to save."""
    count = server.admin.info("commandstats").get("cmdstat_bgsave", {}).get("calls", 0)
    wait_for(
        lambda: server.admin.info("commandstats").get("cmdstat_bgsave", {}).get("calls", 0) > count
    )
    path.write_bytes(data)


def test_a_file_that_cannot_be_read_here_saves_nothing(tmp_path: Path) -> None:
    """It is told before the server does anything."""
    with writer("Redis", fill_shop) as (server, _):
        with pytest.raises(CouldNotRun, match="cannot be read on this machine") as caught:
            taken_by(server, SAVES, tmp_path, str(tmp_path / "no" / "such" / "dump.rdb"))
        assert "cmdstat_bgsave" not in server.admin.info("commandstats")
    assert "--redis-bgsave FILE" in str(caught.value)


def test_the_command_says_how_it_was_taken(shops: Shops, tmp_path: Path) -> None:
    """And both manifests say in which order, and how far apart; --keep is not about it."""
    source = shop_with_roles(shops)
    (tmp_path / "db").mkdir()
    with writer("Redis", fill_shop) as (server, _):
        done = backup_to(
            source, "--with-redis", "--redis-bgsave", "--keep=3d",
            BACKUP_PATH=str(tmp_path), REDIS_URL=only(server, SAVES),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "taken by BGSAVE, because replication was refused" in done.stdout
    assert "--keep deletes no backup of Redis: 1 file" in done.stdout
    (path,) = (tmp_path / "db").glob("*.dump.manifest.json")
    known = json.loads(path.read_text())["redis"]
    (rdb,) = (tmp_path / "redis").glob("*.rdb")
    assert known["backup"] == rdb.name and 0 <= known["seconds_before_dump"] < 60
    assert known["sha256"] in (tmp_path / "redis" / f"{rdb.name}.sha256").read_text()


def test_the_option_belongs_to_the_other() -> None:
    """It is refused alone."""
    done = command("backup", "--redis-bgsave")
    assert done.returncode == 4 and "--redis-bgsave needs --with-redis" in done.stderr


def test_backups_of_redis_are_named_where_old_dumps_go(tmp_path: Path) -> None:
    """Where none is there, nothing is said."""
    assert list(left_alone(Folder(tmp_path / "db"))) == []
    (tmp_path / "redis").mkdir()
    for name in ("a.rdb", "a.rdb.sha256", "a.rdb.manifest.json", "b.rdb"):
        (tmp_path / "redis" / name).write_bytes(b"x" * 10)
    (line,) = left_alone(Folder(tmp_path / "db"))
    assert "2 files" in line and "20 B" in line and str(tmp_path / "redis") in line
