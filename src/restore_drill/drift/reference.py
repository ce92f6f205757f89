"""The reference: a text file that a team commits, an object a line, read and written here.

    column "public.cards.title" {"type": "text", "not null": true}
    function "public.touch()" {"returns": "trigger", "language": "plpgsql"}
      body|BEGIN
      body|    RETURN NEW;

A text of several lines stands below its object, a line each, so that git shows which has changed.
It holds names and definitions, no rows, and nothing that looks like a password.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from restore_drill.core.access import why_closed
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import UsageError
from restore_drill.facts.schema.labels import LABELS, Definition
from restore_drill.facts.schema.model import DriftFacts, Measure, Objects, definition

HEADER = """\
# The objects of this database, written by `restore-drill reference`. Commit it, and write it again
# with each migration: every drill compares the backup with it. Remove what is not to be compared.
"""
LINE = re.compile(r'([a-z][a-z -]*) ("(?:[^"\\]|\\.)*") (.+)')
MORE = re.compile(r"  ([a-z -]+)\|(.*)")
HEAD = "migration head"
ABOUT = ("format", "postgresql", "privileges of postgresql", "restored by", "database", "system")
FORMAT = 1


def write_reference(path: Path, facts: DriftFacts) -> None:
    """Write `facts` to `path` in one step; OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text("\n".join(lines_of(facts)) + "\n", encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def lines_of(facts: DriftFacts) -> Iterator[str]:
    """Lines of the file."""
    yield HEADER.rstrip("\n")
    values = (FORMAT, facts.major, facts.privileges_of, facts.role, facts.database, "")
    for name, value in zip(ABOUT, values, strict=True):
        if value != "":
            yield f'about "{name}" {json.dumps(value, ensure_ascii=False)}'
    for kind in sorted(facts.objects):
        for name, parts in sorted(facts.objects[kind].items()):
            if kind != "comment on":
                yield from object_lines(kind, name, parts)
    for name, versions in sorted(facts.heads.items()):
        yield f"{HEAD} {json.dumps(name, ensure_ascii=False)} {json.dumps(' '.join(versions))}"


def object_lines(kind: str, name: str, parts: Definition) -> Iterator[str]:
    """One object: its line, and the texts of several lines below it."""
    long = {part: value for part, value in parts.items() if is_long(value)}
    short = {part: value for part, value in parts.items() if part not in long}
    definition = json.dumps(short, ensure_ascii=False)
    yield f"{kind} {json.dumps(name, ensure_ascii=False)} {definition}"
    for part, value in long.items():
        yield from (f"  {part}|{line}" for line in value.split("\n"))


def is_long(value: Any) -> bool:
    """Whether a text is written in lines of its own; control characters stay in JSON."""
    return (
        isinstance(value, str)
        and "\n" in value
        and all(line.replace("\t", "").isprintable() for line in value.split("\n"))
    )


def read_reference(path: Path) -> Measure:
    """Reference at `path`; an error in it is a `UsageError` that names its line."""
    try:
        raw = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the reference {path} cannot be read: {why_closed(path, error)}; "
            "name another one with --reference (DRILL_REFERENCE)"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"the reference {path} is not text; {ANEW}") from None
    about: dict[str, Any] = {}
    objects: Objects = {}
    heads: dict[str, tuple[str, ...]] = {}
    last: Definition = {}
    for number, line in enumerate(raw.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if more := MORE.fullmatch(line):
                last[more[1]] = f"{last[more[1]]}\n{more[2]}" if more[1] in last else more[2]
                continue
            kind, name, value = parsed(line)
            if kind == "about":
                about[name] = value
            elif kind == HEAD:
                heads[name] = tuple(str(value).split())
            else:
                last = objects.setdefault(kind, {})[name] = definition(value)
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"the reference {path}, line {number}: {line[:60]!r} cannot be read; {ANEW}"
            ) from None
    return measure_of(path, raw, about, objects, heads)


ANEW = f"write it again: {COMMAND} reference"


def parsed(line: str) -> tuple[str, str, Any]:
    """Kind, name and value of a line; ValueError where it is none of ours."""
    found = LINE.fullmatch(line)
    if found is None or found[1] not in (*LABELS, HEAD, "about"):
        raise ValueError(line)
    return found[1], json.loads(found[2]), json.loads(found[3])


def measure_of(
    path: Path,
    raw: str,
    about: dict[str, Any],
    objects: Objects,
    heads: dict[str, tuple[str, ...]],
) -> Measure:
    """The measure that a reference makes."""
    if about.get("format") != FORMAT or not isinstance(about.get("postgresql"), int):
        raise UsageError(
            f"{path} is not a reference that this version of the drill can read; {ANEW}"
        )
    major = about["postgresql"]
    facts = DriftFacts(
        major=major,
        role=str(about.get("restored by", "")),
        privileges_of=int(about.get("privileges of postgresql", major)),
        objects=objects,
        heads=heads,
        database=str(about.get("database", "")),
    )
    mark = hashlib.sha256(raw.encode()).hexdigest()[:16]
    return Measure("reference", f"the reference {path.name}", mark, facts)
