"""The chain of a history: each entry has a number, the hash of the one before, and its own.

The hash of an entry is the SHA-256 of its line without `, "hash": "..."`; the first entry with one
has as `before` that of all lines above it, which older versions have written. Who rewrites every
line from some place on can make a chain that holds: the last hash must be known from elsewhere to
notice that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from restore_drill.core.printable import printable_json

MARK = b', "hash": "'
END = re.compile(rb'([0-9a-f]{64})"\}')


class Link(NamedTuple):
    """An entry's place in the chain; `is_true` says whether its hash is that of its line."""

    number: int
    before: str
    hash: str
    is_true: bool = True


def digest(content: bytes) -> str:
    """SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def sealed(entry: Mapping[str, Any], last: Link | None, known: bytes) -> tuple[Link, bytes]:
    """The line of `entry` behind the entry `last`, or behind all that is `known` without one."""
    number, before = (last.number + 1, last.hash) if last else (1, digest(known.rstrip(b"\n")))
    whole = printable_json({**entry, "number": number, "before": before}).encode()
    link = Link(number, before, digest(whole))
    return link, whole[:-1] + MARK + link.hash.encode() + b'"}\n'


def link_of(line: bytes) -> Link | None:
    """Place of the entry on `line`, None where it has none."""
    body, _, tail = line.rpartition(MARK)
    found = END.fullmatch(tail)
    if not found:
        return None
    try:
        raw = json.loads(body + b"}")
        number, before = int(raw["number"]), str(raw["before"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    claimed = found[1].decode()
    return Link(number, before, claimed, claimed == digest(body + b"}"))


def last_link(known: bytes) -> Link | None:
    """Place of the last entry that has one."""
    lines = reversed(known.split(b"\n"))
    return next((link for line in lines if (link := link_of(line))), None)
