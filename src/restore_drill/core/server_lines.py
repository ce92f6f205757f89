"""Errors of a server in the output of pg_dump and pg_restore, which leave the SQLSTATE out.

Known messages are recognised by their English shape; what has none of these is not shown at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from restore_drill.core.patterns import late
from restore_drill.core.server_error import FIELDS, OWN_DAMAGE, UNKNOWN, ServerError

N = '"[^"]*"'
TABLE, COLUMN = '"(?P<table>[^"]*)"', '"(?P<column>[^"]*)"'
CONSTRAINT = '"(?P<constraint>[^"]*)"'
SHAPES = tuple(
    (late(shape), sqlstate, source)
    for shape, sqlstate, source in (
        (rf"relation {N} does not exist", "42P01", "namespace.c"),
        (rf"column .+ (?:of relation {N} )?does not exist", "42703", "parse_relation.c"),
        (rf"could not find function {N} in file {N}", "42883", "dfmgr.c"),
        (r"(?:function|procedure|aggregate) .+ does not exist", "42883", "parse_func.c"),
        (r"operator does not exist: .+|operator .+ does not exist", "42883", "parse_oper.c"),
        (rf"type {N} does not exist", "42704", "parse_type.c"),
        (rf"role {N} does not exist", "42704", "acl.c"),
        (rf"unrecognized configuration parameter {N}", "42704", "guc.c"),
        (rf"schema {N} does not exist", "3F000", "namespace.c"),
        (rf"[a-z -]+ {N}(?: [a-z]+ [a-z]+ {N})? does not exist", "42704", "objectaddress.c"),
        (rf"extension {N} is not available", "0A000", "extension.c"),
        (rf"could not open extension control file {N}: .+", "58P01", "extension.c"),
        (rf"could not (?:access|load) (?:file|library) {N}: .+", "58P01", "dfmgr.c"),
        (r"permission denied .+|must be (?:owner|superuser|member|able) .+", "42501", "aclchk.c"),
        (r"query would be affected by row-level security policy for table .+", "42501", "rls.c"),
        (rf"relation {N} already exists", "42P07", "heap.c"),
        (rf"schema {N} already exists", "42P06", "pg_namespace.c"),
        (rf"function {N} already exists with same argument types", "42723", "pg_proc.c"),
        (rf"[a-z -]+ {N}(?: for relation {N})? already exists", "42710", "tablecmds.c"),
        (rf"multiple primary keys for table {N} are not allowed", "42P16", "tablecmds.c"),
        (rf"there is no unique constraint matching given keys for referenced table {N}",
         "42830", "tablecmds.c"),
        (rf"insert or update on table {TABLE} violates foreign key constraint {CONSTRAINT}",
         "23503", "ri_triggers.c"),
        (rf"duplicate key value violates unique constraint {CONSTRAINT}", "23505", "nbtinsert.c"),
        (rf"could not create unique index {CONSTRAINT}", "23505", "tuplesort.c"),
        (rf"new row for relation {TABLE} violates check constraint {CONSTRAINT}",
         "23514", "execMain.c"),
        (rf"check constraint {CONSTRAINT} of relation {TABLE} is violated by some row",
         "23514", "tablecmds.c"),
        (rf"new row for relation {TABLE} violates partition constraint", "23514", "execMain.c"),
        (rf"no partition of relation {TABLE} found for row", "23514", "execPartition.c"),
        (rf"value for domain \S+ violates check constraint {CONSTRAINT}",
         "23514", "execExprInterp.c"),
        (rf"null value in column {COLUMN} of relation {TABLE} violates not-null constraint",
         "23502", "execMain.c"),
        (rf"(?:conflicting key value violates|could not create) exclusion constraint {CONSTRAINT}",
         "23P01", "execIndexing.c"),
        (r"invalid page in block .+|missing chunk number .+|could not read block .+", "XX001",
         "bufmgr.c"),
        (r"invalid byte sequence for encoding .+", "22021", ""),
        (r"character with byte sequence .+", "22P05", ""),
        (r"missing data for column .+|extra data after last expected column", "22P04", ""),
        (r"literal .+ found in data|end-of-copy marker .+|unexpected .+ file", "22P04", ""),
        (r"value too long for type .+", "22001", ""),
        (r"(?:value|integer|bigint|smallint|numeric).* out of range.*|numeric field overflow",
         "22003", ""),
        (r"date/time field value out of range.*|timestamp out of range.*", "22008", ""),
        (r"(?:invalid|malformed) .+", "22P02", ""),
        (r"(?:syntax error|unterminated|zero-length) .+", "42601", ""),
        (r"could not (?:extend|write|create|read|open).*: (?:No space left|Disk quota) .+",
         "53100", "md.c"),
        (rf"could not open file {N}: .+", "58P01", "md.c"),
        (r"could not (?:extend|write|create|read|open).*: .+", "58030", "md.c"),
        (r"out of (?:shared )?memory", "53200", "mcxt.c"),
        (r"canceling statement due to lock timeout", "55P03", "postgres.c"),
        (rf"could not obtain lock on relation {N}", "55P03", "namespace.c"),
        (r"canceling statement due to .+", "57014", "postgres.c"),
        (r"terminating connection .+|the database system is .+", "57P01", "postgres.c"),
        (r"deadlock detected", "40P01", "deadlock.c"),
        (r"cache lookup failed for .+", "XX000", ""),
    )
)  # fmt: skip
CONNECTION = re.compile(
    r"connection to server|server closed the connection|SSL |could not (?:connect|receive|send)|"
    r"no connection to the server"
)
SERVER = re.compile(r"(?:^|.*?: )(?:ERROR|FATAL|PANIC):\s+(.*)")
UNTOLD = "an error whose message is not shown, because it may contain row data"
COMMAND = re.compile(r"(?:COPY|LOCK TABLE) .*")


DAMAGE = re.compile(
    rf"SQLSTATE (?:{'|'.join(OWN_DAMAGE)})|could not open file \"(?:base|global|pg_tblspc)/"
)
"""A file of a table that is not there is damage too."""


def names_damage(lines: Iterable[str]) -> bool:
    """Whether one of `lines` shows that something on the disk is not what was written."""
    return any(DAMAGE.search(line) for line in lines)


def error_in_line(message: str) -> ServerError:
    """Server's error in an English `message`; one without a known shape is UNKNOWN."""
    message = message.strip()
    if CONNECTION.match(message):
        return ServerError("", message)
    for shape, sqlstate, source in SHAPES:
        found = shape.fullmatch(message)
        if found:
            fields = tuple((k, v) for k, v in found.groupdict().items() if k in FIELDS)
            return ServerError(sqlstate, message, fields, source)
    return ServerError(UNKNOWN, UNTOLD)


def safe_line(message: str, known: str = "") -> str:
    """The server's error `message` without row data; `known` as in `ServerError.text`."""
    return error_in_line(message).text(known)


def safe_lines(lines: Iterable[str]) -> list[str]:
    """The output of a client tool, without row data: its own words, and the server's if known.

    What follows on further lines (details, contexts, queries) is left out.
    """
    lines = [line for line in lines if re.match(r"pg_\w+: ", line)]
    known = " ".join(lines[n] for n in range(len(lines)) if COMMAND.search(lines[n]))
    found = []
    for line in lines:
        server = SERVER.match(line)
        if server and not CONNECTION.search(line):
            head = re.sub(r"\s*(?:ERROR|FATAL|PANIC):\s*$", "", line[: server.start(1)])
            found.append(f"{head} {safe_line(server[1], known)}")
        elif "Command was:" not in line:
            found.append(line.strip())
        elif command := COMMAND.search(line):
            found.append(f"{line[: command.start()]}{command[0]}")
    return found
