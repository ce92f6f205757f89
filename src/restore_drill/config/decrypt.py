"""Where the keys come from that decrypt backups, and the options of `openssl enc`, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.config.options import usage_error
from restore_drill.config.values import is_there, path_of

OPTION = re.compile(
    r"-(pbkdf2|iter [1-9]\d{0,8}|md [\w-]{1,20}"
    r"|(aes|aria|camellia|sm4|chacha|des|bf|cast)[\w-]{0,24})(?= |$)"
)
"""An option of `openssl enc` that says how a file was encrypted, and holds no key."""
PATH_BEGINS = ("/", "./", "../", "~", "file:")
"""A word without these may be a passphrase, or a key."""


@dataclass(frozen=True)
class Decrypt:
    """Sources of keys, which are all read, and only once an encrypted backup is met.

    `key_file` is a file, or a GnuPG home; `key` the text of a key or a passphrase; `command` prints
    one. `options` are those of `openssl enc`, which it writes into no file.
    """

    key_file: Path | None = None
    key: str | None = field(default=None, repr=False)
    command: str | None = field(default=None, repr=False)
    options: tuple[str, ...] = ()

    @property
    def secrets(self) -> list[str]:
        """What is shown nowhere: the lines of a key, and a command, which may hold a token."""
        return [*(self.key or "").splitlines(), self.command or ""]


def decrypt_of(given: dict[str, str | None], here: Path) -> Decrypt:
    """What is `given`; relative paths count from `here`."""
    return Decrypt(
        key_file=key_file_of(given, here),
        key=given["decrypt_secret"],
        command=given["decrypt_command"],
        options=options_of(given["decrypt_options"] or ""),
    )


def key_file_of(given: dict[str, str | None], here: Path) -> Path | None:
    """The file of the key; where there is none, what may be the key itself is not repeated."""
    value = given["decrypt_key"] or ""
    if value and not value.startswith(PATH_BEGINS) and not is_there(here, value):
        raise usage_error(
            "decrypt_key",
            "names no file (not shown: it may be the key)",
            "name it as /path/to/key or ./key; the key itself belongs into DRILL_DECRYPT_KEY",
        )
    return path_of(given, "decrypt_key", here, must_exist=True)


def options_of(text: str) -> tuple[str, ...]:
    """Options of `openssl enc` in `text`; a usage error, which does not repeat it, for others."""
    words = text.split()
    rest = OPTION.sub("", " ".join(words))
    if rest.strip():
        raise usage_error(
            "decrypt_options",
            "holds more than a cipher, -pbkdf2, -iter N and -md NAME (not shown: it may be a key)",
            'write it like "-aes-256-cbc -pbkdf2 -iter 600000"',
        )
    return tuple(words)
