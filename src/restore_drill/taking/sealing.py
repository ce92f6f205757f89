"""Encrypts a stream on its way, to public keys: by pyrage for age, by gpg for GnuPG."""

from __future__ import annotations

import io
import os
import re
import select
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from restore_drill.backups.wraps.piped import Source, from_thread
from restore_drill.backups.wraps.programs import Program, from_program
from restore_drill.core.calling import installs
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for

Sealing = Callable[[IO[bytes]], IO[bytes]]
REFUSED = re.compile(r"^\[GNUPG:\] INV_RECP (\d+) ?(.*)$", re.MULTILINE)
WHY = {
    "1": "it is not in the keyring", "2": "several keys match", "3": "it is for signing",
    "4": "it is revoked", "5": "it has expired", "9": "its secret part is not here",
    "10": "it is not trusted", "13": "it is disabled", "14": "the specification is wrong",
}  # fmt: skip
"""What gpg says of a key that it does not encrypt to, by the number of its status INV_RECP."""
UNUSABLE = "it cannot be used: has it expired, or was it revoked?"
POLL_SECONDS = 1.0


class Slow(Source):
    """A source that may give nothing for long, as a dump that waits for its server."""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, once there are some."""
        if has_descriptor(self.stream):
            while not select.select([self.stream], [], [], POLL_SECONDS)[0]:
                self.last = time.monotonic()
        return super().read(size)


def has_descriptor(stream: IO[bytes]) -> bool:
    """Whether the system can say that `stream` has bytes."""
    try:
        return stream.fileno() >= 0
    except OSError:
        return False


def by_age(recipients: Sequence[str]) -> Sealing:
    """Encrypts to `recipients` of age; UsageError where one of them is damaged."""
    try:
        import pyrage  # noqa: PLC0415 - an extra
    except ImportError:
        raise CouldNotRun(
            "--encrypt-to needs the library pyrage for age, which is not installed",
            remedy=remedy_for("backup", "no_age", install=installs("age")),
        ) from None
    keys = [age_key(pyrage, each) for each in recipients]

    def explain(error: Exception) -> Exception:
        return not_encrypted("age", [str(error)])

    def seal(stream: IO[bytes]) -> IO[bytes]:
        source = Slow(stream)
        return from_thread(lambda sink: pyrage.encrypt_io(source, sink, keys), source, explain)

    return seal


def age_key(pyrage: Any, line: str) -> Any:
    """The recipient on a `line`."""
    kind = pyrage.ssh if line.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(line)
    except (pyrage.RecipientError, ValueError):
        shown = line if len(line) < 100 else f"{line[:60]}…"
        raise UsageError(
            f"--encrypt-to cannot be {shown!r}: it is not a complete public key"
        ) from None


def by_gpg(options: Sequence[str]) -> Sealing:
    """Encrypts to the keys that `options` name; CouldNotRun where gpg cannot, which is tried."""
    gpg = shutil.which("gpg")
    if gpg is None:
        raise CouldNotRun(
            "--encrypt-to needs gpg for a key of GnuPG, which is not installed",
            remedy=remedy_for("backup", "no_gpg"),
        )
    named = os.environ.get("GNUPGHOME") if "--recipient" in options else ""

    def seal(stream: IO[bytes]) -> IO[bytes]:
        status = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the program
        own = tempfile.mkdtemp(prefix="restore-drill-gpg-")
        reported = os.dup(status.fileno())
        command = [
            gpg, *([] if named is None else ["--homedir", named or own]), "--batch", "--no-tty",
            "--no-options", "--no-auto-key-locate", "--trust-model", "always",
            "--compress-algo", "none", *options, "--status-fd", str(reported), "--encrypt",
        ]  # fmt: skip

        def judge(code: int, _messages: bytes) -> None:
            status.seek(0)
            text = status.read().decode("utf-8", "replace")
            if code or "END_ENCRYPTION" not in text:
                refused = [f"{key}: {WHY.get(why, UNUSABLE)}"
                           for why, key in REFUSED.findall(text)]  # fmt: skip
                raise not_encrypted("gpg", refused or [f"it ended with exit code {code}"])

        def close() -> None:
            status.close()
            shutil.rmtree(own, ignore_errors=True)

        source = Slow(stream)
        return from_program(Program(command, source, judge, handles=[reported], closing=close))

    with seal(io.BytesIO(b"tried")) as tried:
        tried.read()
    return seal


def not_encrypted(tool: str, reasons: list[str]) -> CouldNotRun:
    """The tool that encrypts has failed."""
    return CouldNotRun(
        f"no backup was taken: {tool} does not encrypt to the keys of --encrypt-to",
        checked=reasons,
        remedy=remedy_for("backup", "not_encrypted"),
    )
