"""Errors that follow from an earlier one: what could not be made is missing later on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from restore_drill.backups.plaindump import names
from restore_drill.backups.plaindump.statements import (
    CONSTRAINT,
    FOREIGN_KEY,
    filled_table,
    pattern,
)
from restore_drill.core.patterns import late
from restore_drill.core.units import show_count
from restore_drill.restore.model import Restoration, RestoreError

MISSING = frozenset("42P01 42P02 42703 42704 42883 3F000 42830 55000".split())  # noqa: SIM905
"""SQLSTATEs of what lacks something."""
CREATES = pattern(
    rb"CREATE (?:OR REPLACE )?(?:(?:UNLOGGED|UNIQUE|MATERIALIZED|RECURSIVE|TRUSTED|PROCEDURAL) )*"
    rb"(?P<kind>FOREIGN TABLE|FOREIGN DATA WRAPPER|TEXT SEARCH \w+|OPERATOR (?:CLASS|FAMILY)|"
    rb"ACCESS METHOD|[A-Z]+) (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(?P<name><Q>)"
)
NAME, QUALIFIED = names.NAME.decode(), names.QUALIFIED.decode()
MENTIONS = late(
    rf'"(?P<quoted>[^"]*)"|[»„«](?P<other>[^«»“”]*)[«»“”]|(?P<bare>{QUALIFIED})\(|'
    rf"(?P<dotted>{NAME}\.{NAME})"
)


class Object(NamedTuple):
    """Something of the schema: `kind` as in CREATE, or KEY or ROWS of the table `name`."""

    kind: str
    schema: str
    name: str


def object_of(kind: str, name: bytes) -> Object:
    """Object with a `name` as it is written in SQL."""
    return Object(kind, *names.split(name))


def lost_with(statement: str) -> Iterator[Object]:
    """What is not there where the `statement` has failed."""
    sql = statement.encode()
    if created := CREATES.match(sql):
        yield object_of(created["kind"].decode(), created["name"])
        if created["kind"] == b"TABLE":
            yield object_of("ROWS", created["name"])
    elif key := CONSTRAINT.match(sql):
        yield object_of("KEY", key["table"])
        yield object_of("INDEX", key["name"])
    elif filled := filled_table(sql):
        yield object_of("ROWS", filled)


def mentioned(message: str) -> set[Object]:
    """What a message may name; for judging alone. It writes names without quotes of their own."""
    named = set()
    for found in MENTIONS.finditer(message):
        text = (found[found.lastgroup or 0] or "").replace('"', "")
        schema, _, name = text.rpartition(".")
        named |= {Object("", schema, name), Object("", "", text)}
    return named


def is_of(lost: Object, error: RestoreError, defined: Collection[str]) -> bool:
    """Whether `error` follows from it that `lost` is not there.

    What no entry of the dump defines comes from its extensions.
    """
    state = error.error.sqlstate
    if lost.kind == "ROWS":
        key = FOREIGN_KEY.match(error.sql.encode())
        target = object_of("ROWS", key["parent"]) if key else None
        return state == "23503" and target == lost
    if state not in MISSING:
        return False
    named = mentioned(error.error.message)
    if lost.kind == "EXTENSION" and not any(each.name in defined for each in named):
        return True
    same = any(
        each.name == lost.name
        and (not each.schema or not lost.schema or each.schema == lost.schema)
        for each in named
    )
    return same and (lost.kind != "KEY" or state == "42830")


@dataclass
class Finding:
    """An error of its own, and how many others follow from it."""

    error: RestoreError
    followers: int = 0

    def lines(self) -> list[str]:
        """The error in lines for a person."""
        lines = self.error.lines()
        if self.followers:
            lines.append(f"  consequences: {show_count(self.followers, 'further error')}")
        return lines


def counted(findings: list[Finding]) -> str:
    """`1 error, from which 11 more follow`."""
    followers = sum(each.followers for each in findings)
    text = show_count(len(findings), "error")
    return text + (f" (and {followers:,} more as a consequence)" if followers else "")


def by_cause(restoration: Restoration) -> list[Finding]:
    """Errors of their own in the dump's order, each with how many others follow from it."""
    lost: list[tuple[Object, Finding]] = []
    findings: list[Finding] = []
    for error in restoration.errors:
        causes = (found for each, found in lost if is_of(each, error, restoration.defined))
        cause = next(causes, None)
        if cause is None:
            cause = Finding(error)
            findings.append(cause)
        else:
            cause.followers += 1
        lost += [(each, cause) for each in lost_with(error.sql)]
    return findings
