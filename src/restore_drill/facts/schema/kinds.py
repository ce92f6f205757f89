"""The schema, object by object: which kinds there are, and how their definitions are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from restore_drill.core.names import apart
from restore_drill.facts.schema.definition import fingerprint, words_of
from restore_drill.facts.schema.options import with_options
from restore_drill.facts.session import Connection

OWN = re.compile(r"OWN\((\w+), ([\w.]+)\)")
OWN_CONDITION = r"""(\2 >= 16384 AND NOT EXISTS (
    SELECT 1 FROM pg_depend member WHERE member.classid = '\1'::regclass
        AND member.objid = \2 AND (member.deptype = 'e'
            OR (member.refclassid = 'pg_namespace'::regclass AND member.refobjid IN (
                SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp')))))"""
"""An object that a user has made, and no extension, and that outlives its session."""
TEMPORARY = re.compile(r"TEMPORARY\((\w+)\)")
TEMPORARY_CONDITION = r"""(coalesce(\1.schema, '') ~ '^pg_(toast_)?temp'
    OR (\1.schema IS NULL AND \1.identity ~ '[ (]pg_temp_[0-9]+[.]'))"""
"""An identified object of some session's own, the drill's too; the server names the schema of a
trigger, a rule, a policy and a cast only within the identity."""
DUMPED = re.compile(r"DUMPED\(([^,()]+), ([\w.]+)\)")
DUMPED_CONDITION = r"""(\1 NOT IN ('pg_proc'::regclass, 'pg_type'::regclass,
    'pg_rewrite'::regclass) OR NOT EXISTS (SELECT 1 FROM pg_depend whole
        WHERE whole.classid = \1 AND whole.objid = \2 AND whole.deptype = 'i'))"""
"""An object for which pg_dump has an entry. The server makes a range's constructors, the types of
rows, arrays and multiranges and a view's rule with the object that they are part of: what is
granted or commented there no dump holds, and their owner is the server's first superuser."""


class Kind(NamedTuple):
    """A kind of object; its query gives each one's name, then the parts of its definition.

    Parts in columns called `expr...` are deparsed expressions. `of_dialect`: the text depends on
    the major version, see `same_dialect`. `since` and `until` are the majors that know the query.
    `revision` is raised with each change of what a fingerprint holds: of a manifest of another one
    only the names are compared, and those only from the revision `names_since` on, with which it
    was last changed which objects have one.
    """

    name: str
    query: str
    of_dialect: bool = False
    since: int = 0
    until: int = 99
    revision: int = 1
    names_since: int = 1


Parts = dict[str, list[Any]]
"""By name the parts of each object's definition."""


def read_parts(
    connection: Connection, kinds: tuple[Kind, ...], *, major: int, as_major: int
) -> Iterator[tuple[str, Parts]]:
    """Each kind that has objects with the parts of their definitions; deparsed are `Expression`s.

    One by one, since those of all kinds take much memory.

    `as_major` leaves out what that older major did not know: the privilege MAINTAIN below 17.
    """
    for kind in kinds:
        if not kind.since <= major <= kind.until:
            continue
        query = DUMPED.sub(DUMPED_CONDITION, OWN.sub(OWN_CONDITION, apart(kind.query)))
        query = with_options(TEMPORARY.sub(TEMPORARY_CONDITION, query))
        query = query.replace("PRIVILEGES", "TRUE" if as_major >= 17 else NO_MAINTAIN)
        cursor = connection.execute(query.encode())
        columns = [column.name for column in cursor.description or ()][1:]
        objects: Parts = {}
        for name, *parts in cursor:
            objects[name] = [
                Expression(part) if part is not None and column.startswith("expr") else part
                for column, part in zip(columns, parts, strict=True)
            ]
        if objects:
            yield kind.name, objects


def fingerprints(objects: Parts) -> dict[str, str]:
    """Fingerprint of each definition."""
    return {name: fingerprint(list(map(words_in, parts))) for name, parts in objects.items()}


class Expression(str):
    """A deparsed expression: two are equal where their words are."""

    __slots__ = ()


def words_in(part: Any) -> Any:
    """Words of an expression; any other part as it is."""
    return words_of(part) if isinstance(part, Expression) else part


NO_MAINTAIN = "x.privilege_type <> 'MAINTAIN'"
