"""Backups of Redis: recognised by their content, checked before they are loaded, loaded whole."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from restore_drill.backups.model import Backup
from restore_drill.config.criteria import load_criteria
from restore_drill.config.criteria.key_rules import KeyRule
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.redis.backup.census import Tally, broken_by, remedy_of, tally
from restore_drill.redis.folders import FOLDER
from restore_drill.selection.redis_backups import choose_redis
from restore_drill.selection.tree import list_folder
from restore_drill.servers.cleanup import bases
from tests.helpers.drills import ROOT
from tests.helpers.redis_backups import (
    FAMILIES,
    appended,
    lay_out,
    looked_at,
    restored,
    saved,
    writer,
)
from tests.helpers.redis_servers import Redis

both = pytest.mark.parametrize("family", sorted(FAMILIES))
KEYS = 100 + 100 + 5
"""In database 0; there is one more in another."""


def settings_for(folder: Path) -> Settings:
    """Settings of a drill of the backups in `folder`."""
    return replace(settings_from({}, here=folder, root=ROOT), backup_path=folder)


def chosen(folder: Path) -> Backup:
    """Backup of Redis that a drill of the backups in `folder` takes."""
    settings = settings_for(folder)
    found = choose_redis(settings)
    assert isinstance(found, Backup), found
    return found


def test_two_families_of_servers_are_here() -> None:
    """Else half of what follows would prove nothing."""
    assert sorted(FAMILIES) == ["Redis", "Valkey"]


@both
def test_a_file_is_counted_before_it_is_loaded(family: str, tmp_path: Path) -> None:
    """By database and type; nothing is wrong with it."""
    found = looked_at(lay_out(saved(family), tmp_path / "dump.rdb"))
    assert (found.keys, found.expires, found.expired) == (KEYS + 1, 1, 0)
    assert found.faults == () and found.checksum == "ok"
    assert found.written_by.startswith(family)
    assert {name: each.total for name, each in found.types[0].items()} == {
        "string": 101, "list": 1, "set": 1, "zset": 1, "hash": 100, "stream": 1,
    }  # fmt: skip
    assert found.types[3]["string"].total == 1


@both
@pytest.mark.parametrize("content", [saved, appended])
def test_a_backup_is_loaded_whole(family: str, content: object, tmp_path: Path) -> None:
    """All keys are there, in their databases; nothing is left behind, and nothing was written."""
    path = lay_out(content(family), tmp_path / "redis")  # type: ignore[operator]
    before = {each.name: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()}
    later = 0 if content is saved else 52
    with restored(path) as found:
        assert found.databases == {0: KEYS + later, 3: 1}
        assert found.server.client.hget("card:7", "price") == "7"
        assert not found.server.own
        assert str(found.server.where).startswith("/")
        folder = Path(found.server.where).parents[1]
        assert folder.exists()
    assert not folder.exists()
    assert before == {
        each.name: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()
    }
    assert not [each for base in bases() for each in base.glob(f"{FOLDER}*.{os.getpid()}")]


def test_layers_around_a_backup_are_gone_through(tmp_path: Path) -> None:
    """A compressed file, and a folder of append-only files in a compressed tar."""
    with restored(lay_out(gzip.compress(saved("Redis")), tmp_path / "dump.rdb.gz")) as found:
        assert found.keys == KEYS + 1
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in appended("Redis").items():
            member = tarfile.TarInfo(f"appendonlydir/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with restored(lay_out(stream.getvalue(), tmp_path / "aof.tgz")) as found:
        assert found.keys == KEYS + 1 + 52


def test_keys_that_have_expired_are_no_loss(tmp_path: Path) -> None:
    """The file's own count less what had expired is what the server has."""

    def fill(server: object) -> None:
        server.admin.set("stays", "1")  # type: ignore[attr-defined]
        server.admin.set("goes", "1", px=300)  # type: ignore[attr-defined]

    path = lay_out(saved("Redis", fill), tmp_path / "dump.rdb")
    time.sleep(0.3)
    with restored(path) as found:
        assert (found.expected, found.loaded, found.expired, found.keys) == (2, 1, 1, 1)


def test_the_newest_of_the_folder_is_taken_by_its_content(tmp_path: Path) -> None:
    """By the time in names; a dump there is told, and no dump is looked for in it."""
    folder = tmp_path / "redis"
    folder.mkdir()
    old, new = "cache_20261127_050000.rdb", "cache_20261128_050000.rdb"
    lay_out(saved("Redis"), folder / old)
    lay_out(saved("Redis"), folder / new)
    (folder / "shop.sql").write_text("-- PostgreSQL database dump\nSELECT 1;\n")
    found = chosen(tmp_path)
    assert (found.name, found.format, found.taken_at.day) == (new, "RDB", 28)
    assert "cache" in found.among.series
    assert list_folder(tmp_path, settings_for(tmp_path).criteria.timezone).found == []


def test_a_folder_of_append_only_files_is_one_backup(tmp_path: Path) -> None:
    """Also where the whole data directory was copied into a folder of its day."""
    (tmp_path / "redis" / "2026-11-28").mkdir(parents=True)
    lay_out(appended("Redis"), tmp_path / "redis" / "2026-11-28" / "appendonlydir")
    found = chosen(tmp_path)
    assert (found.name, found.format) == ("appendonlydir", "AOF")
    assert found.taken_at.day == 28


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("name", ["shop", "my shop.aof"])
def test_append_only_files_may_have_any_name(family: str, name: str, tmp_path: Path) -> None:
    """And more databases than most servers: a key of another one would not be told from it."""

    def fill(server: Redis) -> None:
        for number in (0, 15_000):
            with closing(redis.Redis(port=server.port, db=number)) as client:
                client.set("key", number)

    options = ("--appendonly", "yes", "--appendfsync", "always", "--databases", "16000")
    folder = tmp_path / "appendonlydir"
    with writer(family, fill, *options, "--appendfilename", name) as (_, written):
        shutil.copytree(written / "appendonlydir", folder)
    packed = tmp_path / "aof.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(folder, "appendonlydir")
    for path in (folder, packed):
        with restored(path) as found:
            assert found.databases == {0: 1, 15_000: 1}


def test_a_manifest_that_names_its_base_alone_is_not_whole(tmp_path: Path) -> None:
    """A server always names a file of commands too; without it, it loads what was rewritten."""
    files = {name: data for name, data in appended("Redis").items() if ".incr." not in name}
    named = files["appendonly.aof.manifest"].splitlines(keepends=True)
    files["appendonly.aof.manifest"] = b"".join(line for line in named if b"type b" in line)
    (fault,) = looked_at(lay_out(files, tmp_path / "appendonlydir")).faults
    assert fault.what.startswith("its manifest names no file of commands")


def test_an_empty_folder_is_a_finding_and_none_at_all_is_none(tmp_path: Path) -> None:
    """Who has the folder means to have backups in it."""
    settings = settings_for(tmp_path)
    assert choose_redis(settings) is None
    (tmp_path / "redis").mkdir()
    found = choose_redis(settings)
    assert isinstance(found, BackupFault) and "no backup of Redis lies in" in found.what


def test_what_no_server_here_reads_could_not_run(tmp_path: Path) -> None:
    """A version of tomorrow is not damage."""
    data = b"REDIS0099" + saved("Redis")[9:]
    path = lay_out(data, tmp_path / "dump.rdb")
    assert looked_at(path).is_unread
    with pytest.raises(CouldNotRun, match="no server here can load"), restored(path):
        pass


def test_memory_is_asked_for_before(tmp_path: Path) -> None:
    """A file that says how much its data took is not loaded where there is less."""
    from restore_drill.redis.backup.server import refuse_without_memory  # noqa: PLC0415

    facts = looked_at(lay_out(saved("Redis"), tmp_path / "dump.rdb"))
    refuse_without_memory(facts.used_memory)
    with pytest.raises(CouldNotRun, match="of memory to be loaded"):
        refuse_without_memory(replace(facts, used_memory=1 << 60).used_memory)


RULES = {
    "card:*": ({}, ""),
    "card:* ": ({"min": 100, "max": 100, "type": "hash", "ttl": "none"}, ""),
    "card:*  ": ({"min": 101}, "there are 100, expected at least 101"),
    "*:1": ({"max": 2}, "there are 3, expected at least 1 and at most 2"),
    "name:*": ({"type": "hash"}, "100 of type string, expected type hash"),
    "session:*": ({"ttl": "none"}, "1 of 1 have a TTL, and must not expire"),
    "session:* ": ({"ttl": "required"}, ""),
    "name:* ": ({"ttl": "required"}, "100 of 100 have no TTL: they never expire"),
    "other": ({"database": 3}, ""),
    "other ": ({"database": 0}, "there are 0, expected at least 1"),
    "other  ": ({"database": 4000}, "there are 0, expected at least 1"),
}


def test_keys_are_counted_by_the_rules_of_the_user(tmp_path: Path) -> None:
    """By pattern, type, TTL and database; each rule can be broken."""
    with restored(lay_out(saved("Redis"), tmp_path / "dump.rdb")) as found:
        whole = tally(found.server)
        assert (whole.total, whole.expiring) == (KEYS, {"string": 1})
        assert whole.types == {name: each.total for name, each in found.file.types[0].items()}
        for pattern, (values, why) in RULES.items():
            rule = KeyRule(pattern.strip(), **values)  # type: ignore[arg-type]
            counted = tally(found.server, rule.database, rule.pattern)
            assert broken_by(rule, counted)[0] == why, (pattern, values)


@pytest.mark.parametrize(
    ("rule", "step"),
    [
        (KeyRule("s p:*", min=9, database=3), "redis-cli -n 3 --scan --pattern 's p:*' | wc -l"),
        (KeyRule("card:*", max=1), 'raise max under [redis.keys."card:*"] in the criteria file'),
        (KeyRule("card:*", type="set"), 'change type under [redis.keys."card:*"]'),
        (KeyRule("card:*", ttl="required"), 'change ttl under [redis.keys."card:*"]'),
        (KeyRule("card:*", ttl="none"), "what has expired by the day of a recovery"),
    ],
)
def test_each_broken_rule_has_steps_of_its_own(rule: KeyRule, step: str) -> None:
    """What to do about a TTL that is missing is nothing to do about a key that is."""
    why, cause = broken_by(rule, Tally({"hash": 3}, {"hash": 2}))
    steps = remedy_of(rule, cause)
    assert why and any(step in each for each in steps), steps
    assert ("meant to be gone" in " ".join(steps)) == (cause == "few")


def test_no_key_like_a_pattern_may_be_asked_for(tmp_path: Path) -> None:
    """By `max = 0` alone: it was refused, for a `min` that nobody had written."""
    path = tmp_path / "criteria.toml"
    path.write_text('[redis.keys."debug:*"]\nmax = 0\n')
    (rule,) = load_criteria(path).redis_keys.values()
    assert broken_by(rule, Tally()) == ("", "")
    assert broken_by(rule, Tally({"string": 2})) == ("there are 2, expected none", "many")
    path.write_text('[redis.keys."debug:*"]\nmin = 1\nmax = 0\n')
    with pytest.raises(UsageError, match="min is above max"):
        load_criteria(path)


def test_rules_about_keys_are_checked(tmp_path: Path) -> None:
    """What is written in the criteria file; an error names the pattern."""
    path = tmp_path / "criteria.toml"
    path.write_text('[redis.keys."card:*"]\nmin = 100\ntype = "hash"\nttl = "required"\n')
    (rule,) = load_criteria(path).redis_keys.values()
    assert rule == KeyRule("card:*", min=100, type="hash", ttl="required")
    path.write_text('[redis.keys."card:*"]\ntype = "hsh"\n')
    with pytest.raises(UsageError, match=r"card:\*.*did you mean 'hash'"):
        load_criteria(path)
    path.write_text('[redis.keys."card:*"]\nmin = 5\nmax = 4\n')
    with pytest.raises(UsageError, match=r"card:\*.*min is above max"):
        load_criteria(path)
