"""Whom a backup is encrypted to: `--encrypt-to`, public keys alone, checked before a dump."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from restore_drill.core.access import why_closed
from restore_drill.core.errors import UsageError

AGE_LINES = re.compile(r"age1[0-9a-z]+|ssh-(?:ed25519|rsa) \S+( .*)?")
GPG_ID = re.compile(r"(?:0x)?([0-9A-Fa-f]{16}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})")
PGP = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
BINARY_PGP = (b"\x98", b"\x99", b"\xc6")
"""First bytes of an exported public key of GnuPG that is not armored."""
SECRET = re.compile(rb"(?i:AGE-SECRET-KEY-)|PRIVATE KEY(?: BLOCK)?-----")
LARGEST = 1 << 20
"""Bytes of a file of recipients."""
HOW = (
    "write an age recipient (age1…), an ssh public key, a file of those or of a GnuPG public key, "
    "or the fingerprint of a key in GnuPG's keyring"
)


@dataclass(frozen=True)
class Seal:
    """How backups are encrypted: `scheme` and `suffix` of the name, and from stream to stream."""

    scheme: str
    suffix: str
    open: Callable[[IO[bytes]], IO[bytes]]


@dataclass(frozen=True)
class Recipients:
    """What is given: lines that age knows, and options by which gpg finds a key."""

    age: tuple[str, ...] = ()
    gpg: tuple[str, ...] = ()


def seal_of(given: Sequence[str], here: Path) -> Seal | None:
    """How a backup is encrypted to those `given`; paths count from `here`. None for nobody.

    UsageError where one is no public key, CouldNotRun where it cannot be used.
    """
    if not given:
        return None
    found = [recipients_of(each, here) for each in given]
    age = [line for each in found for line in each.age]
    gpg = [option for each in found for option in each.gpg]
    if age and gpg:
        raise UsageError(
            "--encrypt-to names keys of age and of GnuPG, but a backup can use only one kind"
        )
    from restore_drill.taking import sealing  # noqa: PLC0415 - most backups go unencrypted

    return Seal("age", ".age", sealing.by_age(age)) if age else Seal(
        "GnuPG", ".gpg", sealing.by_gpg(gpg)
    )  # fmt: skip


def recipients_of(text: str, here: Path) -> Recipients:
    """Recipients that one `--encrypt-to` names."""
    if not text.strip():
        raise UsageError(f"--encrypt-to is empty (an unset variable?); {HOW}")
    if SECRET.search(text.encode()):
        raise UsageError(
            "--encrypt-to was given a secret key (not shown), and arguments are public: make a new "
            "key, and name its public part"
        )
    if AGE_LINES.fullmatch(text.strip()):
        return Recipients(age=(text.strip(),))
    path = here / Path(text).expanduser()
    if "/" not in text and (key := GPG_ID.fullmatch(text)) and not path.exists():
        return Recipients(gpg=("--recipient", key[1].upper()))
    return in_file(path, text)


def in_file(path: Path, text: str) -> Recipients:
    """Recipients in the file at `path`, which was given as `text`."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST)
    except FileNotFoundError:
        shown = f"names {text}, which" if "/" in text else "(value not shown: it may be secret)"
        what = f"--encrypt-to {shown} is no public key, and no such file exists"
        raise UsageError(f"{what}; {HOW}") from None
    except OSError as error:
        raise UsageError(f"--encrypt-to names {text}: {why_closed(path, error)}") from None
    if SECRET.search(content):
        raise UsageError(
            f"--encrypt-to names {text}, which holds a secret key: name a file of its public part "
            "(age-keygen -y, the .pub file of ssh, gpg --export)"
        )
    if PGP in content or content[:1] in BINARY_PGP:
        return Recipients(gpg=("--recipient-file", str(path)))
    return Recipients(age=tuple(age_lines(content, text)))


def age_lines(content: bytes, text: str) -> Iterator[str]:
    """Recipients in a file as age reads it: one a line, `#` begins a comment."""
    lines = content.decode("utf-8", "replace").splitlines()
    meant = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for number, line in enumerate(meant, start=1):
        if not AGE_LINES.fullmatch(line):
            raise UsageError(
                f"--encrypt-to names {text}, whose entry {number} is no age recipient and no ssh "
                f"key that age can use (ed25519, RSA); {HOW}"
            )
        yield line
    if not meant:
        raise UsageError(f"--encrypt-to names {text}, which holds no recipient; {HOW}")
