"""age: files encrypted to X25519 and ssh keys, through pyrage; passphrases in `age_passphrase`."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from typing import IO, Any

from restore_drill.backups.wraps.base64s import Base64Reader
from restore_drill.backups.wraps.findings import Damaged, does_not_fit, no_key, no_tool, unusable
from restore_drill.backups.wraps.keys import keyring
from restore_drill.backups.wraps.piped import Source, from_thread
from restore_drill.backups.wraps.rejoined import peeked
from restore_drill.core.calling import installs

HEADER = 1 << 16
"""Bytes within which a header ends: a hundred recipients by ssh-rsa keys."""
ARMOR = b"-----BEGIN AGE"
NO_MATCH = "No matching keys"


def open_age(stream: IO[bytes]) -> IO[bytes]:
    """Bytes of the age file in `stream`; raises Locked, and Damaged when it is read."""
    head, whole = peeked(stream, HEADER)
    stanzas = stanzas_of(head)
    if not stanzas:
        raise Damaged("its age header is damaged or truncated: it names no recipient")
    if stanzas[0][0] == "scrypt":
        from restore_drill.backups.wraps.age_passphrase import (  # noqa: PLC0415 - has cryptography
            open_with_passphrase,
        )

        if head.startswith(ARMOR):
            whole = io.BufferedReader(Base64Reader(whole), 1 << 18)
        return open_with_passphrase(whole, keyring().passphrases)
    return open_with_keys(whole, recipients_of(stanzas))


def open_with_keys(stream: IO[bytes], recipients: list[str]) -> IO[bytes]:
    """Bytes of an age file to `recipients`."""
    pyrage = library()
    keys = identities(pyrage)
    if not keys:
        raise no_key("age", "neither an age identity nor an ssh key", recipients)

    def explain(error: Exception) -> Exception:
        if isinstance(error, pyrage.DecryptError) and NO_MATCH in str(error):
            tried = "the key" if len(keys) == 1 else f"none of the {len(keys)} keys"
            return does_not_fit("age", tried, recipients)
        return Damaged(f"its age encryption is damaged or truncated: {error}")

    source = Source(stream)
    return from_thread(lambda sink: pyrage.decrypt_io(source, sink, keys), source, explain)


def library() -> Any:
    """The module pyrage; Locked where it is not installed."""
    try:
        import pyrage  # noqa: PLC0415 - only encrypted backups need it
    except ImportError:
        raise no_tool("age", "pyrage", installs("age")) from None
    return pyrage


def identities(pyrage: Any) -> list[Any]:
    """Identities among the keys of this run; Locked where one cannot be used."""
    ring = keyring()
    texts = [*ring.of("age"), *(opened(pyrage, file) for file in ring.of("age file"))]
    lines = [line.strip() for text in texts for line in text.decode("ascii", "replace").split("\n")]
    from_line, from_file = pyrage.x25519.Identity.from_str, pyrage.ssh.Identity.from_buffer
    return [
        *(usable(pyrage, from_line, line, "the age identity") for line in lines
          if line.startswith("AGE-")),
        *(usable(pyrage, from_file, without_lock(key), "the ssh key") for key in ring.of("ssh")),
    ]  # fmt: skip


def usable(pyrage: Any, make: Callable[[Any], Any], key: Any, what: str) -> Any:
    """The identity that `make` gives of `key`."""
    try:
        return make(key)
    except (pyrage.IdentityError, ValueError):
        raise unusable(what, "it is damaged, or of a kind that pyrage does not know") from None


def opened(pyrage: Any, file: bytes) -> bytes:
    """The identities in a key file that age has encrypted with a passphrase."""
    for passphrase in keyring().passphrases:
        try:
            return bytes(pyrage.passphrase.decrypt(file, passphrase.decode()))
        except pyrage.DecryptError:
            continue
    raise unusable("the encrypted key file", "none of the configured passphrases opens it")


def without_lock(key: bytes) -> bytes:
    """An ssh key without its passphrase, if it has one."""
    if b"BEGIN OPENSSH" not in key or b"bcrypt" not in base64_body(key):
        return key
    try:
        import bcrypt  # noqa: F401, PLC0415 - what cryptography wants for it
        from cryptography.hazmat.primitives import serialization as forms  # noqa: PLC0415 - rare
    except ImportError:
        raise no_tool("age", "cryptography", installs("age")) from None

    for passphrase in keyring().passphrases:
        try:
            private = forms.load_ssh_private_key(key, passphrase)
        except ValueError:
            continue
        return private.private_bytes(
            forms.Encoding.PEM, forms.PrivateFormat.OpenSSH, forms.NoEncryption()
        )
    raise unusable("the ssh key", "it has a passphrase, and none of the configured ones opens it")


def base64_body(key: bytes) -> bytes:
    """The bytes of a key in PEM; none where it is damaged."""
    lines = [line for line in key.splitlines() if not line.startswith(b"-----")]
    try:
        return base64.b64decode(b"".join(lines))
    except binascii.Error:
        return b""


def stanzas_of(head: bytes) -> list[list[str]]:
    """The words of each recipient's line in the header that `head` begins with; none if it is cut.

    Who it is for stands there in plain: a type, and of an ssh key the begin of its digest.
    """
    if head.startswith(ARMOR):
        lines = head.splitlines()[1:-1]
        try:
            head = base64.b64decode(b"".join(line for line in lines if b"-" not in line) + b"==")
        except binascii.Error:
            return []
    found: list[list[str]] = []
    for line in head.split(b"\n"):
        if line.startswith(b"---"):
            return found
        if line.startswith(b"-> "):
            found.append(line[3:].decode("ascii", "replace").split(" "))
    return []


def recipients_of(stanzas: list[list[str]]) -> list[str]:
    """`an X25519 key (age does not name it)`, `ssh-ed25519 key whose digest begins with …`."""
    found: dict[str, int] = {}
    for kind, *words in stanzas:
        if kind.endswith("-grease"):
            continue
        digest = f", its digest begins with {words[0]}" if kind.startswith("ssh-") and words else ""
        unnamed = " (age does not say which)" if kind == "X25519" else ""
        name = f"{kind} key{digest}{unnamed}"
        found[name] = found.get(name, 0) + 1
    return [name + (f" ({count} of them)" if count > 1 else "") for name, count in found.items()]
