"""Backups on a real OpenSSH server: who it is, who may log in, what lies there, and its bytes."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.calling import installs
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.places import sftp, transfer
from restore_drill.selection import remote
from restore_drill.selection.chosen import Chosen, choose
from tests.helpers.buckets import Proxy
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.shop import USUAL, Shops, quiet
from tests.helpers.ssh import LOOPBACK, SshServer, free_port, ssh_home, ssh_server
from tests.places.test_writing import interrupted_after, silent

ME = pwd.getpwuid(os.getuid()).pw_name
DUMP = b"-- PostgreSQL database dump\n"


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """The server, run by whoever runs the tests."""
    with ssh_server(tmp_path_factory.mktemp("ssh"), ME) as server:
        yield server


@pytest.fixture
def home(ssh: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that knows the server, and has the key."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return ssh_home(tmp_path / "home", ssh)


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder of backups on the server's side."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


def settings(patch: pytest.MonkeyPatch, place: str = "", **given: str) -> Settings:
    """Settings of a drill of the `place`."""
    patch.delenv("BACKUP_PATH", raising=False)
    if place:
        patch.setenv("BACKUP_PATH", place)
    return settings_from(given, here=ROOT, root=ROOT)


def is_backup(chosen: Chosen) -> Backup:
    """The backup that was chosen."""
    assert isinstance(chosen, Backup), chosen
    return chosen


def is_closed(chosen: Chosen) -> CouldNotRun:
    """Why none could be chosen; with what to do."""
    assert isinstance(chosen, CouldNotRun) and chosen.remedy, chosen
    return chosen


@pytest.mark.usefixtures("home")
def test_healthy_drill_of_a_server(
    shops: Shops, ssh: SshServer, there: Path, tmp_path: Path
) -> None:
    """Newest of a folder, with its checksum: green; nothing stays here."""
    data = shops.dump(USUAL, "plain.sql.gz").read_bytes()
    (there / "shop.sql.gz").write_bytes(data)
    (there / "shop.sql.gz.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  x\n")
    drill = run_drill(report_dir=tmp_path / "report", cwd=ROOT, BACKUP_PATH=ssh.url(there))
    assert drill.code == 0, drill.output
    assert drill.result["backup"]["path"] == f"{ssh.url(there)}/shop.sql.gz"
    assert "test_backup_matches_its_checksum" in drill.ran
    (history,) = (tmp_path / "state").rglob("history.jsonl")
    assert json.loads(history.read_text().splitlines()[-1])["verdict"] == "passed"
    assert "Traceback" not in drill.output and "pending" not in drill.output
    assert "to keep the history in a bucket, set DRILL_HISTORY=s3://bucket/folder" in drill.output


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("form", ["custom.dump", "directory"])
def test_each_format_is_read_as_on_a_disk(
    shops: Shops, ssh: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """What it holds, and its digest, are those of the file here; also of one that is named."""
    here = shops.dump(USUAL, form)
    backup = is_backup(choose(settings(monkeypatch, backup=ssh.url(here))))
    local = is_backup(choose(settings(monkeypatch, backup=str(here))))
    (tmp_path / "a").mkdir()
    assert backup.head == local.head and backup.format == local.format and backup.head.entries
    assert read_contents(backup, tmp_path / "a", quiet) == read_contents(local, tmp_path, quiet)


def test_a_path_counts_from_the_home(
    ssh: SshServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/~/` is the home of the login there; folders per day, hidden ones and links are as here."""
    in_home = Path(tempfile.mkdtemp(dir=pwd.getpwuid(os.getuid()).pw_dir, prefix="drill-test-"))
    try:
        (in_home / "2026-11-27").mkdir()
        (in_home / "2026-11-28").mkdir()
        (in_home / "2026-11-27/shop.sql").write_bytes(DUMP)
        (in_home / "2026-11-28/shop.sql").write_bytes(DUMP + b"--\n")
        (in_home / ".hidden").mkdir()
        (in_home / ".hidden/shop_2026-11-29.sql").write_bytes(DUMP)
        (in_home / "latest").symlink_to(in_home / "2026-11-28")
        (in_home / "gone").symlink_to(in_home / "nowhere")
        found = is_backup(choose(settings(monkeypatch, ssh.url(f"/~/{in_home.name}"))))
    finally:
        shutil.rmtree(in_home)
    assert found.path.parent.name == "2026-11-28" and found.path.read_bytes() == DUMP + b"--\n"
    assert home.exists()


def test_an_unknown_host_is_refused_until_it_is_learned(
    ssh: SshServer, home: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal names the key, and the very command after which the drill goes on."""
    (there / "shop.sql").write_bytes(DUMP)
    (home / ".ssh/known_hosts").unlink()
    refused = is_closed(choose(settings(monkeypatch, ssh.url(there))))
    assert "the host key is not known (ssh-ed25519)" in refused.what
    shown = subprocess.run(
        ["ssh-keygen", "-lf", ssh.folder / "host_key.pub"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[1]
    assert shown in refused.checked[0]
    run_as_told(refused, home)
    assert is_backup(choose(settings(monkeypatch, ssh.url(there)))).name == "shop.sql"


def run_as_told(refused: CouldNotRun, home: Path) -> None:
    """Run the command that the last step of the remedy gives, in a shell of that home."""
    # OpenSSH takes the home from the account, whatever HOME says.
    command = refused.remedy[-1].partition(": ")[2].replace("-R", f"-f {home}/.ssh/known_hosts -R")
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.returncode == 0, done.stderr


def test_a_host_key_that_has_changed_is_refused(
    ssh: SshServer, home: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so; a key in known_hosts is never given up by itself, and then it is as told."""
    (there / "shop.sql").write_bytes(DUMP)
    other = (ssh.folder / "user_key.pub").read_text()
    (home / ".ssh/known_hosts").write_text(f"[{LOOPBACK}]:{ssh.port} {other}")
    refused = is_closed(choose(settings(monkeypatch, ssh.url(there))))
    assert (
        "the host key has CHANGED" in refused.what and "administrator before" in refused.remedy[0]
    )
    run_as_told(refused, home)
    assert is_backup(choose(settings(monkeypatch, ssh.url(there)))).name == "shop.sql"


def test_the_config_of_ssh_counts(
    ssh: SshServer, home: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, ports, users and keys come from it; that a host is not to be checked does not."""
    (there / "shop.sql").write_bytes(DUMP)
    (home / ".ssh/id_ed25519").rename(home / "key")
    config = home / ".ssh/config"
    config.write_text(
        f"Host vault\n  HostName {LOOPBACK}\n  Port {ssh.port}\n  User {ME}\n"
        f"  IdentityFile {home}/key\n  StrictHostKeyChecking no\n  UserKnownHostsFile none\n"
    )
    assert is_backup(choose(settings(monkeypatch, f"sftp://vault{there}"))).name == "shop.sql"
    (home / ".ssh/known_hosts").unlink()
    remote.clear()
    refused = is_closed(choose(settings(monkeypatch, f"sftp://vault{there}")))
    assert "the host key is not known" in refused.what
    for line, words in {
        "Port many": "a file of ~/.ssh cannot be used",
        f"IdentityFile {home}/gone": "what ~/.ssh/config names cannot be used",
        "ProxyCommand /no/such/nc %h %p": "what ~/.ssh/config names cannot be used",
        "Host *\n  ProxyJump jump": "ProxyJump of ~/.ssh/config leads to itself",
    }.items():
        remote.clear()
        config.write_text(f"{line}\n")
        assert words in is_closed(choose(settings(monkeypatch, ssh.url(there)))).what, line


def test_a_key_of_the_agent_is_used(
    ssh: SshServer, home: Path, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key lies in the agent alone; without it nobody may log in, and that is said."""
    (there / "shop.sql").write_bytes(DUMP)
    key = (home / ".ssh/id_ed25519").rename(tmp_path / "key")
    refused = is_closed(choose(settings(monkeypatch, ssh.url(there))))
    assert f"none of your keys may log in as {ME}" in refused.what
    socket = str(tmp_path / "agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as agent:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            # Exit code 2: no agent answers; its socket is there before it listens.
            while (
                subprocess.run(["ssh-add", "-l"], capture_output=True, check=False).returncode > 1
            ):
                assert agent.poll() is None
            subprocess.run(["ssh-add", "-q", key], check=True)
            assert is_backup(choose(settings(monkeypatch, ssh.url(there)))).name == "shop.sql"
        finally:
            agent.kill()


@pytest.mark.usefixtures("home")
def test_what_is_not_there_is_named(ssh: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, or the file that is named."""
    refused = is_closed(choose(settings(monkeypatch, ssh.url("/nowhere"))))
    assert f"{ssh.url('/nowhere')}/ cannot be read: there is no such file or folder" in refused.what
    refused = is_closed(choose(settings(monkeypatch, backup=ssh.url("/nowhere/shop.sql"))))
    assert "/nowhere/shop.sql" in refused.what and "there is no such file" in refused.what


@pytest.mark.usefixtures("home")
def test_a_server_that_is_not_there_is_named(
    ssh: SshServer, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens; the name is not known."""
    refused = is_closed(choose(settings(monkeypatch, ssh.url(there, free_port()))))
    assert "no SSH server listens there" in refused.what
    refused = is_closed(choose(settings(monkeypatch, f"sftp://no-such-host.invalid{there}")))
    assert "the name of the server is not known" in refused.what


@pytest.mark.skipif(os.getuid() != 0, reason="runs a server of another account")
def test_a_server_of_an_ordinary_user(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives what that user may read; a closed folder is told, a file that is closed as well."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        there = Path(folder)
        there.chmod(0o755)
        (there / "daily").mkdir()
        shutil.copy(shops.dump(USUAL, "custom.dump"), there / "daily")
        with ssh_server(there, "nobody") as server:
            monkeypatch.setenv("HOME", str(ssh_home(tmp_path / "home", server)))
            assert is_backup(
                choose(settings(monkeypatch, server.url(there / "daily")))
            ).head.entries
            (there / "daily/closed").mkdir(mode=0o700)
            refused = is_closed(choose(settings(monkeypatch, f"{server.url(there)}/")))
            assert f"{server.url(there)}/daily/closed/" in refused.what
            assert "nobody may not read it there" in refused.what
            (there / "daily/closed").rmdir()
            (there / "daily/custom.dump").chmod(0o600)
            remote.clear()
            refused = is_closed(choose(settings(monkeypatch, f"{server.url(there)}/daily/")))
            assert "custom.dump cannot be read: nobody may not read it there" in refused.what


def test_a_login_without_sftp_is_named(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The subsystem is not offered."""
    with ssh_server(tmp_path_factory.mktemp("none"), ME, "MaxSessions 0") as server:
        monkeypatch.setenv("HOME", str(ssh_home(tmp_path / "home", server)))
        refused = is_closed(choose(settings(monkeypatch, server.url("/x"))))
    assert f"the server offers no SFTP to {ME}" in refused.what


def large(there: Path) -> bytes:
    """A backup of some megabytes, which does not repeat itself."""
    text = DUMP + b"-- ".join(
        hashlib.sha256(b"%d" % n).hexdigest().encode() + b"\n" for n in range(120_000)
    )
    (there / "shop.sql").write_bytes(text)
    return text


@pytest.mark.usefixtures("home")
def test_a_cut_connection_is_resumed(
    ssh: SshServer, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New connections fetch what was cut, and the digest is that of the whole.

    Also where each is cut before all the pieces that are fetched at once have come.
    """
    text = large(there)
    with closing(Proxy(f"http://{LOOPBACK}:{ssh.port}")) as proxy:
        proxy.limit = 3 << 20
        port = int(proxy.url.rpartition(":")[2])
        backup = is_backup(choose(settings(monkeypatch, ssh.url(there, port))))
        read = read_contents(backup, tmp_path, quiet)
        assert read.sha256 == hashlib.sha256(text).hexdigest() and proxy.cut > 1


@pytest.mark.usefixtures("home")
def test_what_is_changed_on_its_way_is_no_damage(
    ssh: SshServer, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSH notices each byte: where every connection is tampered with, the drill could not run."""
    monkeypatch.setattr(transfer, "PIECE", 1 << 18)
    (there / "shop.sql").write_bytes(DUMP + bytes(16 << 20))
    with closing(Proxy(f"http://{LOOPBACK}:{ssh.port}")) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        backup = is_backup(choose(settings(monkeypatch, ssh.url(there, port))))
        proxy.flips = 1
        with pytest.raises(CouldNotRun, match="cannot be read"):
            read_contents(backup, tmp_path, quiet)
        assert proxy.flips > 1


@pytest.mark.usefixtures("home")
def test_a_server_that_goes_away_is_no_damage(
    ssh: SshServer, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing answers any more, the drill could not run."""
    (there / "shop.sql").write_bytes(DUMP + bytes(8 << 20))
    proxy = Proxy(f"http://{LOOPBACK}:{ssh.port}")
    proxy.limit = 2 << 20
    port = int(proxy.url.rpartition(":")[2])
    backup = is_backup(choose(settings(monkeypatch, ssh.url(there, port))))
    proxy.close()
    with pytest.raises(CouldNotRun, match="no SSH server listens there"):
        read_contents(backup, tmp_path, quiet)


@pytest.mark.usefixtures("home")
def test_a_file_that_changes_is_noticed(
    ssh: SshServer, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is still written, or written anew, ends as could-not-run."""
    monkeypatch.setattr(transfer, "PIECE", 1 << 18)
    (there / "shop.sql").write_bytes(DUMP + bytes(16 << 20))
    backup = is_backup(choose(settings(monkeypatch, ssh.url(there))))
    with (there / "shop.sql").open("ab") as file:
        file.write(b"more")
    with pytest.raises(CouldNotRun, match="it changed while it was being fetched"):
        read_contents(backup, tmp_path, quiet)


@pytest.mark.usefixtures("home")
def test_a_server_that_does_not_answer_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within moments."""
    with silent() as url, interrupted_after(0.5):
        choose(settings(monkeypatch, f"sftp://{url.removeprefix('http://')}/backups"))


@pytest.mark.usefixtures("home")
def test_a_whole_disk_is_refused(
    ssh: SshServer, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many folders are no place of backups."""
    monkeypatch.setattr(sftp, "MOST_FOLDERS", 10)
    for number in range(12):
        (there / f"{number}").mkdir()
    refused = is_closed(choose(settings(monkeypatch, ssh.url(there))))
    assert "holds more than 10 folders" in refused.what
    (there / "1/shop.sql").write_bytes(DUMP)
    named = settings(monkeypatch, backup=ssh.url(there / "1/shop.sql"))
    assert is_backup(choose(named)).name == "shop.sql" and len(arrivals) == 1


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    for name in ("sftp", "sftp_files", "ssh", "ssh_errors", "host_keys"):
        monkeypatch.delitem(
            __import__("sys").modules, f"restore_drill.places.{name}", raising=False
        )
    monkeypatch.setitem(__import__("sys").modules, "asyncssh", None)
    refused = is_closed(choose(settings(monkeypatch, "sftp://host/x")))
    assert installs("sftp") in refused.remedy[0]


@pytest.mark.parametrize(
    "url", ["sftp://", "sftp://u:hunter2@host/x", "sftp://host/../x", "sftp://host/x?p=hunter2",
            "sftp://host:many/x", "sftp://-oProxyCommand=hunter2/x", "sftp://host:70000/x",
            "sftp://host/a%00b", "sftp://host/%2e%2e/x"],
)  # fmt: skip
def test_what_is_no_place_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error in the settings, which repeats no secret."""
    with pytest.raises(UsageError) as error:
        settings(monkeypatch, url)
    assert "hunter2" not in str(error.value)
