"""What pg_dump writes about large objects: read in runs, since there may be millions of them.

A run holds nothing else: what is in another form, or among other statements, is read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump.entries import entry_of
from restore_drill.backups.plaindump.events import LargeObjects, Statement
from restore_drill.core.patterns import late


def of_large_objects(text: bytes) -> bytes:
    """`text` of a regular expression, in which `<O>` is an object's number and `<W>` a role."""
    role = rb'(?:"[^"\n]*+(?:""[^"\n]*+)*+"|[\w\x80-\xff$]++)'
    return text.replace(b"<O>", rb"\d{1,10}").replace(b"<W>", role)


HEADED = (
    rb"--\n(?:-- TOC entry [^\n]*+\n(?:-- Dependencies: [^\n]*+\n|(?!))?+|(?!))?+"
    rb"-- (?:Data for )?+Name: "
)
START = re.compile(
    rb"\n*+(?:"
    + HEADED
    + rb"(?:\d++(?:\.\.\d++|(?!))?+;|BLOBS;|LARGE OBJECT)|SELECT pg_catalog\.lo|BEGIN;|COMMIT;"
    rb"|ALTER LARGE|COMMENT ON L|(?:GRANT|REVOKE)[A-Z, ]*? ON LARGE)"
)
"""How a run may begin, and nothing else that a row of any length may follow."""
HEADER = of_large_objects(
    HEADED + rb"(?:(?:LARGE OBJECTS? |(?!))?+<O>(?:\.\.<O>|(?!))?+|BLOBS)"
    rb"; Type: (?:BLOB|BLOBS|BLOB METADATA|ACL|COMMENT); Schema: -; Owner: [^\n;]*+\n--\n"
)
"""The comments above an entry; no owner's name in it hides another type."""
PIECE = of_large_objects(
    rb"SELECT pg_catalog\.(?:lo_create\('<O>'\)|lo_open\('<O>', 131072\)"
    rb"|lowrite\(0, '\\x[0-9a-f]*+'\)|lo_close\(0\));"
)
RULE = of_large_objects(
    rb"(?:ALTER LARGE OBJECT <O> OWNER TO <W>"
    rb"|COMMENT ON LARGE OBJECT <O> IS '[^'\\\n]*+(?:''[^'\\\n]*+)*+'"
    rb"|GRANT (?:ALL|SELECT|UPDATE|SELECT,UPDATE) ON LARGE OBJECT <O> TO <W>"
    rb"(?: WITH GRANT OPTION|(?!))?+"
    rb"|REVOKE (?:GRANT OPTION FOR |(?!))?+(?:ALL|SELECT|UPDATE|SELECT,UPDATE) ON LARGE OBJECT <O>"
    rb" FROM <W>);"
)
STATEMENT = rb"(?:" + PIECE + rb"|" + RULE + rb")"
RUN = late(
    rb"(?:\n|" + HEADER + rb"|(?!))*+(?:(?:BEGIN;\n\n*+|(?!))?+" + STATEMENT + rb"|COMMIT;)\n"
    rb"(?:\n|" + STATEMENT + rb"\n|(?:BEGIN|COMMIT);\n|" + HEADER + rb"|(?!))*+"
)  # fmt: skip
ENTRY = late(HEADER)
HEADING = re.compile(rb"-- ((?:Data for )?+Name: .*)")
PART = late(STATEMENT + rb"|(?:BEGIN|COMMIT);")
RULES = late(rb"^" + RULE, re.MULTILINE)
ABOUT = re.compile(rb"LARGE OBJECT (\d+)")
CREATED = re.compile(rb"lo_create\('(\d+)'\)")


def end_of_run(text: bytes, start: int, *, is_all: bool) -> int:
    """Index behind the run that begins at `start` of `text`, `start` itself where none does.

    Where `text` is not all there is, a run that reaches its end is cut before its last entry, if
    there are several: what belongs to one object stays together.
    """
    run = RUN.match(text, start)
    if run is None:
        return start
    end = run.end()
    last = text.rfind(b"\n--\n-- ", start, end) + 1
    if end < len(text) or is_all or not last or not PART.search(text, start, last):
        return end
    return last


def statements_of(run: LargeObjects) -> Iterator[Statement]:
    """The statements of a run, in order."""
    line, at = run.line, 0
    for found in PART.finditer(run.sql):
        line += run.sql.count(b"\n", at, found.start())
        at = found.start()
        yield Statement(line, found[0])


def headings_of(sql: bytes) -> list[bytes]:
    """The comments above the entries of a run, as `entry_of` reads them."""
    if b"--\n-- " not in sql:
        return []
    headers = (HEADING.search(each[0]) for each in ENTRY.finditer(sql))
    return [each[1] for each in headers if each]


def kind_behind(sql: bytes, kind: str) -> str:
    """Kind of the entry that a run ends in, where it begins in one of that `kind`."""
    last = entry_of((headings_of(sql) or [b""])[-1])
    return last.kind if last else kind


def rules_of(sql: bytes) -> list[bytes]:
    """The statements of a run on owners, comments and rights."""
    return [each[0] for each in RULES.finditer(sql)] if b" LARGE OBJECT " in sql else []


def kinds_of_rules(sql: bytes) -> list[bytes]:
    """As `rules_of`, as if all were about one object, and each but once."""
    kinds = (ABOUT.sub(b"LARGE OBJECT 0", each, count=1) for each in rules_of(sql))
    return list(dict.fromkeys(kinds))


def is_on_others(sql: bytes) -> bool:
    """Whether a run is about owners, comments or rights of objects that it does not create."""
    return bool({*ABOUT.findall(sql)} - {*CREATED.findall(sql)})
