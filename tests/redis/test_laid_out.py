"""Archives of whole data directories, scripts in append-only files, and who can read which file."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.redis.backup import tools
from restore_drill.redis.backup.header import HEAD_BYTES, header_in
from restore_drill.redis.backup.outcome import readable
from restore_drill.redis.backup.restore import Opened, load_here, open_backup
from restore_drill.redis.backup.server import Loader
from restore_drill.redis.backup.tools import binaries, in_order, reads
from restore_drill.results.meaning import of_coherence
from restore_drill.selection.redis_backups import choose_redis
from tests.helpers.drills import run_drill
from tests.helpers.redis_backups import (
    FAMILIES,
    appended,
    backup_at,
    lay_out,
    looked_at,
    restored,
    saved,
)
from tests.helpers.redis_servers import Redis
from tests.redis.test_backups import KEYS, chosen, settings_for

LATER = 52
NOW = time.time()


def archive(*members: tuple[str, bytes, float]) -> bytes:
    """A compressed tar of files, by name, content and time."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data, when in members:
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), int(when)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def data_directory(seconds: float = 0.0) -> list[tuple[str, bytes, float]]:
    """What lies in one; its append-only files are so many seconds old."""
    rdb = ("redis/dump.rdb", saved("Redis"), NOW)
    when = time.time() - seconds
    parts = [(f"redis/appendonlydir/{n}", d, when) for n, d in appended("Redis").items()]
    return [("redis/redis.conf", b"appendonly yes\n", NOW), rdb, *parts]


def laid_out(path: Path, stack: ExitStack) -> Opened:
    """The backup at `path`, ready for a server."""
    backup = backup_at(path)
    readable(backup)
    return open_backup(backup, print, stack)


def fill_much(server: Redis) -> None:
    """Some megabytes that no compression makes smaller."""
    server.admin.set("noise", os.urandom(4 << 20))


def test_of_both_the_append_only_files_are_drilled(tmp_path: Path) -> None:
    """As a server does; that the RDB file is not is said, with the reason."""
    path = lay_out(archive(*data_directory()), tmp_path / "redis.tgz")
    with restored(path) as found:
        assert found.keys == KEYS + 1 + LATER
    with ExitStack() as stack:
        ((what, why),) = laid_out(path, stack).placed.not_drilled
    assert what.startswith("dump.rdb of 20") and "beside the append-only files" in what
    assert "a server with append-only files loads those" in why and "newer" not in why


def test_an_rdb_file_that_is_newer_is_told(tmp_path: Path) -> None:
    """A server without appendonly would load that one; what it says counts, in either order."""
    members = data_directory(seconds=6900)  # less what has passed since the module was loaded
    for order in (members, members[::-1]):
        path = lay_out(archive(*order), tmp_path / "redis.tgz")
        with ExitStack() as stack:
            ((_, why),) = laid_out(path, stack).placed.not_drilled
        assert "but dump.rdb is 1 h" in why and "newer" in why and "--redis-backup" in why


def test_a_large_rdb_file_in_front_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive is not read to its end to recognise it: what comes later is found all the same."""
    monkeypatch.setattr("restore_drill.backups.wraps.tarred.LARGE", 1_000_000)
    rdb = ("redis/dump.rdb", saved("Redis", fill_much), NOW)
    path = lay_out(archive(rdb, *data_directory()[2:]), tmp_path / "redis.tgz")
    assert backup_at(path).format == "RDB"
    with restored(path) as found:
        assert found.keys == KEYS + 1 + LATER


def test_a_data_directory_without_append_only_files(tmp_path: Path) -> None:
    """Its RDB file is drilled, whatever lies beside it; a broken save's file is no second one."""
    rest = [("redis/nodes.conf", b"vars\n", NOW), ("redis/temp-7.rdb", saved("Redis")[:90], NOW)]
    path = lay_out(archive(*data_directory()[:2], *rest), tmp_path / "redis.tgz")
    with restored(path) as found:
        assert (found.backup.format_text, found.keys) == ("RDB, tar in gzip", KEYS + 1)


def test_an_archive_with_a_single_file_of_commands(tmp_path: Path) -> None:
    """As servers before 7.0 have it: no manifest is missing."""
    commands = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"
    both = archive(("appendonly.aof", commands, NOW), ("dump.rdb", saved("Redis"), NOW))
    with restored(lay_out(both, tmp_path / "redis.tgz")) as found:
        assert found.keys == 1
    alone = archive(("appendonly.aof", commands, NOW))
    with restored(lay_out(alone, tmp_path / "aof.tgz")) as found:
        assert found.keys == 1


@pytest.mark.parametrize("kind", ["dump.rdb", "appendonlydir"])
def test_the_files_of_two_servers_are_refused(kind: str, tmp_path: Path) -> None:
    """None of them is taken in silence for the other."""
    members = [each for each in data_directory() if kind in each[0]]
    second = [(f"other/{name}", data, when) for name, data, when in members]
    path = lay_out(archive(*members, *second), tmp_path / "redis.tgz")
    with ExitStack() as stack, pytest.raises(CouldNotRun, match="files of several servers"):
        open_backup(backup_at(path), print, stack)


def test_a_folder_may_be_named(tmp_path: Path) -> None:
    """Of a data directory, or one of several backups, the newest is taken; temporary files not."""
    data = tmp_path / "data"
    data.mkdir()
    lay_out(saved("Redis"), data / "dump.rdb")
    (data / "temp-99.rdb").write_bytes(saved("Redis")[:100])
    settings = settings_for(tmp_path)
    found = choose_redis(replace(settings, redis_backup=data))
    assert found is not None and not isinstance(found, (BackupFault, CouldNotRun))
    assert (found.name, found.time_source) == ("dump.rdb", "the file itself")
    assert "temporary file" in " ".join(found.passed_over)


def test_the_age_of_a_file_is_its_own(tmp_path: Path) -> None:
    """No word of a dump."""
    (tmp_path / "redis").mkdir()
    lay_out(gzip.compress(saved("Redis")), tmp_path / "redis" / "dump.rdb.gz")
    assert chosen(tmp_path).time_source == "the file itself"


def aof_of(*commands: bytes) -> dict[str, bytes]:
    """Append-only files of Redis with these `commands` behind their own."""
    files = appended("Redis")
    name = next(name for name in files if ".incr." in name)
    return files | {name: files[name] + b"".join(commands)}


def evaluated(script: bytes, name: bytes = b"EVAL") -> bytes:
    """The command that runs a script without keys."""
    return b"*3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(name), name, len(script), script)


def test_a_script_that_reaches_beyond_its_server_is_not_run(tmp_path: Path) -> None:
    """Also where an error of it would be caught: it is named before anything loads it."""
    script = b"return redis.pcall( 'Migrate', '10.0.0.1', 6379, 'card:1', 0, 5000)"
    for number, name in enumerate((b"EVAL", b"eval")):
        found = looked_at(lay_out(aof_of(evaluated(script, name)), tmp_path / f"aof{number}"))
        (fault,) = found.faults
        assert "a script (EVAL) that calls MIGRATE" in fault.what and fault.cause == "script"
        assert "10.0.0.1" not in fault.what


def test_a_value_that_looks_like_a_script_is_none(tmp_path: Path) -> None:
    """Such as append-only files that somebody keeps in Redis."""
    value = b"x\r\n" + evaluated(b"redis.call('MIGRATE')")
    command = b"*3\r\n$3\r\nSET\r\n$1\r\nv\r\n$%d\r\n%s\r\n" % (len(value), value)
    for number, more in enumerate((b"", b"#TS:1764460000\r\n")):
        path = lay_out(aof_of(more, command), tmp_path / f"aof{number}")
        assert looked_at(path).faults == ()
    real = evaluated(b"redis.call('MIGRATE')")
    assert looked_at(lay_out(aof_of(command, real), tmp_path / "both")).faults


def test_a_script_of_a_cache_is_run(tmp_path: Path) -> None:
    """What it did is there."""
    script = b"redis.call('SET', 'scripted', 'CONFIG')"
    with restored(lay_out(aof_of(evaluated(script)), tmp_path / "aof")) as found:
        assert found.server.client.get("scripted") == "CONFIG"


def test_a_server_that_crashes_is_told(tmp_path: Path) -> None:
    """Whatever makes it do so: memory is not what it lacks. A kernel without memory kills it."""
    path = lay_out(saved("Redis"), tmp_path / "dump.rdb")
    for number, words in ((11, "crashed (signal 11)"), (9, "was ended by signal 9")):
        with ExitStack() as stack:
            loader = Loader(in_order("Redis 7")[0], laid_out(path, stack).placed)
            stack.callback(loader.end)
            loader.start()
            assert loader.process is not None
            loader.wait()
            loader.process.send_signal(number)
            error = loader.why_ended(loader.process.wait())
        assert isinstance(error, CouldNotRun), error
        assert f"{words} while it loaded the backup of Redis" in error.what
        assert ("more free memory" in str(error)) == (number == 9)
        assert ("BGREWRITEAOF" in str(error)) == (number == 11)


def test_a_script_that_crashes_its_server_is_told(tmp_path: Path) -> None:
    """Redis 7.0.15 does so where a script gives back the error of a command that is not there."""
    script = b"return redis.pcall('MIG' .. 'RATE', '10.0.0.1', '6379', 'a', '0', '1')"
    select = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
    path = lay_out(select + evaluated(script), tmp_path / "appendonly.aof")
    with ExitStack() as stack:
        opened = laid_out(path, stack)
        assert opened.file.faults == ()
        (server,) = [each for each in in_order("Redis 7") if each.version[:2] == (7, 0)]
        with pytest.raises(CouldNotRun, match=r"crashed \(signal 11\) while it loaded") as caught:
            load_here(server, opened, stack)
    assert "memory" not in str(caught.value) and "BGREWRITEAOF" in str(caught.value)


def test_who_reads_a_version_is_found_out_by_an_empty_file() -> None:
    """Each family reads its own files; a version of tomorrow nobody."""
    for family in sorted(FAMILIES):
        header = header_in(saved(family)[:HEAD_BYTES])
        assert header is not None and saved(family).startswith(header.magic)
        own = [each for each in binaries() if each.family == family and each.version >= (7,)]
        assert all(reads(each, header.magic) for each in own)
    assert not [each for each in binaries() if reads(each, b"REDIS0999")]
    (redis7,) = [each for each in binaries() if each.family == "Redis" and each.version < (8,)]
    assert not reads(redis7, b"VALKEY080")


def test_a_file_of_the_other_family_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only a server is here that calls its begin wrong, it could not be drilled."""
    redis7 = tuple(each for each in binaries() if each.family == "Redis")
    monkeypatch.setattr(tools, "binaries", lambda: redis7)
    path = lay_out(saved("Valkey"), tmp_path / "dump.rdb")
    assert looked_at(path).is_unread
    with pytest.raises(CouldNotRun, match="no server here can load"), restored(path):
        pass


def test_what_was_not_compared_is_not_said_to_disagree() -> None:
    """The headline speaks of a comparison only where there was one."""
    rules = [{"keys": 5, "ok": True}, {"keys": 0, "ok": False}]
    nothings: list[dict[str, Any]] = [{}, {"coherence": None}, {"coherence": {"rules": []}}]
    for nothing in nothings:
        assert "could not be compared" in of_coherence(nothing)
    assert "could not be compared" in of_coherence({"coherence": {"rules": rules}})
    rules.append({"keys": 2, "ok": False})
    assert of_coherence({"coherence": {"rules": rules}}) == "Redis does not agree with its rows"


def test_a_drill_says_which_of_both_it_is(tmp_path: Path) -> None:
    """In its lines, and in result.json with the reason."""
    path = lay_out(archive(*data_directory()), tmp_path / "redis.tgz")
    done = run_drill(
        "-k", "redis_backup", "--redis-backup", str(path), report_dir=tmp_path / "report"
    )
    assert done.code == 0, done.output
    assert "Not drilled: dump.rdb of 20" in done.output
    (why,) = [each["why"] for each in done.result["not_checked"] if "dump.rdb" in each["what"]]
    assert "so does the drill" in why
