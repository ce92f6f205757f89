"""What a file is encrypted with, or wrapped in, by its first bytes."""

from __future__ import annotations

import re

from restore_drill.backups.guesses import is_openpgp
from restore_drill.backups.streams import AROUND

SEALS = {"age": "age", "gpg": "GnuPG", "openssl": "openssl enc", "cms": "CMS"}
"""Names of encryptions, as layers are called, and as people call them."""
WRAPS = ("base64", "zip", "tar")
"""Other layers that are no compressions."""
BEGINS = (
    (b"age-encryption.org/", "age"),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    (b"-----BEGIN PGP MESSAGE-----", "gpg"),
    (b"Salted__", "openssl"),
    (b"U2FsdGVkX1", "base64"),
    (b"-----BEGIN CMS-----", "cms"),
    (b"-----BEGIN PKCS7-----", "cms"),
    (b"PK\x03\x04", "zip"),
)
ENVELOPED = re.compile(
    rb"\x30[\x80-\x84].{0,4}\x06(\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
    rb"|\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17)",
    re.DOTALL,
)
"""The begin of CMS in DER that is of the type enveloped-data, or authenticated-enveloped-data."""
MAIL = b"MIME-Version: 1.0"
MAILED = re.compile(
    MAIL
    + rb"\r?\n(?:[^\r\n]+\r?\n)*?Content-Type: *application/(?:x-)?pkcs7-mime;[^\r\n]*enveloped",
    re.IGNORECASE,
)
"""The begin of CMS in S/MIME, which openssl writes unless it is told otherwise."""


def wrap_of(head: bytes) -> str:
    """The encryption or wrap that `head` begins, as layers are called; empty for none.

    A tar is not among them: what it is shows only in what it holds.
    """
    for magic, name in BEGINS:
        if head.startswith(magic):
            return name
    if ENVELOPED.match(head) or MAILED.match(head):
        return "cms"
    return "gpg" if is_openpgp(head) and not head.startswith((b"\xff\xfe", b"\xfe\xff")) else ""


def is_sealed(compression: str) -> bool:
    """Whether an encryption is among the layers of a backup."""
    return any(name in SEALS for name in compression.split(AROUND))


def without_seals(compression: str) -> str:
    """Layers of a backup without encryption, which changes hardly a file's size."""
    kept = [name for name in compression.split(AROUND) if name not in (*SEALS, "base64")]
    return AROUND.join(kept)


def is_packed(compression: str) -> bool:
    """Whether any layer of a backup makes it smaller."""
    return bool({*compression.split(AROUND)} - {"", *SEALS, "base64", "tar"})
