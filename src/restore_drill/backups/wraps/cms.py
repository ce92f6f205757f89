"""CMS (S/MIME) to certificates, through `openssl cms`, which reads all of it into memory."""

from __future__ import annotations

import io
import shutil
from typing import IO

from restore_drill.backups.wraps.findings import Damaged, Locked, does_not_fit, no_key, no_tool
from restore_drill.backups.wraps.keys import keyring
from restore_drill.backups.wraps.known import is_known
from restore_drill.backups.wraps.piped import Source
from restore_drill.backups.wraps.programs import Program, from_program, secret_handle
from restore_drill.backups.wraps.rejoined import Rejoined, peeked

SCHEME = "CMS"
HEAD = 1 << 13


def open_cms(stream: IO[bytes]) -> IO[bytes]:
    """Bytes of the CMS message in `stream`; raises Locked, and Damaged when it is read."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise no_tool(SCHEME, "openssl", "apt-get install openssl")
    keys = keyring().of("pem", "ssh")
    if not keys:
        raise no_key(SCHEME, "no private key in PEM")
    head, whole = peeked(stream, HEAD)
    key = secret_handle(keys[0])
    handles = [key]
    command = [
        openssl, "cms", "-decrypt", "-inform", "PEM" if head.startswith(b"-----") else "DER",
        "-inkey", f"/dev/fd/{key}", "-binary",
    ]  # fmt: skip
    for passphrase in keyring().passphrases[:1]:
        handles.append(secret_handle(passphrase + b"\n"))
        command += ["-passin", f"fd:{handles[1]}"]
    return checked(from_program(Program(command, Source(whole), judge, handles=handles)))


def checked(stream: IO[bytes]) -> IO[bytes]:
    """`stream`, if it begins like something: with a wrong key openssl gives bytes by chance.

    So that nobody learns of a key whether it fits, as RFC 3218 advises.
    """
    try:
        head = stream.read(HEAD)
        if head and not is_known(head):
            raise misfit()
    except BaseException:
        stream.close()
        raise
    return io.BufferedReader(Rejoined(head, stream, owns=True), 1 << 18)


def judge(code: int, messages: bytes) -> None:
    """Raise what openssl reports."""
    if not code:
        return
    if b"no matching recipient" in messages or b"bad decrypt" in messages:
        raise misfit()
    if b"Could not" in messages or b"unable to load" in messages:
        raise does_not_fit(SCHEME, "the private key, or the passphrase for it,")
    raise Damaged("its CMS encryption is damaged or truncated")


def misfit() -> Locked:
    """Another private key is wanted."""
    return does_not_fit(SCHEME, "the private key")
