"""The keys that decrypt backups: read from their sources once an encrypted backup is met."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.wraps.findings import unusable
from restore_drill.config.decrypt import Decrypt
from restore_drill.core.access import why_closed

LARGEST = 1 << 20
"""Bytes of a key: a GnuPG key with many signatures and a photo has some hundred kilobytes."""
LONGEST_PASSPHRASE = 4096
"""Bytes: openssl takes 1,024, and gpg ends without a word at some 30,000."""
READ_BY_ALL = 0o004
COMMAND_SECONDS = 60.0
SIGNS = (
    (b"AGE-SECRET-KEY-", "age"),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "age file"),
    (b"-----BEGIN OPENSSH PRIVATE KEY-----", "ssh"),
    (b"-----BEGIN RSA PRIVATE KEY-----", "ssh"),
    (b"-----BEGIN PGP PRIVATE KEY BLOCK-----", "pgp"),
    (b"-----BEGIN PRIVATE KEY-----", "pem"),
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", "pem"),
    (b"-----BEGIN EC PRIVATE KEY-----", "pem"),
)
"""What shows which kind of key a text is; other texts are passphrases."""
BINARY_PGP = (0x94, 0x95, 0x96, 0xC5)
"""First bytes of an exported secret key of GnuPG that is not armored (RFC 9580, 4.2 and 5.5.1)."""


class Secret(NamedTuple):
    """A key of the `kind` age, age file, ssh, pgp or pem, or a passphrase."""

    kind: str
    data: bytes


class Keyring:
    """All keys of a run, and what was noticed where they were used.

    `file_keys` are those that took seconds to derive from a passphrase, by their encrypted form.
    """

    def __init__(self, decrypt: Decrypt) -> None:
        """Read nothing yet."""
        self.decrypt = decrypt
        self.notes: dict[str, bool] = {}
        self.file_keys: dict[bytes, bytes] = {}

    def note(self, text: str) -> None:
        """Remember what a drill is to mention, once."""
        self.notes.setdefault(text, False)

    def new_notes(self) -> tuple[str, ...]:
        """What was noticed since the last call."""
        found = tuple(text for text, is_known in self.notes.items() if not is_known)
        self.notes.update(dict.fromkeys(found, True))
        return found

    @property
    def home(self) -> Path | None:
        """The user's own GnuPG home, where one is named."""
        path = self.decrypt.key_file
        return path if path is not None and path.is_dir() else None

    @cached_property
    def secrets(self) -> tuple[Secret, ...]:
        """Keys of all sources; CouldNotRun where one cannot be read."""
        return tuple(secret_in(text) for text in self.texts())

    def texts(self) -> Iterator[bytes]:
        """What the sources give."""
        path = self.decrypt.key_file
        if path is not None and not path.is_dir():
            yield usable(read_key(path), str(path))
            if path.stat().st_mode & READ_BY_ALL:
                self.note(f"every user of this machine can read the key {path}: chmod 600 {path}")
        if self.decrypt.key:
            yield usable(self.decrypt.key.encode(), "DRILL_DECRYPT_KEY")
        if self.decrypt.command:
            yield usable(output_of(self.decrypt.command), "DRILL_DECRYPT_COMMAND")

    def of(self, *kinds: str) -> list[bytes]:
        """The keys of these `kinds`."""
        return [secret.data for secret in self.secrets if secret.kind in kinds]

    @property
    def passphrases(self) -> list[bytes]:
        """Those that are no keys."""
        return self.of("passphrase")


_keyrings = [Keyring(Decrypt())]


def keyring() -> Keyring:
    """The keys of this process, which is of one drill; files are opened far from its settings."""
    return _keyrings[0]


def use_keys(decrypt: Decrypt) -> Keyring:
    """From now on the keys are those of `decrypt`; what is known of the same ones stays."""
    if _keyrings[0].decrypt != decrypt:
        _keyrings[0] = Keyring(decrypt)
    return _keyrings[0]


def secret_in(text: bytes) -> Secret:
    """What kind of secret a `text` is; of a passphrase its first line, as openssl and gpg do."""
    for sign, kind in SIGNS:
        if re.search(rb"^" + re.escape(sign), text, re.MULTILINE):
            return Secret(kind, text)
    if text[0] in BINARY_PGP:
        return Secret("pgp", text)
    return Secret("passphrase", text.split(b"\n")[0].rstrip(b"\r"))


def usable(text: bytes, source: str) -> bytes:
    """The `text` that a `source` gave, if it may be a key."""
    if not text.strip():
        raise unusable(f"the key of {source}", "it is empty")
    kind, data = secret_in(text)
    if kind == "passphrase" and len(data) > LONGEST_PASSPHRASE:
        raise unusable(f"the key of {source}", "it is of no known kind, too long for a passphrase")
    return text


def read_key(path: Path) -> bytes:
    """The key in the file at `path`."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise unusable(f"the key {path}", why_closed(path, error)) from None
    if len(text) > LARGEST:
        raise unusable(f"the key {path}", "it is larger than a megabyte")
    return text


def output_of(command: str) -> bytes:
    """What the `command` prints, which is run without a shell; its output is shown nowhere."""
    name = "the command of DRILL_DECRYPT_COMMAND"
    environment = {k: v for k, v in os.environ.items() if k != "DRILL_DECRYPT_KEY"}
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            env=environment,
            check=False,
        )
    except ValueError:
        raise unusable(name, "its quotes are not closed") from None
    except OSError as error:
        raise unusable(name, error.strerror or "it cannot be started") from None
    except subprocess.TimeoutExpired:
        raise unusable(name, f"it did not end within {COMMAND_SECONDS:.0f} s") from None
    if done.returncode:
        raise unusable(name, f"it ended with exit code {done.returncode}")
    return done.stdout
