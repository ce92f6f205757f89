"""Encrypts dumps as people do, with age, gpg and openssl, and has the keys."""

from __future__ import annotations

import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyrage

PASSPHRASE = "correct horse"


def run(*command: str | Path, data: bytes = b"", home: Path | None = None) -> bytes:
    """What a tool writes when it is given `data`."""
    env = os.environ | ({"GNUPGHOME": str(home)} if home else {})
    done = subprocess.run(
        [*map(str, command)], input=data, env=env, capture_output=True, check=False
    )
    assert not done.returncode, done.stderr.decode()
    return done.stdout


class Keys:
    """Keys of every kind in `folder`, made when first asked for."""

    def __init__(self, folder: Path) -> None:
        """Make none yet."""
        self.folder = folder
        self.home = folder / "gnupg"
        self.sealed: dict[str, bytes] = {}

    def file(self, name: str, *command: str | Path) -> Path:
        """File `name`, written by `command`."""
        path = self.folder / name
        if not path.exists():
            run(*command, path)
        return path

    def age(self, name: str = "age.txt") -> Path:
        """An identity of age."""
        return self.file(name, "age-keygen", "-o")

    def ssh(self) -> Path:
        """An ssh key with a passphrase."""
        return self.file("id", "ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f")

    def pem(self, name: str = "cms.pem") -> Path:
        """A private key, with its certificate beside it."""
        options = ("-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop", "-days", "9")
        return self.file(
            name, "openssl", "req", *options, "-out", self.folder / f"{name}.crt", "-keyout"
        )

    def gpg(self, name: str = "shop@example.org", *, expired: bool = False) -> Path:
        """A secret key of GnuPG, exported; `expired` since years."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / f"{name}.asc"
        if not path.exists():
            when = ("--faked-system-time", "20240101T000000") if expired else ()
            until = "2024-02-01" if expired else "never"
            base = ("gpg", "--batch", "--quiet", "--pinentry-mode=loopback", "--passphrase=")
            run(*base, *when, "--quick-gen-key", name, "default", "default", until, home=self.home)
            secret = run(*base, "--armor", "--export-secret-keys", name, home=self.home)
            path.write_bytes(secret)
        return path

    def text(self, content: str = PASSPHRASE) -> Path:
        """A file with a passphrase."""
        path = self.folder / "passphrase"
        path.write_text(content + "\n")
        return path

    def end(self) -> None:
        """End what gpg has started."""
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False)


def by_age(keys: Keys, data: bytes, *options: str) -> bytes:
    """To the identity of age."""
    recipient = run("age-keygen", "-y", keys.age()).decode().strip()
    return run("age", *options, "-r", recipient, data=data)


def by_age_to_ssh(keys: Keys, data: bytes) -> bytes:
    """To the ssh key, and to another one of age."""
    return run("age", "-R", f"{keys.ssh()}.pub", data=data)


def by_passphrase(keys: Keys, data: bytes) -> bytes:
    """With a passphrase, as `age -p` does, which asks a terminal for it."""
    del keys
    return bytes(pyrage.passphrase.encrypt(data, PASSPHRASE))


def by_gpg(keys: Keys, data: bytes, *options: str, expired: bool = False) -> bytes:
    """To the key of GnuPG."""
    name = "old@example.org" if expired else "shop@example.org"
    keys.gpg(name, expired=expired)
    when = ("--faked-system-time", "20240110T000000") if expired else ()
    base = ("gpg", "--batch", "--quiet", "--trust-model=always")
    return run(*base, *when, *options, "-r", name, "--encrypt", data=data, home=keys.home)


def by_gpg_passphrase(keys: Keys, data: bytes, *options: str) -> bytes:
    """Symmetric."""
    keys.home.mkdir(mode=0o700, exist_ok=True)
    base = ("gpg", "--batch", "--quiet", "--pinentry-mode=loopback", f"--passphrase={PASSPHRASE}")
    quick = ("--s2k-mode=3", "--s2k-count=1024")  # the usual count takes half a second
    return run(*base, *quick, *options, "--symmetric", data=data, home=keys.home)


def by_openssl(keys: Keys, data: bytes, *options: str) -> bytes:
    """With a passphrase and `options`."""
    del keys
    return run("openssl", "enc", *options, "-pass", f"pass:{PASSPHRASE}", data=data)


def by_cms(keys: Keys, data: bytes, *options: str, command: str = "cms") -> bytes:
    """To a certificate, by one of the two `command`s of openssl that do that."""
    certificate = f"{keys.pem()}.crt"
    base = ("openssl", command, "-encrypt", "-binary", "-outform", "DER")
    return run(*base, *(options or ("-aes256",)), certificate, data=data)


Sealing = Callable[[Keys, bytes], bytes]


def zipped(path: Path, *members: Path) -> Path:
    """A zip archive of `members` at `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.write(member, f"backups/{member.name}")
    return path


def tarred(path: Path, *members: Path) -> Path:
    """A tar archive of `members` at `path`, compressed by gzip where its name ends with .gz."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for member in members:
            archive.add(member, f"backups/{member.name}")
    return path
