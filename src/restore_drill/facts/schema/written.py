"""What pg_dump writes of each object: what decides whether a definition that differs was lost.

A catalog may hold more than a dump can carry: what a later minor version, a fork or a managed
platform keeps there. Where pg_dump writes the same of an object on both sides, such a difference is
no loss. So a manifest holds fingerprints of the statements of `pg_dump --schema-only`: of all of
them, and by object of those that name it. A statement counts for each object whose name stands in
it, in its strings not; that may be one too many, which only makes a difference count.

Statements are compared by their words, without what a restore writes otherwise (`definition.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple

from restore_drill.backups.plaindump.events import Cut, Event, Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.core.json_values import text, whole
from restore_drill.core.names import joined, part_of
from restore_drill.facts.schema.casts import CAST, NAME
from restore_drill.facts.schema.definition import meaning

WORDS = rf"'[^']*+(?:''[^']*+)*+'|{CAST}|\s+|{NAME}(?:\.{NAME}|(?!))*+|."
PLAIN = re.compile(WORDS, re.DOTALL)
WITH_BODIES = re.compile(rf"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|{WORDS}", re.DOTALL)
"""The same where bodies stand in dollars, which is slower."""
PARTS = re.compile(NAME)
SETTING = re.compile(r"(?:RE)?SET (default_\w+|SESSION AUTHORIZATION|ROLE)\b")
"""What changes the meaning of the statements behind it."""
WITH_SECRETS = re.compile(r"CREATE (?:USER MAPPING|SUBSCRIPTION) ")
"""Strings in these may be passwords, of which not even a hash is taken."""
QUALIFIED = frozenset({
    "table", "partition", "column", "order of the columns of", "default of", "constraint", "index",
    "statistics object", "row security of", "policy", "replica identity of", "sequence",
    "foreign table", "view", "materialized view", "rule", "trigger", "special state of trigger",
    "type", "details of type", "function", "body of function", "text search dictionary",
    "text search configuration", "collation",
})  # fmt: skip
"""Kinds whose names begin with a schema and what lies in it; of the others all statements count."""
NAME_ENDS = re.compile(r"[.(]|$")
SUMS = 2**64
REVISION = 3
"""Raised with each change of what is compared of a statement."""
Names = list[list[str]]
"""Names in a statement by their parts, without quotes: `s.t` is `["s", "t"]`."""


class Digested(NamedTuple):
    """A statement: the hash of its words, and the names in it."""

    hash: int
    names: Names


@dataclass(frozen=True)
class Written:
    """What a pg_dump of the version `major` writes: fingerprints in `total`, and by object."""

    major: int
    total: str
    objects: dict[str, str] = field(default_factory=dict)

    def says_the_same(self, other: Written, kind: str, name: str) -> bool:
        """Whether both pg_dumps say the same of an object; False where nobody knows."""
        if self.major != other.major:
            return False
        if self.total == other.total:
            return True
        keys = keys_of(kind, name)
        mine, theirs = ({key: each[key] for key in keys if key in each} for each in
                        (self.objects, other.objects))  # fmt: skip
        return bool(mine) and mine == theirs

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        return {
            "pg_dump": self.major,
            "revision": REVISION,
            "total": self.total,
            "objects": self.objects,
        }


def written_from(raw: Any) -> Written | None:
    """What `as_json` gave; KeyError, TypeError or AttributeError for any other shape.

    None for what another version of the drill has read otherwise.
    """
    if raw is None or raw.get("revision") != REVISION:
        return None
    objects = {text(name): text(value) for name, value in raw["objects"].items()}
    return Written(whole(raw["pg_dump"]), text(raw["total"]), objects)


def read_statements(dump: bytes) -> list[Digested] | None:
    """Statements of a `dump` of the schema, in UTF-8; None where it cannot be read to its end."""
    events = list(PlainReader(BytesIO(dump)).events())
    if any(isinstance(event, Cut) for event in events):
        return None
    return list(taken_apart(events))


def written_in(
    statements: list[Digested], major: int, schema: dict[str, dict[str, str]]
) -> Written:
    """What a pg_dump of that `major` says in `statements` of the objects of `schema`.

    These are names by kind, as a fingerprint holds them.
    """
    known = {key for kind, found in schema.items() for name in found for key in keys_of(kind, name)}
    schemas = {key[: end.start()] for key in known for end in NAME_ENDS.finditer(key)}
    objects = dict.fromkeys(known, 0)
    for each in statements:
        for key in qualified(each.names, schemas) & known:
            objects[key] += each.hash
    named = {key: as_hex(value) for key, value in sorted(objects.items()) if value}
    return Written(major, as_hex(sum(each.hash for each in statements)), named)


def keys_of(kind: str, name: str) -> set[str]:
    """Names of what an object may belong to: of `a.b.c` both `a.b` and `a.b.c`.

    All of them count, whatever of them is the object's own.
    """
    if kind not in QUALIFIED:
        return set()
    return {key for end in NAME_ENDS.finditer(name) if "." in (key := name[: end.start()])}


def taken_apart(events: Iterable[Event]) -> Iterator[Digested]:
    """Each statement among `events`, hashed with the settings in force."""
    settings: dict[str, str] = {}
    for event in events:
        if not isinstance(event, Statement):
            continue
        sql = event.sql.decode("utf-8", "surrogateescape")
        if setting := SETTING.match(sql):
            settings[setting[1]] = "" if sql.startswith("RESET") else sql
            continue
        words, names = words_and_names(sql)
        counted = "\n".join([*filter(None, settings.values()), *words])
        digest = hashlib.sha256(counted.encode("utf-8", "surrogateescape")).digest()
        yield Digested(int.from_bytes(digest[:8], "big"), names)


def words_and_names(sql: str) -> tuple[list[str], Names]:
    """Words of a statement that are compared, and the names in it."""
    if "$" in sql:
        tokens = [token.group() for token in WITH_BODIES.finditer(sql)]
    else:
        tokens = PLAIN.findall(sql)
    words = [each for each in tokens if not each.isspace()]
    names = {each for each in words if each[0] in '"_' or each[0].isalnum()}
    if WITH_SECRETS.match(sql):
        words = [each for each in words if each[0] != "'"]
    return [*meaning(words)], [parts_of(each) for each in names]


def parts_of(name: str) -> list[str]:
    """Parts of a name as SQL has it, without quotes."""
    if '"' not in name:
        return name.split(".")
    return [p[1:-1].replace('""', '"') if p[0] == '"' else p for p in PARTS.findall(name)]


def qualified(names: Names, schemas: set[str]) -> set[str]:
    """All that those `names` of one statement can mean, qualified with one of `schemas`.

    The index in `CREATE INDEX i ON s.t` is `s.i`: a bare name may lie in each schema named there.
    """
    found = {joined(*each[:end]) for each in names for end in range(2, len(each) + 1)}
    bare = {part_of(part) for each in names for part in each}
    return found | {f"{schema}.{name}" for schema in schemas & bare for name in bare}


def as_hex(value: int) -> str:
    """A sum of hashes, as 16 hexadecimal digits."""
    return f"{value % SUMS:016x}"
