"""What a database is, as far as two of them can be compared: pg_dump's text, catalog, facts."""

from __future__ import annotations

import difflib
import hashlib
import re
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.servers.model import Target
from tests.helpers.shop import quiet

CATALOG = """
WITH own AS (
    SELECT c.oid::regclass::text AS name, c.* FROM pg_class c
    WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,
        'pg_toast'::regnamespace)
)
SELECT 'relation', name, concat_ws(' ', relkind, relpersistence, relrowsecurity,
    relforcerowsecurity, relispopulated, relreplident,
    relispartition, relchecks, relnatts, reltoastrelid <> 0, relacl::text, reloptions::text,
    relowner::regrole) FROM own
UNION ALL SELECT 'index', own.name, concat_ws(' ', indrelid::regclass, indisunique, indisprimary,
    indisexclusion, indimmediate, indisclustered, indisvalid, indcheckxmin, indisready, indislive,
    indisreplident) FROM pg_index JOIN own ON own.oid = indexrelid
UNION ALL SELECT 'constraint', conname, concat_ws(' ', conrelid::regclass, contype, condeferrable,
    condeferred, convalidated, contype = 'n' OR conislocal, coninhcount, connoinherit,
    conindid::regclass)
    FROM pg_constraint WHERE conrelid IN (SELECT oid FROM own) OR contypid >= 16384
UNION ALL SELECT 'column', own.name || '.' || attnum, concat_ws(' ', attname, atthasdef,
    attidentity, attgenerated, attisdropped, attislocal, attinhcount, attnotnull, attstorage,
    attcompression, attoptions::text, attacl::text)
    FROM pg_attribute JOIN own ON own.oid = attrelid WHERE attnum > 0
UNION ALL SELECT 'triggers', tgrelid::regclass::text, concat_ws(' ', tgenabled, tgisinternal,
    tgtype, tgdeferrable, tginitdeferred, count(*)) FROM pg_trigger
    GROUP BY tgrelid, tgenabled, tgisinternal, tgtype, tgdeferrable, tginitdeferred
UNION ALL SELECT 'dependencies', classid::regclass::text || ' on ' || refclassid::regclass,
    concat_ws(' ', deptype, count(*)) FROM pg_depend
    WHERE objid >= 16384 GROUP BY classid, refclassid, deptype
UNION ALL SELECT 'large object', oid::text, concat_ws(' ', lomowner::regrole, lomacl::text)
    FROM pg_largeobject_metadata
UNION ALL SELECT 'settings', setrole::regrole::text, setconfig::text FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL SELECT 'schema', nspname, '' FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
UNION ALL SELECT 'prepared', gid, '' FROM pg_prepared_xacts WHERE database = current_database()
ORDER BY 1, 2, 3
"""
"""What pg_dump does not write, and a restore might leave behind or forget.

Hints like relhastriggers are left out, which stay where a trigger was dropped. So is whether a
NOT NULL is a partition's own too: it is one with a key that is made of an index, in 18, and nothing
but DETACH would ever show it.
"""


@dataclass(frozen=True)
class State:
    """What a database is: lines of a dump with sorted rows, its catalog and fingerprint.

    `rows` are the rows of each table by the statement that copies them; the fingerprint is None
    where nobody asked for it.
    """

    lines: list[bytes] = field(repr=False)
    rows: dict[bytes, list[bytes]] = field(repr=False)
    catalog: list[str] = field(repr=False)
    fingerprint: dict[str, Any] | None = field(default=None, repr=False)

    @cached_property
    def digest(self) -> str:
        """Of all but the fingerprint."""
        whole = [*self.lines, *(row for name in sorted(self.rows) for row in self.rows[name])]
        return hashlib.sha256(b"\n".join(whole) + repr(self.catalog).encode()).hexdigest()


THROUGH_ROOT = b"-- load via partition root "
RESTRICT = re.compile(rb"\\(?:un)?restrict \w{63}")
"""What is another one in each dump."""


def dump_of(target: Target) -> bytes:
    """A new dump of `target`, in UTF8."""
    return subprocess.run(
        [target.binaries.tool("pg_dump"), "--no-password", "--encoding=UTF8"],
        env=target.tool_environment,
        check=True,
        capture_output=True,
    ).stdout


def apart(dump: bytes) -> tuple[list[bytes], dict[bytes, list[bytes]]]:
    """Lines of a dump without its rows, and the rows of each of its COPY statements, sorted."""
    lines: list[bytes] = []
    rows: dict[bytes, list[bytes]] = {}
    copying: list[bytes] | None = None
    for line in dump.split(b"\n"):
        if RESTRICT.fullmatch(line):  # may stand behind a comment that looks like a COPY
            continue
        if copying is not None:
            if line == b"\\.":
                copying.sort()
                copying = None
            else:
                copying.append(line)
        else:
            lines.append(line)
            if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;"):
                copying = rows.setdefault(line, [])
    return lines, rows


def catalog_of(target: Target) -> list[str]:
    """Rows of CATALOG."""
    with target.connect_read_only() as connection:
        return [" ".join(map(str, row)) for row in connection.execute(CATALOG.encode())]


def state_of(target: Target, *, fingerprint: bool = False) -> State:
    """What `target` is, with its `fingerprint` where asked for."""
    lines, rows = apart(dump_of(target))
    prints = print_of(target, lines) if fingerprint else None
    return State(lines, rows, catalog_of(target), prints)


def print_of(target: Target, lines: list[bytes]) -> dict[str, Any]:
    """The fingerprint of `target`, whose dump has `lines`.

    Rows that pg_dump loads through the root of their partition are those of the root: which
    partition takes them is another one in each database.
    """
    found = read_fingerprint(target, 1, quiet)
    prints = found.as_json()
    roots = {line.removeprefix(THROUGH_ROOT).decode() for line in lines if THROUGH_ROOT in line}
    for root in roots & found.partitions.keys():
        for leaf in found.partitions[root]:
            del prints["tables"][leaf]
        prints["tables"][root] = [found.all_tables[root].rows, found.all_tables[root].content]
    return prints


def lasting(prints: dict[str, Any]) -> dict[str, Any]:
    """A fingerprint without what a dump of one database does not bring back as it was.

    A restore fills materialised views anew, and settings of the database come with --create alone.
    """
    tables = prints["tables"].items()
    kept = {name: each for name, each in tables if "is_refreshed" not in each}
    return {key: each for key, each in prints.items() if key != "settings"} | {"tables": kept}


def differences(was: State, now: State, *, unstable: frozenset[bytes] = frozenset()) -> list[str]:
    """How `now` differs from `was`, some lines of each kind; empty where they are equal.

    Of the tables that are `unstable` only the number of rows counts.
    """
    if was.digest == now.digest and was.fingerprint == now.fingerprint:
        return []
    found = [*delta(was.lines, now.lines), *delta(was.catalog, now.catalog)]
    for name in sorted(was.rows.keys() | now.rows.keys()):
        before, after = was.rows.get(name, []), now.rows.get(name, [])
        if name in unstable:
            before, after = [b"rows"] * len(before), [b"rows"] * len(after)
        if before != after:
            counts = f"{len(before)} rows, now {len(after)}"
            found += [f"{name.decode()[:60]}: {counts}", *delta(before, after)]
    if not unstable and was.fingerprint and now.fingerprint:
        for key in was.fingerprint.keys() | now.fingerprint.keys():
            if was.fingerprint.get(key) != now.fingerprint.get(key):
                found.append(f"fingerprint of {key}")
    return found


def delta(was: list[bytes] | list[str], now: list[bytes] | list[str], most: int = 4) -> list[str]:
    """The first `most` lines that differ, with `-` and `+`."""
    if was == now:
        return []
    lost, added = list(was), list(now)
    if len(lost) + len(added) > 20_000:
        lost, added = [*set(was).difference(now)], [*set(now).difference(was)]
    before, after = ([str(each)[:150] for each in side] for side in (lost, added))
    marked = difflib.unified_diff(before, after, lineterm="", n=0)
    changed = [each for each in marked if each[:1] in "+-" and each[:3] not in ("+++", "---")]
    return changed[:most] or ["the same lines in another order, or another number of times"]
