"""Backups behind a link: signed by a real S3 server, or of a web server without ranges."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import obstore
import pytest

from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.places import transfer
from restore_drill.selection.chosen import Chosen, choose
from tests.helpers.buckets import BUCKET, Proxy, put, writer
from tests.helpers.drills import ROOT, command, run_drill
from tests.helpers.shop import USUAL, Shops, quiet
from tests.helpers.web import WebServer, web_server
from tests.places.test_writing import interrupted_after, silent

DUMP = b"-- PostgreSQL database dump\n"


def settings(patch: pytest.MonkeyPatch, link: str, variable: str = "DRILL_BACKUP") -> Settings:
    """Settings of a drill of what is behind `link`."""
    for name in ("BACKUP_PATH", "DRILL_BACKUP"):
        patch.delenv(name, raising=False)
    patch.setenv(variable, link)
    return settings_from({}, here=ROOT, root=ROOT)


def is_backup(chosen: Chosen) -> Backup:
    """The backup that was chosen."""
    assert isinstance(chosen, Backup), chosen
    return chosen


def is_closed(chosen: Chosen) -> str:
    """Why none could be chosen, in one line; what to do is said as well."""
    assert isinstance(chosen, CouldNotRun) and chosen.remedy, chosen
    return chosen.what


def signed(url: str, key: str, seconds: float = 600) -> str:
    """A link of the S3 server at `url`, which holds for so long."""
    return obstore.sign(writer(url), "GET", key, timedelta(seconds=seconds))


def large() -> bytes:
    """A backup of some megabytes, which does not repeat itself."""
    return DUMP + b"-- ".join(
        hashlib.sha256(b"%d" % n).hexdigest().encode() + b"\n" for n in range(120_000)
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the web server gives."""
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


@pytest.fixture
def web(files: Path) -> Iterator[WebServer]:
    """A server without TLS and without ranges."""
    with web_server(files) as server:
        yield server


def test_healthy_drill_of_a_signed_link(shops: Shops, s3: str, tmp_path: Path) -> None:
    """Green, and what signs the link is written down nowhere."""
    put(s3, "signed/shop 1.sql.gz", shops.dump(USUAL, "plain.sql.gz").read_bytes())
    link = signed(s3, "signed/shop 1.sql.gz")
    drill = run_drill(
        "--log-level=DEBUG", report_dir=tmp_path / "report", cwd=ROOT, DRILL_BACKUP=link
    )
    assert drill.code == 0, drill.output
    assert drill.result["backup"]["path"] == f"{s3}/{BUCKET}/signed/shop 1.sql.gz"
    doctor = command("doctor", XDG_STATE_HOME=str(tmp_path / "state"), DRILL_BACKUP=link)
    texts = [drill.output, doctor.stdout, doctor.stderr]
    for folder in (tmp_path / "report", tmp_path / "state"):
        texts += [each.read_text() for each in folder.rglob("*") if each.is_file()]
    assert len(texts) > 5
    signature = link.rpartition("=")[2]
    assert len(signature) == 64 and not [text for text in texts if signature in text]


def test_a_cut_link_is_resumed(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By ranges, each of which is fetched anew where it is cut."""
    monkeypatch.setattr(transfer, "PIECE", 1 << 19)
    put(s3, "cut/link.sql", large())
    with closing(Proxy(s3)) as proxy:
        proxy.limit = 700_000
        backup = is_backup(choose(settings(monkeypatch, signed(proxy.url, "cut/link.sql"))))
        read = read_contents(backup, tmp_path, quiet)
        assert read.sha256 == hashlib.sha256(large()).hexdigest() and proxy.cut


def test_a_file_that_changes_is_noticed(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pieces are of the version that was there first."""
    monkeypatch.setattr(transfer, "PIECE", 1 << 18)
    put(s3, "changes/link.sql", DUMP + bytes(16 << 20))
    backup = is_backup(choose(settings(monkeypatch, signed(s3, "changes/link.sql"))))
    put(s3, "changes/link.sql", DUMP + b"x" * (16 << 20))
    with pytest.raises(CouldNotRun, match="it changed while it was being fetched"):
        read_contents(backup, tmp_path, quiet)


def test_a_link_that_has_expired_is_told(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time at which it did; one whose signature is wrong is another thing."""
    put(s3, "expired/shop.sql", DUMP)
    link = signed(s3, "expired/shop.sql", 1)
    time.sleep(2.1)
    assert "the link has expired, at 20" in is_closed(choose(settings(monkeypatch, link)))
    link = signed(s3, "expired/shop.sql")[:-4] + "0000"
    assert "the server does not allow it" in is_closed(choose(settings(monkeypatch, link)))


def test_tls_and_a_checksum_beside(
    shops: Shops, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server whose certificate is not trusted is refused; a trusted one is read in one go."""
    data = shops.dump(USUAL, "custom.dump").read_bytes()
    (files / "shop.dump").write_bytes(data)
    (files / "shop.dump.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  shop.dump\n")
    with web_server(files, tmp_path / "own.pem") as server:
        link = f"{server.url}/shop.dump?token=hunter2"
        refused = is_closed(choose(settings(monkeypatch, link)))
        assert "the certificate of the server is not trusted" in refused
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
        backup = is_backup(choose(settings(monkeypatch, link, "BACKUP_PATH")))
        assert read_contents(backup, tmp_path, quiet).sha256 == hashlib.sha256(data).hexdigest()
    assert (
        backup.path.with_name("shop.dump.sha256")
        .read_text()
        .startswith(hashlib.sha256(data).hexdigest())
    )
    assert [path for path in server.asked if "sha256" in path and "hunter2" in path] == []


def test_a_server_without_ranges_begins_anew(
    files: Path, web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come is skipped; where nothing tells the version, it is not guessed."""
    (files / "shop.sql").write_bytes(large())
    backup = is_backup(choose(settings(monkeypatch, f"{web.url}/shop.sql")))
    web.cuts = [5 << 20, 6 << 20]
    # The first of them is cut while the head is read, or after it: both begin anew.
    read = read_contents(backup, tmp_path, quiet)
    assert read.sha256 == hashlib.sha256(large()).hexdigest()


def test_a_cut_without_a_version_is_not_resumed(
    files: Path, web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file may lie there by now."""
    (files / "shop_2026-11-28.sql").write_bytes(large())
    web.headers["Last-Modified"] = None
    web.cuts = [1 << 20] * 9
    chosen = choose(settings(monkeypatch, f"{web.url}/shop_2026-11-28.sql"))
    with pytest.raises(CouldNotRun, match="does not answer as it should"):
        read_contents(is_backup(chosen), tmp_path, quiet)


PROBLEMS: dict[str, tuple[list[int], dict[str, str | None], str]] = {
    "forbidden": ([403] * 9, {}, "the server does not allow it"),
    "missing": ([404] * 9, {}, "there is no such file"),
    "gone": ([410] * 9, {}, "there is no such file"),
    "failing": ([503] * 9, {}, "the server does not answer as it should"),
    "page": ([], {"Content-type": "text/html; charset=utf-8"}, "returns a web page instead"),
    "no length": ([], {"Content-Length": None}, "does not say how large it is"),
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("variable", ["DRILL_BACKUP", "BACKUP_PATH"])
def test_what_keeps_a_link_closed_is_named(
    files: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    """One message each."""
    (files / "shop.sql").write_bytes(DUMP)
    web.statuses, web.headers, words = PROBLEMS[name]
    web.statuses = [*web.statuses]
    assert words in is_closed(choose(settings(monkeypatch, f"{web.url}/shop.sql", variable)))


def test_a_server_that_is_busy_is_asked_again(
    files: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some answers of 503 and 429 pass."""
    (files / "shop.sql").write_bytes(DUMP)
    web.statuses = [503, 429, 200, 502]
    assert is_backup(choose(settings(monkeypatch, f"{web.url}/shop.sql"))).name == "shop.sql"


def test_a_login_comes_from_netrc(
    files: Path, web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from nowhere else."""
    (files / "shop.sql").write_bytes(DUMP)
    web.login = f"Basic {base64.b64encode(b'drill:hunter2').decode()}"
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    link = f"{web.url}/shop.sql"
    assert "the server requires a login" in is_closed(choose(settings(monkeypatch, link)))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login drill password hunter2\n")
    assert is_backup(choose(settings(monkeypatch, link))).name == "shop.sql"


def test_no_server_and_no_tls_are_named(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens; a name is not known; a link leads to plain http:// elsewhere."""
    with closing(Proxy(web.url)) as proxy:
        nobody = proxy.url
    web.statuses, web.headers = [302], {"Location": "http://192.0.2.1/shop.sql"}
    assert "without TLS" in is_closed(choose(settings(monkeypatch, f"{web.url}/shop.sql")))
    assert "no server listens" in is_closed(choose(settings(monkeypatch, f"{nobody}/shop.sql")))
    unknown = is_closed(choose(settings(monkeypatch, "https://no-such-host.invalid/shop.sql")))
    assert "the name of the server is not known" in unknown


def test_a_server_that_does_not_answer_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within moments."""
    with silent() as url, interrupted_after(0.5):
        choose(settings(monkeypatch, f"{url}/shop.sql"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://u:hunter2@host/x.sql", "~/.netrc"),
        ("https://hunter2@host/x.sql", "~/.netrc"),
        ("https://host/?sig=hunter2", "names no file"),
        ("https://host/folder/", "a web server provides no listing"),
        ("https://host:70000/x.sql", "names no server"),
        ("http://example.org/x.sql", "anybody in between can read and change"),
    ],
)
def test_what_is_no_link_is_refused(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error in the settings, which repeats no secret."""
    with pytest.raises(UsageError, match=words) as error:
        settings(monkeypatch, url, "BACKUP_PATH")
    assert "hunter2" not in str(error.value)


def test_a_signature_is_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on a machine may read the arguments of a command."""
    monkeypatch.delenv("BACKUP_PATH", raising=False)
    with pytest.raises(UsageError, match="put the URL into DRILL_BACKUP") as error:
        settings_from({"backup": "https://host/x.sql?sig=hunter2"}, here=ROOT, root=ROOT)
    assert "hunter2" not in str(error.value)
