"""Names in SQL text: quoted or not, qualified or not."""

from __future__ import annotations

import re

from restore_drill.core.names import joined

NAME = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[\w\x80-\xff$]++)'
"""Nothing that it has read is given back, so that no text is ever tried in several ways."""
COPY_TARGET = re.compile(
    rb"copy\s+(?:only\s+)?(" + NAME + rb"(?:\." + NAME + rb")*)", re.IGNORECASE
)
PART = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"|([\w\x80-\xff$]++)')
CONNECT = re.compile(rb'\\connect\s+(?:-reuse-previous=\w+\s+)?("[^"]*+(?:""[^"]*+)*+"|\S++)')
DBNAME = re.compile(r"dbname\s*=\s*(?:'((?:[^'\\]|\\.)*+)'|(\S*+))")


def copy_table(sql: bytes) -> bytes:
    """Table of a COPY statement, as it stands there."""
    target = COPY_TARGET.match(sql)
    return target.group(1) if target else b'"an unknown table"'


def dotted(name: bytes) -> str:
    """Plain `schema.table` of a quoted or unquoted qualified name, as `joined` makes it.

    A name of one part comes as it is.
    """
    found = [part.decode("utf-8", "replace") for part in sql_parts(name)]
    return joined(*found) if found[1:] else "".join(found)


def sql_parts(name: bytes) -> tuple[bytes, ...]:
    """Parts of a qualified name in SQL, without their quotes."""
    return tuple(
        quoted.replace(b'""', b'"') if quoted or not bare else bare.lower()
        for quoted, bare in PART.findall(name)
    )


def one_line(name: str) -> str:
    r"""A name as pg_dump's comments have it: with a blank for each `\n` and `\r`."""
    return name.replace("\n", " ").replace("\r", " ")


def unquoted(tag: str) -> str:
    """A tag without its quotation marks: with --quote-all-identifiers there are more of them."""
    return tag.replace('"', "")


def connected_database(command: bytes) -> str:
    r"""Database that pg_dump's meta-command `\connect ...`, in UTF-8, changes to.

    An odd name stands in a connection string: `\connect -reuse-previous=on "dbname='my db'"`.
    """
    found = CONNECT.match(command)
    if not found:
        return ""
    quoted = found.group(1)
    name = dotted(quoted) if quoted.startswith(b'"') else quoted.decode("utf-8", "replace")
    string = DBNAME.fullmatch(name)
    if not string:
        return name
    return string[2] or re.sub(r"\\(.)", r"\1", string[1])
