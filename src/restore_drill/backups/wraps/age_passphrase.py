"""age files that are encrypted with a passphrase; pyrage reads those into memory whole.

The format is that of https://age-encryption.org/v1: scrypt gives the file's key, from which the key
of the payload is derived, in pieces of 64 KiB that are encrypted and authenticated each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from collections.abc import Sequence
from typing import IO, Any

from restore_drill.backups.reading import Reading
from restore_drill.backups.wraps.findings import Damaged, does_not_fit, no_key, no_tool
from restore_drill.backups.wraps.keys import keyring
from restore_drill.core.calling import installs

PIECE, TAG, NONCE, FILE_KEY = 1 << 16, 16, 16, 16
MOST_WORK = 22
"""Logarithm of the greatest cost: four gigabytes, as age itself has it."""
CUT = "its age encryption is damaged or truncated"
SCHEME = "age, by a passphrase"


def open_with_passphrase(stream: IO[bytes], passphrases: Sequence[bytes]) -> IO[bytes]:
    """Bytes of the age file in `stream`; raises Locked, or Damaged."""
    try:
        from cryptography.hazmat.primitives.ciphers import aead  # noqa: PLC0415 - rarely needed
    except ImportError:
        raise no_tool(SCHEME, "cryptography", installs("age")) from None
    salt, work, body, text, mac = read_header(stream)
    if not passphrases:
        raise no_key(SCHEME, "no passphrase")
    known = keyring().file_keys
    for phrase in passphrases:
        if body not in known and (key := unwrapped(aead, phrase, salt, work, body)):
            known[body] = key
    if body not in known:
        raise does_not_fit(SCHEME, "the passphrase")
    file_key = known[body]
    if not hmac.compare_digest(hmac.digest(derived(file_key, b"", b"header"), text, "sha256"), mac):
        raise Damaged("its age header was changed")
    nonce = stream.read(NONCE)
    if len(nonce) < NONCE:
        raise Damaged(CUT)
    payload = Payload(stream, aead.ChaCha20Poly1305(derived(file_key, nonce, b"payload")))
    return io.BufferedReader(payload, 1 << 18)


def read_header(stream: IO[bytes]) -> tuple[bytes, int, bytes, bytes, bytes]:
    """Salt, work factor, encrypted file key, the text that the MAC is of, and the MAC."""
    version, stanza, body, last = (stream.readline(200) for _ in range(4))
    try:
        _, _, salt, work = stanza.split()
        mark, mac = last.split()
        parts = decoded(salt), int(work), decoded(body.strip()), decoded(mac)
    except ValueError:
        raise Damaged("its age header is damaged or truncated") from None
    if mark != b"---" or parts[1] > MOST_WORK:
        raise Damaged("its age header is damaged: it asks for more memory than age allows")
    return *parts[:3], version + stanza + body + mark, parts[3]


def decoded(text: bytes) -> bytes:
    """Base64 without padding; ValueError."""
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


def unwrapped(aead: Any, passphrase: bytes, salt: bytes, work: int, body: bytes) -> bytes | None:
    """The key of the file, None where the `passphrase` is another."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

    key = hashlib.scrypt(
        passphrase, salt=b"age-encryption.org/v1/scrypt" + salt, n=1 << work, r=8, p=1, dklen=32,
        maxmem=(1 << work) * 1024 + (1 << 20),
    )  # fmt: skip
    try:
        found: bytes = aead.ChaCha20Poly1305(key).decrypt(bytes(12), body, None)
    except InvalidTag:
        return None
    return found if len(found) == FILE_KEY else None


def derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 of `key`, 32 bytes (RFC 5869)."""
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


class Payload(Reading):
    """The plain text of a payload, piece by piece; Damaged where one is not what was written."""

    def __init__(self, stream: IO[bytes], cipher: Any) -> None:
        """Begin at the first piece, which lies next in `stream`."""
        self.stream = stream
        self.cipher = cipher
        self.number = 0
        self.coming = self.read_piece()
        if not self.coming:
            raise Damaged(CUT)
        self.ready = memoryview(b"")

    def give(self, size: int) -> memoryview:
        """The next bytes of what was decrypted."""
        if not self.ready and self.coming:
            self.ready = memoryview(self.decrypt_next())
        data, self.ready = self.ready[:size], self.ready[size:]
        return data

    def decrypt_next(self) -> bytes:
        """The plain text of the next piece: only the last one may, and must, be marked so."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

        piece, self.coming = self.coming, self.read_piece()
        nonce = self.number.to_bytes(11, "big") + (b"\0" if self.coming else b"\1")
        self.number += 1
        try:
            plain: bytes = self.cipher.decrypt(nonce, piece, None)
        except InvalidTag:
            raise Damaged(f"{CUT}: piece {self.number:,} is not what was written") from None
        return plain

    def read_piece(self) -> bytes:
        """The next piece, shorter at the end."""
        piece = b""
        while len(piece) < PIECE + TAG and (more := self.stream.read(PIECE + TAG - len(piece))):
            piece += more
        return piece
