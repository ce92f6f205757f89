"""The entries of a plain dump: what pg_dump's comments say of the statements below them."""

from __future__ import annotations

from sys import intern

from restore_drill.backups.model import Entry
from restore_drill.backups.plaindump.codec import UTF8
from restore_drill.backups.plaindump.statements import LARGE_OBJECT, SETVAL

IN_PLACE = {
    "SEQUENCE SET": SETVAL,
    "BLOB": LARGE_OBJECT,
    "BLOBS": LARGE_OBJECT,
    "BLOB METADATA": LARGE_OBJECT,
}
"""Kinds that touch no table, with what their statements look like: run where they stand."""

DEFERRABLE = {
    "STATISTICS", "RULE", "TRIGGER", "POLICY", "ROW SECURITY", "COMMENT", "ACL", "DEFAULT ACL",
    "SECURITY LABEL", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA",
    "CHECK CONSTRAINT",
}  # fmt: skip
"""Kinds in the post-data section that indexes and keys neither need nor change."""

VIEW_DATA = "MATERIALIZED VIEW DATA"
STATISTICS_DATA = "STATISTICS DATA"
"""What the planner knows of a table or index, by pg_dump --statistics; whoever analyses it anew
makes that anew."""

POST_DATA = {"CONSTRAINT", "INDEX", "INDEX ATTACH", "FK CONSTRAINT", *DEFERRABLE} - {
    "COMMENT", "ACL", "DEFAULT ACL", "SECURITY LABEL", "CHECK CONSTRAINT",
}  # fmt: skip
"""Kinds that stand in the post-data section alone, and so begin it where there is no data."""


def entry_of(comment: bytes, codec: str = UTF8) -> Entry | None:
    """Entry whose `comment` is `Name: x; Type: TABLE; Schema: y; Owner: z[; ...]`.

    `Data for` or `Statistics for` may stand before it. None where it is any other comment. A name
    may hold all of that itself, so that its end is looked for first from behind, and no comment is
    read twice.
    """
    rest = comment.removeprefix(b"Data for ").removeprefix(b"Statistics for ")
    if not rest.startswith(b"Name: "):
        return None
    name, is_typed, rest_of = rest.removeprefix(b"Name: ").rpartition(b"; Type: ")
    kind, has_schema, rest_of = rest_of.partition(b"; Schema: ")
    schema, has_owner, owner = rest_of.partition(b"; Owner:")
    if not (is_typed and has_schema and has_owner):
        return None
    if kind == b"TABLE" and len(rest) < len(comment):
        kind = b"TABLE DATA"  # pg_dump before 8.0 says the same of a table and of its rows
    owner = owner.removeprefix(b" ").partition(b"; ")[0]
    found = (kind, schema, name, b"" if owner == b"-" else owner)
    # Each of these texts comes many times, in the head and in the contents of a dump: kept once.
    return Entry(*(intern(part.decode(codec, "replace")) for part in found))
