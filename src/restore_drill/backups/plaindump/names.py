"""Names in SQL text: quoted or not, qualified or not. Nothing else takes a name's quotes away."""

from __future__ import annotations

import re

from restore_drill.core.names import joined

NAME = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[\w\x80-\xff$]++)'
"""Nothing that it has read is given back, so that no text is ever tried in several ways.

`|(?!)` at the end of what is repeated: see `core/patterns.py`.
"""
QUALIFIED = NAME + rb"(?:\." + NAME + rb"|(?!))*+"
COLUMNS = rb'\([^()"]*+(?:"[^"]*+"[^()"]*+|(?!))*+\)'
PART = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"|([\w\x80-\xff$]++)')
CONNECT = re.compile(rb'\\connect\s+(?:-reuse-previous=\w+\s+)?("[^"]*+(?:""[^"]*+)*+"|\S++)')
DBNAME = re.compile(r"dbname\s*=\s*(?:'((?:[^'\\]|\\.)*+)'|(\S*+))")


def parts(name: bytes) -> tuple[bytes, ...]:
    """Parts of a qualified name in SQL, without their quotes; of a list of names each of them."""
    return tuple(
        quoted.replace(b'""', b'"') if quoted or not bare else bare.lower()
        for quoted, bare in PART.findall(name)
    )


def texts(name: bytes) -> list[str]:
    """As `parts`, for a name in UTF-8, as texts."""
    return [part.decode("utf-8", "replace") for part in parts(name)]


def dotted(name: bytes) -> str:
    """Plain `schema.table` of a quoted or unquoted qualified name, as `joined` makes it.

    A name of one part comes as it is.
    """
    found = texts(name)
    return joined(*found) if found[1:] else "".join(found)


def split(name: bytes) -> tuple[str, str]:
    """Schema, empty where there is none, and name of a qualified `name` in SQL."""
    *schema, last = texts(name)
    return schema[-1] if schema else "", last


def full_name(name: bytes, default: str = "public") -> str:
    """`schema.name` of a `name` in SQL; one without schema is in the schema `default`."""
    schema, last = split(name)
    return joined(schema or default, last)


def schema_prefix(name: bytes) -> bytes:
    """What stands before the last part of a qualified `name` in SQL: `"my schema".` or nothing."""
    *_, last = PART.finditer(name)
    return name[: last.start()]


def one_line(name: str) -> str:
    r"""A name as pg_dump's comments have it: with a blank for each `\n` and `\r`."""
    return name.replace("\n", " ").replace("\r", " ")


def unquoted(tag: str) -> str:
    """A tag without its quotation marks: with --quote-all-identifiers there are more of them."""
    return tag.replace('"', "")


def connected_database(command: bytes) -> str:
    r"""Database that pg_dump's meta-command `\connect ...`, in UTF-8, changes to.

    A name with special characters stands in a connection string:
    `\connect -reuse-previous=on "dbname='my db'"`.
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
