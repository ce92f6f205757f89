"""Backups on servers of Google's and of Azure's kind, by the variables of their ecosystems."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
from restore_drill.config.remote import remote_history
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.places import transfer
from restore_drill.places.azure import az_options
from restore_drill.selection import remote
from restore_drill.selection.chosen import Chosen, choose
from restore_drill.watch.bucket import entries_of
from restore_drill.watch.entry import note
from restore_drill.watch.history import load_history
from restore_drill.watch.verify import chain_at
from tests.helpers import clouds
from tests.helpers.buckets import Proxy
from tests.helpers.clouds import BUCKET, KEY, connection_string, put_azure, put_google
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.histories import PASSED
from tests.helpers.shop import USUAL, Shops, quiet
from tests.helpers.takings import backup_to, big_database

DUMP = b"-- PostgreSQL database dump\n"
AZURE = "AZURE_STORAGE_CONNECTION_STRING"


@dataclass(frozen=True)
class Cloud:
    """One of the servers: its scheme, where it is, how to write there, and who may read."""

    scheme: str
    url: str
    put: Callable[[str, str, bytes], None]
    variables: Callable[[str], dict[str, str]]

    def place(self, folder: str) -> str:
        """URL of a folder there."""
        return f"{self.scheme}://{BUCKET}/{folder}"


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Google's kind; it takes whoever comes."""
    with clouds.google(tmp_path_factory.mktemp("google")) as url:
        yield Cloud("gs", url, put_google, lambda url: {"STORAGE_EMULATOR_HOST": url})


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Azure's kind; it checks keys and signatures."""
    with clouds.azure(tmp_path_factory.mktemp("azure")) as url:
        yield Cloud("az", url, put_azure, lambda url: {AZURE: connection_string(url)})


@pytest.fixture(params=["google", "azure"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each of them."""
    found: Cloud = request.getfixturevalue(request.param)
    return found


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of the tester's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AZURE_CONFIG_DIR", "AZURE_STORAGE_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


def settings(patch: pytest.MonkeyPatch, place: str, variables: dict[str, str]) -> Settings:
    """Settings of a drill of the `place`."""
    for name, value in {**variables, "BACKUP_PATH": place}.items():
        patch.setenv(name, value)
    return settings_from({}, here=ROOT, root=ROOT)


def is_backup(chosen: Chosen) -> Backup:
    """The backup that was chosen."""
    assert isinstance(chosen, Backup), chosen
    return chosen


def test_healthy_drill_of_a_cloud(shops: Shops, cloud: Cloud, tmp_path: Path) -> None:
    """Newest of a folder, with its checksum: green, and no key anywhere."""
    data = shops.dump(USUAL, "plain.sql.gz").read_bytes()
    cloud.put(cloud.url, "whole/shop.sql.gz", data)
    digest = f"{hashlib.sha256(data).hexdigest()}  x\n".encode()
    cloud.put(cloud.url, "whole/shop.sql.gz.sha256", digest)
    place = {"BACKUP_PATH": cloud.place("whole"), **cloud.variables(cloud.url)}
    drill = run_drill(report_dir=tmp_path / "report", cwd=ROOT, **place)
    assert drill.code == 0, drill.output
    assert drill.result["backup"]["path"] == f"{cloud.place('whole')}/shop.sql.gz"
    assert "test_backup_matches_its_checksum" in drill.ran
    assert KEY not in drill.output + json.dumps(drill.result)


def test_one_object_is_drilled_by_its_name(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """--backup names it; one that is not there is named; an empty folder has no backup."""
    cloud.put(cloud.url, "named/shop.sql", DUMP)
    here = settings(monkeypatch, cloud.place("nothing"), cloud.variables(cloud.url))
    assert isinstance(choose(here), BackupFault)
    monkeypatch.delenv("BACKUP_PATH")
    named = settings_from({"backup": cloud.place("named/shop.sql")}, here=ROOT, root=ROOT)
    assert is_backup(choose(named)).name == "shop.sql" and len(arrivals) == 1
    gone = choose(settings_from({"backup": cloud.place("named/no.sql")}, here=ROOT, root=ROOT))
    assert isinstance(gone, CouldNotRun) and "there is no such object" in gone.what
    assert ("gcloud" if cloud.scheme == "gs" else "az storage") in gone.remedy[0]


def test_a_cut_connection_is_resumed(
    azure: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece that is cut is fetched anew."""
    monkeypatch.setattr(transfer, "PIECE", 1 << 19)
    lines = (hashlib.sha256(b"%d" % n).hexdigest().encode() + b"\n" for n in range(60_000))
    text = DUMP + b"-- ".join(lines)
    put_azure(azure.url, "cut/shop.sql", text)
    where, _, account = azure.url.removeprefix("http://").partition("/")
    with closing(Proxy(f"http://{where}")) as proxy:
        proxy.limit = 700_000
        there = azure.variables(f"{proxy.url}/{account}")
        chosen = choose(settings(monkeypatch, azure.place("cut"), there))
        read = read_contents(is_backup(chosen), tmp_path, quiet)
        assert read.sha256 == hashlib.sha256(text).hexdigest() and proxy.cut


def test_an_object_that_changes_is_noticed(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by the ETag of the answer: Google's server here knows no conditions."""
    monkeypatch.setattr(transfer, "PIECE", 1 << 18)
    cloud.put(cloud.url, "changes/shop.sql", DUMP + bytes(16 << 20))
    there = settings(monkeypatch, cloud.place("changes"), cloud.variables(cloud.url))
    backup = is_backup(choose(there))
    cloud.put(cloud.url, "changes/shop.sql", DUMP + b"x" * (16 << 20))
    with pytest.raises(CouldNotRun, match="it changed while it was being fetched"):
        read_contents(backup, tmp_path, quiet)


def test_a_signature_of_azure_suffices(azure: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that may read and list, for a time; one that has expired is told, and not shown."""
    put_azure(azure.url, "signed/shop.sql", DUMP)
    account = f"BlobEndpoint={azure.url};AccountName={clouds.ACCOUNT};SharedAccessSignature="
    valid, expired = shared_signature(600), shared_signature(-60)
    here = settings(monkeypatch, azure.place("signed"), {AZURE: account + valid})
    assert is_backup(choose(here)).name == "shop.sql"
    remote.clear()
    found = choose(settings(monkeypatch, azure.place("signed"), {AZURE: account + expired}))
    assert isinstance(found, CouldNotRun) and "the credentials are not accepted" in found.what
    assert expired[-20:] not in str(found) and "AZURE_STORAGE" in found.remedy[0]


PROBLEMS = {
    "no container": ("az://nowhere/x", KEY, "there is no such container"),
    "wrong key": (f"az://{BUCKET}/x", KEY[:-6] + "AAAA==", "the credentials are not accepted"),
    "no key": (f"az://{BUCKET}/x", "hunter2", "no usable credentials are set for it"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_keeps_azure_closed_is_named(
    azure: Cloud, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One message each, without the key."""
    place, key, words = PROBLEMS[name]
    found = choose(settings(monkeypatch, place, {AZURE: connection_string(azure.url, key)}))
    assert isinstance(found, CouldNotRun) and words in found.what, found
    assert found.remedy and key not in str(found)


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_without_credentials_it_says_where_they_go(
    scheme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file of keys that is not there; no account."""
    name = "GOOGLE_APPLICATION_CREDENTIALS" if scheme == "gs" else "AZURE_STORAGE_ACCOUNT"
    missing = {name: str(tmp_path / "no.json")} if scheme == "gs" else {}
    found = choose(settings(monkeypatch, f"{scheme}://{BUCKET}/x", missing))
    assert isinstance(found, CouldNotRun), found
    assert "no usable credentials are set for it" in found.what
    assert name in found.remedy[0]


def test_the_names_of_az_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Variables, then the config, as `az` reads them; a login where nothing else is known."""
    (tmp_path / ".azure").mkdir()
    (tmp_path / ".azure/config").write_text("[storage]\naccount = one\nkey = abc\n")
    assert az_options() == {"account_name": "one", "account_key": "abc"}
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "two")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sig=x")
    assert az_options() == {"account_name": "two", "account_key": "abc", "sas_key": "sig=x"}
    monkeypatch.setenv(AZURE, "AccountName=x;AccountKey=eQ==;EndpointSuffix=core.chinacloudapi.cn")
    assert az_options()["endpoint"] == "https://x.blob.core.chinacloudapi.cn"
    monkeypatch.setenv(AZURE, "UseDevelopmentStorage=true")
    assert az_options()["endpoint"] == "http://127.0.0.1:10000/devstoreaccount1"
    for name in (AZURE, "AZURE_STORAGE_SAS_TOKEN"):
        monkeypatch.delenv(name)
    (tmp_path / ".azure/config").unlink()
    (tmp_path / "az").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert az_options() == {"account_name": "two", "use_azure_cli": "true"}


@pytest.mark.parametrize("url", ["az://", "gs://key:hunter2@b/x", "az://b/x?sig=hunter2"])
def test_what_is_no_place_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error in the settings, which repeats no secret."""
    with pytest.raises(UsageError) as error:
        settings(monkeypatch, url, {})
    assert "hunter2" not in str(error.value)


def shared_signature(seconds: int) -> str:
    """A signature of the container that ends in so many seconds, and may read and list."""
    times = [datetime.now(UTC) + timedelta(seconds=each) for each in (-600, seconds)]
    begin, end = (f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in times)
    given = {"sp": "rl", "st": begin, "se": end, "sv": "2021-08-06", "sr": "c"}
    resource = f"/blob/{clouds.ACCOUNT}/{BUCKET}"
    parts = ["rl", begin, end, resource, "", "", "", "2021-08-06", "c", *[""] * 7]
    digest = hmac.new(base64.b64decode(KEY), "\n".join(parts).encode(), hashlib.sha256).digest()
    return urlencode(given | {"sig": base64.b64encode(digest).decode()})


def test_a_backup_is_taken_to_azure(azure: Cloud, shops: Shops, tmp_path: Path) -> None:
    """By parts, never over another one; a drill proves it, and old ones go.

    Google's emulator takes no uploads by the interface that the library writes with (XML).
    """
    source = big_database(shops, "taken_az")
    there = {"BACKUP_PATH": azure.place("taken"), "XDG_STATE_HOME": str(tmp_path / "state")}
    access = there | azure.variables(azure.url)
    take = partial(backup_to, source, "--compress=gzip:1", "--keep=1", **access)
    for code in (0, 6):
        done = take()
        assert done.returncode == code, done.stderr
        time.sleep(1)
    assert "no drill of the backups in az://backups/taken/ is known" in done.stderr
    again = backup_to(source, "--name=once", **access), backup_to(source, "--name=once", **access)
    assert [each.returncode for each in again] == [0, 6], again
    assert "there is an object of that name" in again[1].stderr

    drill = run_drill(report_dir=tmp_path / "report", cwd=ROOT, **access)
    assert drill.code == 0, drill.output
    assert drill.result["strength"] == "proven"
    done = take()
    assert done.returncode == 0, done.stderr
    assert "kept 2 backups by --keep 1; deleted 1: taken_az_" in done.stdout


def test_a_history_lies_in_a_container_of_azure(
    azure: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a bucket of S3: none is overwritten, and tampering shows."""
    for name, value in azure.variables(azure.url).items():
        monkeypatch.setenv(name, value)
    path = remote_history(azure.place("drills"))
    assert path
    for rows in range(3):
        note(path, replace(PASSED, rows=rows))
    assert [each.rows for each in load_history(path).drills] == [0, 1, 2]
    assert chain_at(path).faults == []
    changed = entries_of(path)[1].name
    azure.put(azure.url, f"drills/.drill/history/{changed}", b"{}")
    (fault,) = chain_at(path).faults
    assert fault == (changed, "was changed: its content does not match its name")

    account = f"BlobEndpoint={azure.url};AccountName={clouds.ACCOUNT};SharedAccessSignature="
    monkeypatch.setenv(AZURE, account + shared_signature(600))
    with pytest.raises(CouldNotRun) as error:
        note(path, PASSED)
    assert "sp=rcl" in error.value.remedy[0], error.value
