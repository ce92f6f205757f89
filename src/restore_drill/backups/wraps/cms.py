"""CMS (S/MIME) to certificates, through `openssl cms`, which reads all of it into memory."""

from __future__ import annotations

import io
import shutil
from base64 import b64decode
from contextlib import suppress
from typing import IO

from restore_drill.backups.sealed import MAIL
from restore_drill.backups.wraps.findings import Damaged, Locked, does_not_fit, no_key, no_tool
from restore_drill.backups.wraps.keys import keyring
from restore_drill.backups.wraps.known import is_known
from restore_drill.backups.wraps.piped import Source
from restore_drill.backups.wraps.programs import Program, from_program, secret_handle
from restore_drill.backups.wraps.rejoined import Rejoined, peeked

SCHEME = "CMS"
HEAD = 1 << 13
LINE = 48
"""Bytes that a line of PEM holds."""
AUTHENTICATED = bytes.fromhex("2a864886f70d0109100117")
"""Object identifier of AuthEnvelopedData (RFC 5083), which stands first in such a message."""
UNCHECKED = "CMS without AES-GCM has no integrity check: a changed file shows only in its contents"


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
    form = form_of(head)
    if AUTHENTICATED not in begin_of(head, form):
        keyring().note(UNCHECKED)
    command = [
        openssl, "cms", "-decrypt", "-inform", form,
        "-inkey", f"/dev/fd/{key}", "-binary",
    ]  # fmt: skip
    for passphrase in keyring().passphrases[:1]:
        handles.append(secret_handle(passphrase + b"\n"))
        command += ["-passin", f"fd:{handles[1]}"]
    judge = Judge()
    return checked(from_program(Program(command, Source(whole), judge, handles=handles)), judge)


def form_of(head: bytes) -> str:
    """What openssl calls the form of the message that begins with `head`."""
    if head.startswith(b"-----"):
        return "PEM"
    return "SMIME" if head.startswith(MAIL) else "DER"


def begin_of(head: bytes, form: str) -> bytes:
    """The first bytes of the message that `head` begins, in that `form`."""
    if form == "DER":
        return head[:LINE]
    header_end = b"\n\n" if form == "SMIME" else b"\n"
    lines = head.replace(b"\r\n", b"\n").partition(header_end)[2]
    with suppress(ValueError):
        return b64decode(lines.partition(b"\n")[0])
    return b""


def checked(stream: IO[bytes], judge: Judge) -> IO[bytes]:
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
    judge.is_open = True
    return io.BufferedReader(Rejoined(head, stream, owns=True), 1 << 18)


class Judge:
    """Raises what openssl reports; once the message `is_open`, its key has been the right one."""

    def __init__(self) -> None:
        """Nothing is known of the key."""
        self.is_open = False

    def __call__(self, code: int, messages: bytes) -> None:
        """Raise what the exit `code` and the `messages` mean."""
        if not code:
            return
        if not self.is_open:
            if b"no matching recipient" in messages or b"bad decrypt" in messages:
                raise misfit()
            if b"Could not" in messages or b"unable to load" in messages:
                raise does_not_fit(SCHEME, "the private key, or the passphrase for it,")
        raise Damaged("its CMS encryption is damaged or truncated")


def misfit() -> Locked:
    """Another private key is wanted."""
    return does_not_fit(SCHEME, "the private key")
