"""Backups in a bucket of a real S3 server, read with a key that may do nothing else."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import obstore
import pytest

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.arrived import PROVED
from restore_drill.backups.model import Backup
from restore_drill.backups.origins import origins
from restore_drill.backups.read import read_contents
from restore_drill.config.remote import Place
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.calling import installs
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.places import transfer
from restore_drill.places.aws import s3_options
from restore_drill.places.store import open_store
from restore_drill.selection.chosen import Chosen, backup_record, choose
from tests.helpers.buckets import (
    BUCKET,
    READER,
    WRITER,
    Proxy,
    Refusing,
    keys_of,
    put,
    refusal,
    writer,
)
from tests.helpers.drills import ROOT, command, inherited, run_drill
from tests.helpers.shop import USUAL, Shops, quiet

NOW = f"{datetime.now(UTC):%Y-%m-%d_%H%M%S}"


def settings(
    s3: str, patch: pytest.MonkeyPatch, keys: tuple[str, str] = READER, **given: str
) -> Settings:
    """Settings of a drill of the server's bucket."""
    for name, value in keys_of(s3, keys).items():
        patch.setenv(name, value)
    patch.delenv("BACKUP_PATH", raising=False)
    if place := given.pop("BACKUP_PATH", ""):
        patch.setenv("BACKUP_PATH", place)
    return settings_from(given, here=ROOT, root=ROOT)


def is_backup(chosen: Chosen) -> Backup:
    """The backup that was chosen."""
    assert isinstance(chosen, Backup), chosen
    return chosen


def test_healthy_drill_of_a_bucket(shops: Shops, s3: str, tmp_path: Path) -> None:
    """Newest of a folder, with its checksum: green; nothing stays, and the history has a place."""
    data = shops.dump(USUAL, "plain.sql.gz").read_bytes()
    name = f"whole/db/shop_{NOW}.sql.gz"
    put(s3, name, data)
    put(s3, f"{name}.sha256", f"{hashlib.sha256(data).hexdigest()}  x\n".encode())
    put(s3, "whole/db/shop_2026-01-01_050000.sql.gz", data[:100])
    state = tmp_path / "state"
    place = {"BACKUP_PATH": f"s3://{BUCKET}/whole", **keys_of(s3)}
    report = tmp_path / "report"

    drill = run_drill(report_dir=report, cwd=ROOT, **place)

    assert drill.code == 0, drill.output
    assert drill.result["backup"]["path"] == f"s3://{BUCKET}/{name}"
    assert drill.result["backup"]["sha256"] == hashlib.sha256(data).hexdigest()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert drill.result["backup"]["version"] == md5
    assert drill.result["backup"]["checksum"] == PROVED
    assert md5 in (report / "report.html").read_text()
    assert "test_backup_matches_its_checksum" in drill.ran
    assert f"s3://{BUCKET}/whole" in drill.output
    assert READER[1] not in drill.output + json.dumps(drill.result)
    (history,) = state.rglob("history.jsonl")
    assert json.loads(history.read_text().splitlines()[-1])["verdict"] == "passed"
    assert not list(state.rglob("files-*"))
    assert f"Recorded on this machine only, in {history.parent}; to keep" in drill.output
    assert f"in the bucket, set DRILL_HISTORY=s3://{BUCKET}" in drill.output
    status = command("status", XDG_STATE_HOME=str(state), **place)
    assert status.returncode == 0, status.stdout + status.stderr
    assert "2 backups kept" in status.stdout


@pytest.mark.parametrize("form", ["custom.dump", "archive.tar", "plain.sql", "directory"])
def test_each_format_is_read_as_on_a_disk(
    shops: Shops, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """What an object holds, and its digest, are those of the file that was copied there."""
    here = shops.dump(USUAL, form)
    files = sorted(here.iterdir()) if here.is_dir() else [here]
    for file in files:
        inside = f"{form}/{file.name}" if here.is_dir() else form
        put(s3, f"formats/{form}-folder/{inside}", file.read_bytes())
    there = settings(s3, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/formats/{form}-folder")
    backup = is_backup(choose(there))
    local = is_backup(choose(replace(there, backup_path=None, backup=here)))
    (tmp_path / "a").mkdir()
    assert backup.head == local.head and backup.format == local.format and backup.head.entries
    assert read_contents(backup, tmp_path / "a", quiet) == read_contents(local, tmp_path, quiet)


def test_one_object_is_drilled_by_its_name(
    shops: Shops, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--backup names it; its time is the one in its name, else that of its last change."""
    put(s3, "named/shop.sql", shops.dump(USUAL, "plain.sql").read_bytes())
    backup = is_backup(choose(settings(s3, monkeypatch, backup=f"s3://{BUCKET}/named/shop.sql")))
    assert abs((datetime.now(UTC) - backup.taken_at).total_seconds()) < 120
    assert backup_record(backup, 0, Path("no"))["path"] == f"s3://{BUCKET}/named/shop.sql"
    gone = choose(settings(s3, monkeypatch, backup=f"s3://{BUCKET}/named/other.sql"))
    assert isinstance(gone, CouldNotRun) and "there is no such object" in gone.what


def test_a_key_that_may_only_get_reads_what_is_named(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS tells such a key of what is not there that it may not get it; so nothing lies beside."""
    put(s3, "only/shop.sql", b"-- PostgreSQL database dump\n")
    with closing(Proxy(s3)) as proxy:
        proxy.unknown, proxy.refusal = b"/shop.sql.", refusal("403 Forbidden", "AccessDenied")
        there = settings(proxy.url, monkeypatch, backup=f"s3://{BUCKET}/only/shop.sql")
        assert is_backup(choose(there)).name == "shop.sql"
        proxy.unknown = b"/only/"
        there = settings(proxy.url, monkeypatch, backup=f"s3://{BUCKET}/only/other.sql")
        found = choose(there)
    assert isinstance(found, CouldNotRun) and "the key may not do this" in found.what


def test_a_list_of_thousands_fetches_one(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages of names, of which one fails at first; of one object bytes are read."""
    days = [f"{1 + n // 28:02}-{1 + n % 28:02}" for n in range(300)]
    store, data = writer(s3), gzip.compress(b"-- PostgreSQL database dump\n")

    def fill(number: int) -> None:
        obstore.put(store, f"many/shop_{2010 + number // 300}-{days[number % 300]}.sql.gz", data,
                    use_multipart=False)  # fmt: skip

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(2000)))
    with closing(Proxy(s3)) as proxy:
        proxy.unknown = b"continuation-token"
        there = settings(proxy.url, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/many")
        backup = is_backup(choose(there))
        pages = [each for each in proxy.asked if "list-type=2" in each]
    assert len(origins) == 2000 and [path.name for path in arrivals] == [backup.name]
    assert backup.name == f"shop_2016-{days[1999 % 300]}.sql.gz"
    assert sum("continuation-token" not in each for each in pages) == 2


def test_a_list_that_never_comes_is_no_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that is away has not lost its backups."""
    there = settings("http://127.0.0.1:1", monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/x")
    found = choose(there)
    assert isinstance(found, CouldNotRun) and "no answer came" in found.what


def test_roles_in_a_bucket_are_passed_over(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role file is known by its name, and newer than the backup it is not drilled for it."""
    for name in ("shop_2026-01-01.sql.gz", "globals_2026-01-02.sql"):
        put(s3, f"roles/{name}", gzip.compress(b"-- PostgreSQL database dump\n"))
    backup = is_backup(choose(settings(s3, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/roles")))
    assert backup.name == "shop_2026-01-01.sql.gz"
    assert "globals_2026-01-02.sql: a role file, judging by its name" in backup.passed_over[0]


PROBLEMS = {
    "no_bucket": (WRITER, "s3://nobucket/x", "there is no such bucket"),
    "wrong_secret": ((READER[0], "wrong"), f"s3://{BUCKET}/x", "does not fit the access key"),
    "unknown_key": (
        ("unknown", "unknownsecret"),
        f"s3://{BUCKET}/x",
        "the access key is unknown there",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_keeps_a_bucket_closed_is_named(
    s3: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One message each, with what to do, and without a secret."""
    keys, place, words = PROBLEMS[name]
    found = choose(settings(s3, monkeypatch, keys, BACKUP_PATH=place))
    assert isinstance(found, CouldNotRun)
    assert words in found.what and found.remedy, found
    assert keys[1] not in str(found)


REFUSALS: dict[str, tuple[tuple[int, str, str], str, str]] = {
    "region, by a redirect": (
        (301, "PermanentRedirect", ""),
        "lies in another region",
        "AWS_REGION",
    ),
    "region, named": (
        (400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
        "lies in another region",
        "AWS_REGION=eu-west-1",
    ),
    "clock": (
        (403, "RequestTimeTooSkewed", ""),
        "the clock of this machine is wrong",
        "15 minutes",
    ),
    "expired": ((400, "ExpiredToken", ""), "the session token has expired", "renew the session"),
    "overloaded": ((503, "SlowDown", ""), "does not answer as it should", "check the network"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_server_refuses_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Answers that no server here can be made to give, in the words of S3: a list, and one HEAD."""
    answer, words, remedy = REFUSALS[name]
    with closing(Refusing(*answer)) as server:
        found = choose(settings(server.url, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/x"))
        assert isinstance(found, CouldNotRun) and words in found.what and answer[1] in str(found)
        assert remedy in found.remedy[0] and READER[1] not in str(found)
        with pytest.raises(CouldNotRun, match=words):
            open_store(Place("s3", BUCKET, "")).find("x")


def test_an_archived_object_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed, and cannot be read until it is brought back: no damage."""
    with closing(Refusing(403, "InvalidObjectState", listed="x/shop.sql")) as server:
        found = choose(settings(server.url, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/x"))
    assert isinstance(found, CouldNotRun), found
    assert "s3://backups/x/shop.sql cannot be read: the object lies in an archive" in found.what
    assert "aws s3api restore-object" in found.remedy[0]


def test_an_empty_prefix_has_no_backup(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the fault of whoever writes backups, and not of the drill's means."""
    found = choose(settings(s3, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/nothing"))
    assert isinstance(found, BackupFault)
    assert f"no backups found in s3://{BUCKET}/nothing" in found.what
    assert "its upload succeeded" in found.remedy[-1] and "ls -la" not in str(found)


def test_a_cut_connection_is_resumed(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece that is cut is fetched anew, and the digest is that of the whole."""
    text = b"-- PostgreSQL database dump\n" + b"-- ".join(
        hashlib.sha256(b"%d" % n).hexdigest().encode() + b"\n" for n in range(120_000)
    )
    put(s3, "cut/shop.sql", text)
    with closing(Proxy(s3)) as proxy:
        there = settings(proxy.url, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/cut")
        backup = is_backup(choose(there))
        proxy.limit = len(text) // 2
        cut = read_contents(backup, tmp_path, lambda _: setattr(proxy, "limit", None))
        assert cut.sha256 == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("where", ["on its way", "at its place"])
def test_damage_on_the_way_is_no_damage_of_the_backup(
    shops: Shops, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """What seems damaged is fetched again, unless its ETag proves that it lies there like that."""
    data = bytearray(shops.dump(USUAL, "plain.sql.gz").read_bytes())
    if where == "at its place":
        data[len(data) // 2] ^= 1
    put(s3, f"damaged/{where[:2]}/shop.sql.gz", bytes(data))
    with closing(Proxy(s3)) as proxy:
        proxy.flips = int(where == "on its way")
        there = settings(proxy.url, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/damaged/{where[:2]}")
        backup = is_backup(choose(there))
        if proxy.flips:
            with pytest.raises(CouldNotRun, match=r"shop.sql.gz is damaged on its way"):
                read_contents(backup, tmp_path, quiet)
        else:
            found = read_contents(backup, tmp_path, quiet)
            assert found.faults and found.checksum == PROVED
        assert sum(each.endswith("/shop.sql.gz") for each in proxy.asked) == 1 + bool(proxy.flips)


def test_an_etag_that_is_no_md5_says_nothing(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of an object that the place encrypts (KMS), or of parts: it is read all the same."""
    put(s3, "kms/shop.sql", b"-- PostgreSQL database dump\n")
    backup = is_backup(choose(settings(s3, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/kms")))
    monkeypatch.setattr(arrivals[backup.path], "md5", "0" * 32)
    found = read_contents(backup, tmp_path, quiet)
    assert found.checksum is None and len(found.sha256) == 64


def test_a_drill_that_waits_for_a_silent_bucket_is_interrupted(s3: str, tmp_path: Path) -> None:
    """Within moments, although several requests are under way; nothing that was fetched stays."""
    put(s3, "silent/shop.sql", b"-- PostgreSQL database dump\n" + b"-- x\n" * 4_000_000)
    with closing(Proxy(s3)) as proxy:
        proxy.most = 1 << 20
        own = {"XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        drill = subprocess.Popen(
            [sys.executable, "-m", "drill", "-k", "backup", f"--report-dir={tmp_path / 'report'}"],
            env=inherited() | own | keys_of(proxy.url) | {"BACKUP_PATH": f"s3://{BUCKET}/silent"},
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        for _ in range(4):
            assert proxy.stalled.acquire(timeout=60)
        began = time.monotonic()
        drill.terminate()
        told, _ = drill.communicate(timeout=60)
    assert time.monotonic() - began < 15, told
    assert drill.returncode == 2 and "ended by SIGTERM" in told, told
    assert not list(tmp_path.rglob("files-*"))


def test_a_place_that_goes_away_is_no_damage(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing answers any more, the drill could not run."""
    put(s3, "away/shop.sql", b"-- PostgreSQL database dump\n" + bytes(8 << 20))
    proxy = Proxy(s3)
    backup = is_backup(choose(settings(proxy.url, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/away")))
    proxy.limit = 0
    proxy.close()
    with pytest.raises(CouldNotRun, match="no answer came"):
        read_contents(backup, tmp_path, quiet)


def test_an_object_that_changes_is_noticed(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pieces are of the version that was listed, or the drill could not run."""
    monkeypatch.setattr(transfer, "PIECE", 1 << 18)
    put(s3, "changes/shop.sql", b"-- PostgreSQL database dump\n" + bytes(16 << 20))
    backup = is_backup(choose(settings(s3, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/changes")))
    put(s3, "changes/shop.sql", b"-- PostgreSQL database dump\n" + b"x" * (16 << 20))
    with pytest.raises(CouldNotRun, match="it changed while it was being fetched"):
        read_contents(backup, tmp_path, quiet)


def test_without_the_library_the_extra_is_named(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    found = choose(settings(s3, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/x"))
    assert isinstance(found, CouldNotRun) and installs("s3") in found.remedy[0]


@pytest.mark.parametrize(
    "url", ["s3://", "s3://key:hunter2@b/x", "s3://b/../x", "s3://b/x?s=hunter2"]
)
def test_what_is_no_place_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error in the settings, which repeats no secret."""
    with pytest.raises(UsageError) as error:
        settings("http://127.0.0.1:1", monkeypatch, BACKUP_PATH=url)
    assert "hunter2" not in str(error.value)


def test_a_profile_of_aws_is_used(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and endpoint come from ~/.aws where no variable has them."""
    (tmp_path / "config").write_text(f"[profile drill]\nendpoint_url = {s3}\nregion = us-east-1\n")
    (tmp_path / "keys").write_text(
        f"[drill]\naws_access_key_id = {READER[0]}\naws_secret_access_key = {READER[1]}\n"
    )
    put(s3, "profile/shop.sql", b"-- PostgreSQL database dump\n")
    there = settings(s3, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/profile")
    for name in keys_of(s3):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")  # as a CI sets a variable that it does not know
    monkeypatch.setenv("AWS_PROFILE", "drill")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    assert is_backup(choose(there)).name == "shop.sql"


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:9000", "minio", "http://", "https://x:99999", "ftp://x", "http://[::1"]
)
def test_an_endpoint_that_is_no_url_is_named(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would panic; one that is empty is none."""
    there = settings(endpoint, monkeypatch, BACKUP_PATH=f"s3://{BUCKET}/any")
    error = choose(there)
    assert isinstance(error, CouldNotRun)
    assert error.what.endswith("cannot be read: the endpoint that is set for it is no URL")
    assert "AWS_ENDPOINT_URL" in error.remedy[0]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    assert s3_options()["endpoint"] == "https://s3.us-east-1.amazonaws.com"


def test_a_local_drill_imports_none_of_it(shops: Shops) -> None:
    """Choosing and reading a file of this machine loads neither library nor modules of places."""
    code = """
import sys
from pathlib import Path
from restore_drill.config.settings import settings_from
from restore_drill.selection.chosen import choose
root = Path(sys.argv[2])
print(choose(settings_from({"backup": sys.argv[1]}, here=root, root=root)).format)
libraries = ("obstore", "asyncssh", "requests")
libraries += ("restore_drill.places", "restore_drill.watch.bucket")
print([name for name in sys.modules if name.startswith(libraries)])
"""
    backup = str(shops.dump(USUAL, "plain.sql"))
    done = subprocess.run(
        [sys.executable, "-c", code, backup, str(ROOT)],
        env=inherited() | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["plain", "[]"], done.stderr
