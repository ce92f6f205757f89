"""Backups of Redis in a bucket, on a server and behind links: found, opened and loaded whole."""

from __future__ import annotations

import gzip
import io
import os
import pwd
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import zstandard

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.model import Backup
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.redis.backup.outcome import readable, whole
from restore_drill.redis.backup.restore import open_backup, restore
from restore_drill.selection.chosen import choose
from restore_drill.selection.redis_backups import Chosen, choose_redis
from tests.helpers.buckets import BUCKET, Refusing, keys_of, put
from tests.helpers.drills import ROOT, command, run_drill
from tests.helpers.redis_backups import appended, saved
from tests.helpers.sealing import Keys, by_age, by_gpg
from tests.helpers.shop import quiet
from tests.helpers.ssh import SshServer, ssh_home, ssh_server
from tests.helpers.web import WebServer, web_server
from tests.places.test_web import signed

ME = pwd.getpwuid(os.getuid()).pw_name
KEYS, LATER = 206, 52
"""Keys of the file, and those of the commands since."""
DUMP = b"-- PostgreSQL database dump\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Keys of age and GnuPG."""
    found = Keys(tmp_path_factory.mktemp("k"))
    yield found
    found.end()


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A server, run by whoever runs the tests."""
    with ssh_server(tmp_path_factory.mktemp("ssh"), ME) as server:
        yield server


def in_tar(files: dict[str, bytes], folder: str = "data/appendonlydir") -> bytes:
    """A tar archive of `files` in the `folder`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def of_kinds(keys: Keys) -> dict[str, tuple[bytes, int]]:
    """By its name, each kind of file, and how many keys it holds."""
    rdb = saved("Redis")
    return {
        "dump.rdb": (rdb, KEYS),
        "dump.rdb.gz": (gzip.compress(rdb), KEYS),
        "dump.rdb.zst": (zstandard.compress(rdb), KEYS),
        "dump.rdb.age": (by_age(keys, rdb), KEYS),
        "dump.rdb.zst.gpg": (by_gpg(keys, zstandard.compress(rdb)), KEYS),
        "aof.tar.gz.age": (by_age(keys, gzip.compress(in_tar(appended("Redis")))), KEYS + LATER),
    }


def key_for(name: str, keys: Keys) -> dict[str, str]:
    """The option that names the key of that file."""
    kinds = {".age": keys.age, ".gpg": keys.gpg}
    return {"decrypt_key": str(kinds[Path(name).suffix]())} if Path(name).suffix in kinds else {}


def settings(patch: pytest.MonkeyPatch, place: str = "", **given: str) -> Settings:
    """Settings of a drill of the `place`."""
    patch.delenv("BACKUP_PATH", raising=False)
    if place:
        patch.setenv("BACKUP_PATH", place)
    return settings_from(given, here=ROOT, root=ROOT)


def loaded(chosen: Chosen | None) -> tuple[Backup, int]:
    """The backup that was chosen, and the keys that a server has of it."""
    assert isinstance(chosen, Backup), chosen
    readable(chosen)
    with ExitStack() as stack:
        opened = open_backup(chosen, quiet, stack)
        whole(opened.file, chosen)
        return chosen, restore(opened, stack).keys


def lay_there(folder: str, files: dict[str, bytes], s3: str, here: Path) -> None:
    """Put `files` into the `folder` of the bucket, and of the server's."""
    for name, data in files.items():
        put(s3, f"{folder}/{name}", data)
        path = here / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def places(
    s3: str, ssh: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, dict[str, bytes]], list[str]]:
    """Function that lays files into a folder of both places; gives the URLs of that."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(ssh_home(tmp_path / "home", ssh)))
    for name, value in keys_of(s3).items():
        monkeypatch.setenv(name, value)

    def lay(folder: str, files: dict[str, bytes]) -> list[str]:
        lay_there(folder, files, s3, tmp_path / "there")
        return [f"s3://{BUCKET}/{folder}", ssh.url(tmp_path / "there" / folder)]

    return lay


def test_each_kind_is_loaded_from_each_place(
    places: Callable[[str, dict[str, bytes]], list[str]],
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest in `redis/`, and one that is named; no dump is looked for in it."""
    for number, (name, (data, count)) in enumerate(of_kinds(keys).items()):
        files = {"db/shop.sql": DUMP, f"redis/{name}": data}
        for url in places(f"kinds{number}", files):
            for given in ({"place": url}, {"redis_backup": f"{url}/redis/{name}"}):
                found = settings(monkeypatch, **given, **key_for(name, keys))
                backup, loads = loaded(choose_redis(found))
                assert (backup.name, loads) == (name, count), (url, name)
            dump = choose(settings(monkeypatch, url))
            assert isinstance(dump, Backup) and dump.name == "shop.sql"


def test_append_only_files_lie_there_as_a_folder(
    places: Callable[[str, dict[str, bytes]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its files are brought, by name too."""
    files = {f"redis/2026-11-28/appendonlydir/{name}": d for name, d in appended("Valkey").items()}
    for url in places("aof", files):
        whole_name = f"{url}/redis/2026-11-28/appendonlydir"
        for given in ({"place": url}, {"redis_backup": whole_name}):
            backup, loads = loaded(choose_redis(settings(monkeypatch, **given)))
            assert (backup.format, loads) == ("AOF", KEYS + LATER)
            assert backup.name == "appendonlydir"


def test_a_folder_of_several_may_be_named(
    places: Callable[[str, dict[str, bytes]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest in it is brought, and nothing else; as in a folder of this machine."""
    old, new = "cache-20261120_030000.rdb", "cache-20261121_030000.rdb"
    files = {f"old/{old}": saved("Redis"), f"old/{new}": saved("Redis")}
    files |= {f"days/2026-11-21/appendonlydir/{n}": d for n, d in appended("Redis").items()}
    files |= {f"days/2026-11-20/{old}": saved("Redis"), "none/readme.txt": b"nothing"}
    for url in places("several", files):
        for named in (f"{url}/old", f"{url}/old/"):
            backup, loads = loaded(choose_redis(settings(monkeypatch, redis_backup=named)))
            assert (backup.name, loads) == (new, KEYS)
            assert backup.path.with_name(old) not in arrivals
        backup, loads = loaded(choose_redis(settings(monkeypatch, redis_backup=f"{url}/days")))
        assert (backup.format, loads) == ("AOF", KEYS + LATER)
        none = choose_redis(settings(monkeypatch, redis_backup=f"{url}/none"))
        assert isinstance(none, BackupFault)
        assert none.what == f"no backup of Redis lies in {url}/none"


def test_a_bucket_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dumps have waited for it: the backup of Redis does not wait again."""
    with closing(Refusing(503, "SlowDown")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        there = settings(monkeypatch, f"s3://{BUCKET}/closed")
        first = choose_redis(there)
        asked = len(server.asked)
        assert isinstance(first, CouldNotRun) and asked
        assert choose(there) is first and len(server.asked) == asked


def test_a_key_that_is_missing_is_told(
    places: Callable[[str, dict[str, bytes]], list[str]],
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It could not run: nothing speaks against the backup."""
    for url in places("sealed", {"redis/dump.rdb.age": by_age(keys, saved("Redis"))}):
        chosen = choose_redis(settings(monkeypatch, url))
        assert isinstance(chosen, Backup) and chosen.locked is not None
        with pytest.raises(CouldNotRun, match=r"dump\.rdb\.age"):
            readable(chosen)


def test_what_is_damaged_there_is_told_by_its_url(
    places: Callable[[str, dict[str, bytes]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No path of the folder that it was brought to."""
    cut = gzip.compress(saved("Redis"))[:-50]
    for url in places("cut", {"redis/dump.rdb.gz": cut}):
        with pytest.raises(Exception, match="damaged or cut short") as caught:
            loaded(choose_redis(settings(monkeypatch, url)))
        assert f"{url}/redis/dump.rdb.gz" in str(caught.value)
        assert "files-" not in str(caught.value)


def test_two_links_into_one_folder_are_two_places(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dump and the backup of Redis each come by their own signature."""
    put(s3, "linked/shop.sql", DUMP)
    put(s3, "linked/dump.rdb.gz", gzip.compress(saved("Redis")))
    monkeypatch.setenv("DRILL_BACKUP", signed(s3, "linked/shop.sql"))
    monkeypatch.setenv("DRILL_REDIS_BACKUP", signed(s3, "linked/dump.rdb.gz"))
    found = settings(monkeypatch)
    backup, loads = loaded(choose_redis(found))
    assert (backup.name, loads) == ("dump.rdb.gz", KEYS)
    dump = choose(found)
    assert isinstance(dump, Backup), dump
    assert dump.path.read_bytes() == DUMP


def test_a_signed_link_is_refused_on_the_command_line(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a dump; the message repeats nothing of it, and names the variable."""
    link = signed(s3, "refused/dump.rdb")
    with pytest.raises(UsageError, match=r"DRILL_REDIS_BACKUP or into \.env") as caught:
        settings(monkeypatch, redis_backup=link)
    assert link.partition("?")[2][:20] not in str(caught.value)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    """A web server without ranges."""
    (tmp_path / "files").mkdir()
    with web_server(tmp_path / "files") as server:
        yield server


def test_a_drill_of_a_link_writes_no_signature_down(web: WebServer, tmp_path: Path) -> None:
    """Green, and told by its URL; what stands behind the `?` is nowhere."""
    (tmp_path / "files" / "dump.rdb").write_bytes(saved("Redis"))
    secret = "0123456789abcdef0123456789abcdef"
    link = f"{web.url}/dump.rdb?signature={secret}"
    drill = run_drill("-k", "redis_backup", report_dir=tmp_path / "report", DRILL_REDIS_BACKUP=link)
    assert drill.code == 0, drill.output
    assert drill.result["redis_backup"]["path"] == f"{web.url}/dump.rdb"
    assert drill.result["redis_backup"]["taken_at_source"] == "the file itself"
    assert "from the file itself" in drill.output and "the dump itself" not in drill.output
    doctor = command("doctor", XDG_STATE_HOME=str(tmp_path / "state"), DRILL_REDIS_BACKUP=link)
    assert "A drill would load dump.rdb" in doctor.stdout
    texts = [drill.output, doctor.stdout, doctor.stderr]
    for folder in (tmp_path / "report", tmp_path / "state"):
        texts += [each.read_text() for each in folder.rglob("*") if each.is_file()]
    assert len(texts) > 4 and not [text for text in texts if secret in text]


def test_a_whole_drill_of_a_bucket_restores_both(s3: str, tmp_path: Path, keys: Keys) -> None:
    """`-k redis` of it: the backup of Redis is in `redis/`, with its checksum beside it."""
    data = by_age(keys, saved("Valkey"))
    put(s3, "both/db/shop.sql", DUMP)
    put(s3, "both/redis/cache.rdb.age", data)
    drill = run_drill(
        "-k", "redis_backup", "--decrypt-key", str(keys.age()), report_dir=tmp_path / "report",
        BACKUP_PATH=f"s3://{BUCKET}/both", cwd=ROOT, **keys_of(s3),
    )  # fmt: skip
    assert drill.code == 0, drill.output
    part = drill.result["redis_backup"]
    assert part["path"] == f"s3://{BUCKET}/both/redis/cache.rdb.age"
    assert (part["keys"], part["format"]) == (KEYS, "RDB, age")
