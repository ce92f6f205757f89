"""A real OpenSSH server on this machine, and a home with a key that may log in there."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class SshServer:
    """A server: its port, who logs in, its own public key, and the folder of its files."""

    port: int
    user: str
    host_key: str
    folder: Path

    def url(self, path: Path | str, port: int | None = None) -> str:
        """URL of an absolute path there, or through a proxy at `port`."""
        return f"sftp://{self.user}@{LOOPBACK}:{port or self.port}{path}"

    def renew_key(self) -> None:
        """Let it show another host key from the next connection on."""
        make_key(self.folder / "host_key")


def make_key(path: Path) -> None:
    """A new key without a passphrase, in place of one that is there."""
    for each in (path, path.with_name(f"{path.name}.pub")):
        each.unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "drill", "-f", str(path)]
    subprocess.run(command, check=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.create_server((LOOPBACK, 0))) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def ssh_server(folder: Path, user: str, *options: str) -> Iterator[SshServer]:
    """A server with its files in `folder`, run by `user`, who logs in by the `user_key` there."""
    account = pwd.getpwnam(user)
    make_key(folder / "host_key")
    make_key(folder / "user_key")
    port = free_port()
    config = folder / "sshd_config"
    lines = (
        f"Port {port}", f"ListenAddress {LOOPBACK}", f"HostKey {folder}/host_key", "PidFile none",
        f"AuthorizedKeysFile {folder}/user_key.pub", "StrictModes no",
        # Only root sees by itself that an account without a password is not locked.
        f"UsePAM {'yes' if account.pw_uid else 'no'}",
        "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password", "MaxStartups 100", "Subsystem sftp internal-sftp",
        *options,
    )  # fmt: skip
    config.write_text("".join(f"{line}\n" for line in lines))
    for each in folder.iterdir():
        os.chown(each, account.pw_uid, account.pw_gid)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "sshd is missing: apt-get install openssh-server"
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            user=account.pw_uid, group=account.pw_gid,
            extra_groups=[] if os.getuid() == 0 else None,
        )  # fmt: skip
    try:
        until_it_answers(port, process, folder / "sshd.log")
        yield SshServer(port, user, (folder / "host_key.pub").read_text(), folder)
    finally:
        process.kill()
        process.wait()


def until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the server's banner."""
    until = time.monotonic() + 30
    while True:
        with suppress(OSError), socket.create_connection((LOOPBACK, port), 1) as connection:
            if connection.recv(4) == b"SSH-":
                return
        assert process.poll() is None and time.monotonic() < until, log.read_text()
        time.sleep(0.02)


def ssh_home(home: Path, server: SshServer, *, known: bool = True, key: bool = True) -> Path:
    """A home in which the server's host key is known, and the login's key lies."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, parents=True)
    if known:
        (folder / "known_hosts").write_text(f"{LOOPBACK} {server.host_key}")
    if key:
        shutil.copy(server.folder / "user_key", folder / "id_ed25519")
        (folder / "id_ed25519").chmod(0o600)
    return home
