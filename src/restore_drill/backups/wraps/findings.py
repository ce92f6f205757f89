"""The three findings about an encrypted backup: no key here, a key that does not fit, damage."""

from __future__ import annotations

from collections.abc import Sequence

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for


class Damaged(ValueError):
    """What is wrapped around the backup is damaged: one of READ_ERRORS, a fault of the backup."""


class Locked(CouldNotRun):
    """The backup cannot be decrypted here, for want of the right key or tool."""


def no_key(scheme: str, needs: str, recipients: Sequence[str] = ()) -> Locked:
    """No key is here that could fit: `needs` is the kind that is wanted."""
    return Locked(
        f"the key is missing: the backup is encrypted with {scheme}, and {needs} is set",
        checked=["--decrypt-key, DRILL_DECRYPT_KEY_FILE, _KEY and _COMMAND", *named(recipients)],
        remedy=remedy_for("decrypt", "no_key"),
    )


def does_not_fit(scheme: str, tried: str, recipients: Sequence[str] = ()) -> Locked:
    """Keys are here, and none of those `tried` fits the file."""
    return Locked(
        f"the key does not fit: the backup is encrypted with {scheme}, and {tried} does "
        "not open it",
        checked=named(recipients),
        remedy=remedy_for("decrypt", "does_not_fit"),
    )


def no_tool(scheme: str, tool: str, how: str) -> Locked:
    """The `tool` is missing that decrypts; `how` installs it."""
    return Locked(
        f"the backup is encrypted with {scheme}, and {tool} is not installed",
        remedy=remedy_for("decrypt", "no_tool", how=how),
    )


def unusable(what: str, why: str) -> Locked:
    """A key, or the command that gives one, is of no use."""
    return Locked(f"{what} cannot be used: {why}", remedy=remedy_for("decrypt", "unusable"))


def stalled(seconds: float) -> CouldNotRun:
    """A decryptor neither reads nor writes."""
    return CouldNotRun(
        f"decryption stalled for {seconds:.0f} s and was stopped",
        remedy=remedy_for("decrypt", "stalled"),
    )


def out_of_memory(name: str) -> CouldNotRun:
    """The program `name` had not the memory that the backup takes."""
    return CouldNotRun(
        f"memory ran out while {name} decrypted the backup",
        remedy=remedy_for("machine", "memory"),
    )


def named(recipients: Sequence[str]) -> list[str]:
    """A line on whom the file names as those who can decrypt it."""
    return [f"the file names as recipients: {', '.join(recipients)}"] if recipients else []
