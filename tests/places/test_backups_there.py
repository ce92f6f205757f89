"""Backups that are taken to a bucket of a real S3 server: whole, or not there at all."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import obstore
import psutil
import pytest

from restore_drill.config.remote import Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.model import Target
from restore_drill.taking import bucket
from restore_drill.taking.bucket import BucketFolder
from restore_drill.watch.entry import note
from tests.helpers.buckets import (
    BUCKET,
    KEEPER,
    READER,
    WRITER,
    Proxy,
    Refusing,
    keys_of,
    put,
    writer,
)
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.histories import PASSED
from tests.helpers.manifests import fingerprint
from tests.helpers.sealing import Keys, run
from tests.helpers.shop import USUAL, Shops
from tests.helpers.takings import (
    aged,
    backup_to,
    begun,
    big_database,
    by_the_docs,
    in_another_second,
    shop_with_roles,
)


@pytest.fixture(scope="session")
def source(shops: Shops) -> Target:
    """The shop, not to be changed."""
    return shop_with_roles(shops)


@pytest.fixture(scope="session")
def big(shops: Shops) -> Target:
    """What takes a while to dump."""
    return big_database(shops, "big_there")


def there(url: str, folder: str) -> dict[str, int]:
    """Bytes of the objects in a folder of the bucket, by name."""
    found = [each for page in obstore.list(writer(url), folder) for each in page]
    return {each["path"].removeprefix(f"{folder}/"): each["size"] for each in found}


def content(url: str, key: str) -> bytes:
    """All of an object."""
    return bytes(obstore.get(writer(url), key).bytes())


def state() -> dict[str, str]:
    """The state folder of the test, for a command."""
    return {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}


@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_a_backup_there_is_proved_by_a_drill_and_restored_without_one(
    kind: str, s3: str, source: Target, shops: Shops, tmp_path: Path
) -> None:
    """BACKUP_PATH is where it is written, and what is drilled, with a key that may only read."""
    place, keys = f"s3://{BUCKET}/to_{kind}", Keys(tmp_path)
    (tmp_path / "age.txt").write_bytes(keys.age().read_bytes())
    recipient = run("age-keygen", "-y", keys.age()).decode().strip()
    sealing = (f"--encrypt-to={recipient}",) if kind == "encrypted" else ()
    with closing(Proxy(s3)) as proxy:
        done = backup_to(
            source, "--with-roles", *sealing, BACKUP_PATH=place, **keys_of(proxy.url, WRITER)
        )
        put_in_order = [each for each in proxy.asked if each.startswith(("PUT", "DELETE", "POST"))]
    assert done.returncode == 0, done.stderr
    name = next(each for each in there(s3, f"to_{kind}") if ".dump" in each)
    roles = f"{name.partition('.')[0]}.roles.sql" + (".age" if sealing else "")
    names = [name, f"{name}.manifest.json", f"{name}.sha256", roles]
    assert list(there(s3, f"to_{kind}")) == names
    put_in_order = [each for each in put_in_order if roles not in each]
    suffixes = [each.partition(name)[2].partition("?")[0] for each in put_in_order]
    assert list(dict.fromkeys(suffixes)) == [".part", "", ".sha256", ".manifest.json"]

    drill = run_drill(
        "-k", "not redis", report_dir=tmp_path / "report", cwd=ROOT, BACKUP_PATH=place,
        DRILL_DECRYPT_KEY_FILE=str(keys.age()), **keys_of(s3), **state(),
    )  # fmt: skip
    assert drill.code == 0, drill.output
    assert drill.result["strength"] == "proven"
    assert "test_backup_matches_its_checksum" in drill.ran

    for each in there(s3, f"to_{kind}"):
        (tmp_path / each).write_bytes(content(s3, f"to_{kind}/{each}"))
    decrypt = "age --decrypt --identity age.txt" if sealing else "cat"
    target = shops.database(USUAL, f"there_{kind}")
    line = (
        f"sha256sum -c {name}.sha256; {decrypt} {name} | "
        "pg_restore --dbname=NEW --exit-on-error --single-transaction"
    )
    by_the_docs(line, target, tmp_path)
    assert fingerprint(target).tables == fingerprint(source).tables


def until_parts_arrive(proxy: Proxy, process: object) -> None:
    """Wait until a part was sent."""
    until = time.monotonic() + 30
    while not any("partNumber=" in each for each in proxy.asked):
        assert time.monotonic() < until, getattr(process, "output", "")
        time.sleep(0.01)


def by_ctrl_c(pid: int, _source: Target) -> None:
    """The user ends it."""
    os.kill(pid, signal.SIGINT)


def by_a_killed_dump(pid: int, _source: Target) -> None:
    """The system ends pg_dump, for want of memory."""
    for child in psutil.Process(pid).children():
        if any("--format=" in word for word in child.cmdline()):
            child.kill()


def by_a_lost_session(_pid: int, source: Target) -> None:
    """The server ends what reads the fingerprints."""
    with source.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database() AND query !~ '^COPY'"
        )


ENDS: dict[str, tuple[Callable[[int, Target], None], int, str]] = {
    "Ctrl-C": (by_ctrl_c, 2, "interrupted: no backup was left in s3://backups/ends"),
    "killed": (by_a_killed_dump, 6, "it was ended by signal 9"),
    "lost": (by_a_lost_session, 6, "no backup was taken"),
}


@pytest.mark.parametrize("end", ENDS)
def test_half_an_upload_is_nothing(end: str, s3: str, big: Target) -> None:
    """Whatever ends it when parts are there already; nothing is seen then, and no part stays."""
    how, code, words = ENDS[end]
    with closing(Proxy(s3)) as proxy:
        options = f"--to=s3://{BUCKET}/ends", "--compress=gzip:9"
        process = begun(big, *options, **keys_of(proxy.url, WRITER), **state())
        until_parts_arrive(proxy, process)
        how(process.pid, big)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == code, output
        assert any(each.startswith("DELETE") and "uploadId=" in each for each in proxy.asked)
    assert words in output and "Traceback" not in output
    assert there(s3, "ends") == {}


def test_a_claim_whose_answer_was_lost_is_told(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be there, and cannot be looked for; one that another process has is left alone."""
    with closing(Proxy(s3)) as proxy:
        for name, value in keys_of(proxy.url, WRITER).items():
            monkeypatch.setenv(name, value)
        folder = BucketFolder(Place("s3", BUCKET, "lost/"))
        proxy.limit = 20
        with pytest.raises(CouldNotRun, match="cannot be written"):
            folder.claim("a.part")
        assert folder.left == ["s3://backups/lost/a.part"]
        proxy.limit = None
        with pytest.raises(CouldNotRun, match="another backup is being written"):
            folder.claim("a.part")
    assert set(there(s3, "lost")) == {"a.part"}


def test_what_a_killed_process_has_left_is_removed_in_time(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim on a name, once it is old; what only looks like one stays."""
    for name, value in keys_of(s3, WRITER).items():
        monkeypatch.setenv(name, value)
    folder = BucketFolder(Place("s3", BUCKET, "left/"))
    folder.claim("killed.dump.part")
    put(s3, "left/other.dump.part", b"half of a backup by another tool")
    for age, names in ((timedelta(days=2), 2), (timedelta(0), 1)):
        monkeypatch.setattr(bucket, "ABANDONED", age)
        assert len(folder.entries()) == 2
        with folder.writing("new.dump", 0):
            pass
        assert len(folder.entries()) == names
    assert list(folder.entries()) == ["other.dump.part"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_interrupted_late_is_taken_back(
    number: int, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also once the data are there, which look like a backup without checksum and manifest."""
    for name, value in keys_of(s3, WRITER).items():
        monkeypatch.setenv(name, value)
    files = ["shop.dump", "shop.dump.sha256", "shop.dump.manifest.json"]
    folder = BucketFolder(Place("s3", BUCKET, "late/"))

    def write() -> None:
        with folder.writing("shop.dump", 0) as add:
            for name in files[:number]:
                add(name, [b"x"])
            assert {*files[:number], "shop.dump.part"} == {*folder.entries()}
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert folder.entries() == {} and folder.left == []


def test_a_bucket_that_no_longer_answers(s3: str, big: Target) -> None:
    """The command says so, and what it could not remove."""
    with closing(Proxy(s3)) as proxy:
        options = f"--to=s3://{BUCKET}/cut", "--compress=gzip:9"
        process = begun(big, *options, **keys_of(proxy.url, WRITER), **state())
        until_parts_arrive(proxy, process)
        proxy.limit = 0
        os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode in (2, 6), output
    assert ".part" in output and "Traceback" not in output
    assert not any(name.endswith((".dump", ".json", ".sha256")) for name in there(s3, "cut"))


def test_two_of_one_name_are_never_mixed(s3: str, source: Target) -> None:
    """The second is refused while the first is written, and once it is there."""
    to = f"--to=s3://{BUCKET}/twice", "--name=shop"
    put(s3, "twice/shop.dump.part", b"another process")
    done = backup_to(source, *to, **keys_of(s3, WRITER))
    assert done.returncode == 6 and "another backup is being written" in done.stderr, done.stderr
    assert there(s3, "twice") == {"shop.dump.part": 15}
    obstore.delete(writer(s3), "twice/shop.dump.part")

    assert backup_to(source, *to, **keys_of(s3, WRITER)).returncode == 0
    before = there(s3, "twice")
    done = backup_to(source, *to, **keys_of(s3, WRITER))
    assert done.returncode == 6 and "there is an object of that name" in done.stderr, done.stderr
    assert there(s3, "twice") == before


def test_old_backups_there_go_but_not_the_proved_one(s3: str, source: Target) -> None:
    """By the history of that place in the user's state folder."""
    keys = keys_of(s3, WRITER) | state()
    to = f"--to=s3://{BUCKET}/old"
    assert backup_to(source, to, **keys).returncode == 0
    first = next(name for name in there(s3, "old") if name.endswith(".dump"))
    names = []
    for days in (2, 3, 4):
        files = aged(content(s3, f"old/{first}.manifest.json"), days)
        names.append(next(iter(files)))
        for name, data in files.items():
            put(s3, f"old/{name}", data)
    put(s3, "old/below/shop_20200101_000000.dump", b"PGDMP")
    sha256 = content(s3, f"old/{names[1]}.sha256").decode().split()[0]
    history = Place("s3", BUCKET, "old/").state_folder / "history.jsonl"
    history.parent.mkdir(parents=True)
    note(history, replace(PASSED, backup=names[1], sha256=sha256))
    in_another_second()

    done = backup_to(source, to, "--keep=2", **keys)

    assert done.returncode == 0, done.stderr
    left = there(s3, "old")
    assert names[1] in left and first in left and "below/shop_20200101_000000.dump" in left
    assert not any(name.startswith((names[0], names[2])) for name in left)
    assert "kept 3 backups by --keep 2; deleted 2: " in done.stdout


def test_drills_of_a_folder_around_it_are_known() -> None:
    """BACKUP_PATH may be any of the folders that lead to it, the bucket itself among them."""
    notes = BucketFolder(Place("s3", BUCKET, "x/shop/")).notes
    assert notes == [Place("s3", BUCKET, each).state_folder for each in ("x/shop/", "x/", "")]


def test_a_key_that_may_not_delete(s3: str, source: Target) -> None:
    """The backup stands; what could not be removed is told."""
    to, keys = f"--to=s3://{BUCKET}/undeleted", keys_of(s3, KEEPER) | state()
    first = backup_to(source, to, **keys)
    assert first.returncode == 0, first.stderr
    assert "not removed: s3://backups/undeleted/" in first.stdout
    name = next(name for name in there(s3, "undeleted") if name.endswith(".dump"))
    history = Place("s3", BUCKET, "undeleted/").state_folder / "history.jsonl"
    history.parent.mkdir(parents=True)
    note(history, replace(PASSED, verdict="failed", backup=name))
    in_another_second()
    done = backup_to(source, to, "--keep=1", **keys)
    assert done.returncode == 6
    assert "cannot be deleted: the key may not do this" in done.stderr
    assert "s3:DeleteObject" in done.stderr and "was taken, and is complete" in done.stderr
    assert sum(name.endswith(".dump") for name in there(s3, "undeleted")) == 2


def test_a_key_that_may_not_write(s3: str, source: Target) -> None:
    """What may not be done, and the right that is missing."""
    done = backup_to(source, f"--to=s3://{BUCKET}/read", **keys_of(s3, READER), **state())
    assert done.returncode == 6
    assert "cannot be written: the key may not do this" in done.stderr
    assert "s3:PutObject" in done.stderr and READER[1] not in done.stderr
    assert there(s3, "read") == {}


def test_a_drill_of_a_bucket_that_is_closed_is_recorded(tmp_path: Path) -> None:
    """Also where no drill of it has come further yet."""
    state = tmp_path / "state"
    with closing(Refusing(403, "AccessDenied")) as server:
        drill = run_drill(
            report_dir=tmp_path / "report", cwd=ROOT,
            BACKUP_PATH=f"s3://{BUCKET}/closed", XDG_STATE_HOME=str(state), **keys_of(server.url),
        )  # fmt: skip
    assert drill.code == 6, drill.output
    assert "was not recorded" not in drill.output
    assert len(list(state.rglob("history.jsonl"))) == 1
