"""GnuPG: messages to public keys and by passphrase, through `gpg` with a home of their own."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from restore_drill.backups.wraps.findings import (
    Damaged,
    Locked,
    does_not_fit,
    no_key,
    no_tool,
    unusable,
)
from restore_drill.backups.wraps.keys import keyring
from restore_drill.backups.wraps.piped import Source
from restore_drill.backups.wraps.programs import (
    Program,
    clean_environment,
    from_program,
    secret_handle,
)
from restore_drill.backups.wraps.rejoined import peeked
from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.cleanup import bases, make_run_directory

HEAD = 1 << 14
"""Bytes with which passphrases are tried: packets for many recipients, and the first data."""
SCHEME = "GnuPG"
NO_MDC = (
    "encrypted by GnuPG without an integrity check (MDC): a changed file shows only in "
    "its contents, and gpg needs --ignore-mdc-error to decrypt it"
)
SIGNED = "also signed, by a key that is not available here: the signature was not checked"
LONGEST_SOCKET = 56
"""Bytes of the path of a home in which gpg-agent can still have its sockets."""
IMPORT_SECONDS = 60.0


def open_gpg(stream: IO[bytes]) -> IO[bytes]:
    """Bytes of the OpenPGP message in `stream`; raises Locked, and Damaged when it is read."""
    gpg = shutil.which("gpg")
    if gpg is None:
        raise no_tool(SCHEME, "gpg", "apt-get install gnupg")
    passphrases = keyring().passphrases
    if len(passphrases) > 1:
        head, stream = peeked(stream, HEAD)
        passphrases = [*fitting(gpg, head, passphrases), *passphrases][:1]
    return started(gpg, Source(stream), passphrases)


def fitting(gpg: str, head: bytes, passphrases: list[bytes]) -> Iterator[bytes]:
    """Those of `passphrases` with which gpg begins to decrypt what begins with `head`."""
    for each in passphrases:
        with suppress(Damaged, Locked), started(gpg, Source(io.BytesIO(head)), [each]) as stream:
            if stream.read(1):
                yield each


def started(gpg: str, source: Source, passphrases: list[bytes]) -> IO[bytes]:
    """What gpg decrypts of `source`."""
    home, remove = home_for(gpg)
    status = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the program
    secrets = [secret_handle(each + b"\n") for each in passphrases]
    reported = os.dup(status.fileno())

    def close() -> None:
        status.close()
        remove()

    def judge(_code: int, _messages: bytes) -> None:
        status.seek(0)
        judge_status(status.read().decode("utf-8", "replace"))

    command = [
        gpg, "--homedir", str(home), "--batch", "--no-tty", "--quiet", "--no-options",
        "--pinentry-mode", "loopback", "--trust-model", "always", "--no-auto-key-retrieve",
        *(["--passphrase-fd", str(secrets[0])] if secrets else []),
        "--ignore-mdc-error", "--status-fd", str(reported), "--decrypt",
    ]  # fmt: skip
    handles = [*secrets, reported]
    return from_program(Program(command, source, judge, handles=handles, closing=close))


def judge_status(text: str) -> None:
    """Raise what gpg's status lines show to be wrong; note what is worth a line.

    Its exit code shows neither: it is 0 for a message that was cut before its data, and, since
    old messages without MDC are let through, for one that was changed; it is 2 where only a
    signature cannot be checked.
    """
    found: dict[str, list[str]] = {}
    for word, rest in re.findall(r"^\[GNUPG:\] (\w+) ?(.*)$", text, re.MULTILINE):
        found.setdefault(word, []).append(rest)
    info = [*found.get("DECRYPTION_INFO", [""])[0].split(), "0", "0", "0"]
    is_unchecked = info[0] == "0" and info[2] == "0"
    if "DECRYPTION_OKAY" in found and "PLAINTEXT" in found and "BADSIG" not in found:
        if "GOODMDC" in found:
            if "ERRSIG" in found:
                keyring().note(SIGNED)
            return
        if is_unchecked and "DECRYPTION_INFO" in found:
            keyring().note(NO_MDC)
            return
    raise what_failed(found)


def what_failed(found: dict[str, list[str]]) -> Exception:
    """Why a message was not decrypted, by gpg's status lines."""
    recipients = [recipient(line) for line in found.get("ENC_TO", [])]
    is_symmetric = "NEED_PASSPHRASE_SYM" in found
    ring = keyring()
    is_open = bool({"PLAINTEXT", "DECRYPTION_KEY", "NODATA", "DECRYPTION_OKAY"} & found.keys())
    # It gives up on some damage without a word; of a passphrase that is wrong it has one.
    is_open |= "DECRYPTION_INFO" in found and "DECRYPTION_FAILED" not in found
    is_cut = is_symmetric and ring.passphrases and "BEGIN_DECRYPTION" not in found
    if is_open or is_cut or not (recipients or is_symmetric):
        return Damaged("its GnuPG encryption is damaged or truncated")
    if recipients and not is_symmetric:
        if not ring.of("pgp") and ring.home is None:
            return no_key(SCHEME, "no secret key of GnuPG", recipients)
        if "NEED_PASSPHRASE" in found and not ring.passphrases:
            return no_key(SCHEME, "no passphrase for the secret key", recipients)
        tried = "the secret key, or the passphrase for it," if ring.passphrases else "the key"
        return does_not_fit(SCHEME, tried, recipients)
    if not ring.passphrases:
        return no_key(f"{SCHEME}, by a passphrase", "no passphrase", recipients)
    return does_not_fit(f"{SCHEME}, by a passphrase", "the passphrase", recipients)


def recipient(line: str) -> str:
    """A recipient by the words of gpg's status ENC_TO: the long id of a key, or nobody's."""
    key = line.split(maxsplit=1)[0]
    return "a key that is not named" if not key.strip("0") else f"key {key}"


def home_for(gpg: str) -> tuple[Path, Callable[[], None]]:
    """A GnuPG home for one run of `gpg`, with the keys in it, and what removes it.

    It lies where the next drill finds and removes it if this one is killed. A home of the user's
    is used as it is.
    """
    ring = keyring()
    if ring.home is not None:
        return ring.home, lambda: None
    folder = next((base for base in bases() if len(str(base)) < LONGEST_SOCKET), bases()[0])
    run = make_run_directory(folder)
    home = run.path / "data"
    home.mkdir(mode=0o700)

    def remove() -> None:
        with suppress(OSError, subprocess.TimeoutExpired):
            call("gpgconf", "--homedir", str(home), "--kill", "gpg-agent")
        run.remove()

    try:
        for key in ring.of("pgp"):
            done = call(gpg, "--homedir", str(home), "--batch", "--no-tty", "--import", data=key)
            if b"secret key" not in done.stderr:
                raise unusable("the key for GnuPG", "gpg does not import it as a secret key")
    except BaseException:
        remove()
        raise
    return home, remove


def call(*command: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a tool of GnuPG to its end."""
    try:
        return subprocess.run(
            command,
            input=data,
            capture_output=True,
            env=clean_environment(),
            timeout=IMPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CouldNotRun(f"{Path(command[0]).name} did not finish in time") from None
