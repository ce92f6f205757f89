"""`openssl enc`: a passphrase, and options that the file does not name; found by trying them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from typing import IO

from restore_drill.backups.wraps.findings import Damaged, Locked, does_not_fit, no_key, no_tool
from restore_drill.backups.wraps.keys import keyring
from restore_drill.backups.wraps.known import is_known
from restore_drill.backups.wraps.piped import Source
from restore_drill.backups.wraps.programs import Program, from_program, secret_handle
from restore_drill.backups.wraps.rejoined import peeked

SCHEME = "openssl enc"
SALTED = b"Salted__"
HEAD = 1 << 13
"""Bytes by which it shows whether passphrase and options are right."""
USUAL = (
    ("-aes-256-cbc", "-pbkdf2"),
    ("-aes-256-cbc", "-md", "sha256"),
    ("-aes-256-cbc", "-md", "md5"),
    ("-aes-128-cbc", "-pbkdf2"),
    ("-aes-256-ctr", "-pbkdf2"),
    ("-des-ede3-cbc", "-pbkdf2"),
    ("-des-ede3-cbc", "-md", "md5"),
)
"""Options that are tried where none are set: the defaults of openssl 1.1 and of 1.0 among them."""
UNCHECKED = "openssl enc has no integrity check: a changed file shows only in its contents"


def open_openssl(stream: IO[bytes]) -> IO[bytes]:
    """Bytes of what `openssl enc` encrypted; raises Locked, and Damaged when it is read."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise no_tool(SCHEME, "openssl", "apt-get install openssl")
    ring = keyring()
    if not ring.passphrases:
        raise no_key(SCHEME, "no passphrase")
    head, whole = peeked(stream, HEAD)
    if len(head) < 2 * len(SALTED):
        raise Damaged("the openssl enc output is truncated: even its salt is missing")
    options = [ring.decrypt.options] if ring.decrypt.options else USUAL
    for passphrase in ring.passphrases:
        for each in options:
            if is_known(trial(openssl, head, each, passphrase)):
                ring.note(f"decrypted with openssl enc -d {' '.join(each)}; {UNCHECKED}")
                return decrypted(openssl, Source(whole), each, passphrase)
    raise misfit(is_set=bool(ring.decrypt.options))


def misfit(*, is_set: bool) -> Locked:
    """Nothing that the drill knows begins as what comes out."""
    options = "the options of DRILL_DECRYPT_OPTIONS" if is_set else "any of the usual options"
    error = does_not_fit(SCHEME, f"the passphrase with {options}")
    lists = [] if is_set else [f"tried: {'; '.join(' '.join(each) for each in USUAL)}"]
    return Locked(error.what, checked=lists, remedy=error.remedy)


def trial(openssl: str, head: bytes, options: Sequence[str], passphrase: bytes) -> bytes:
    """What the `head` of a file is with these `options`; its end is missing, so openssl fails."""
    secret = secret_handle(passphrase + b"\n")
    command = [openssl, "enc", "-d", *options, "-pass", f"fd:{secret}"]
    program = Program(command, Source(io.BytesIO(head)), lambda *_: None, handles=[secret])
    with from_program(program) as stream:
        return stream.read(HEAD)


def decrypted(openssl: str, source: Source, options: Sequence[str], passphrase: bytes) -> IO[bytes]:
    """What openssl makes of all of it."""
    secret = secret_handle(passphrase + b"\n")

    def judge(code: int, messages: bytes) -> None:
        if code:
            why = "its last block is not what was written"
            if b"wrong final block length" in messages:
                why = "it ends inside a block"
            raise Damaged(f"the openssl enc output is damaged or truncated: {why}")

    command = [openssl, "enc", "-d", *options, "-pass", f"fd:{secret}"]
    return from_program(Program(command, source, judge, handles=[secret]))
