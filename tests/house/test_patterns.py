"""Possessive groups end in `|(?!)` where Python before 3.11.5 would swallow text (gh-106052).

There a repetition that breaks off behind what has moved the engine's place (a repeat, a branch)
leaves that place where it broke off. Seen with Python 3.11.2: rows behind large objects were
missing from what was read of a dump, and a good backup was red.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import restore_drill
from restore_drill.backups.plaindump.large_objects import RUN
from restore_drill.checks.names import IDENTIFIER
from restore_drill.core.patterns import Late
from restore_drill.restore.as_copy import BARE, AsCopy, Column

Body = Sequence[tuple[Any, Any]]
ONE = (c.LITERAL, c.NOT_LITERAL, c.IN, c.ANY, c.CATEGORY)
REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)


def insides(op: Any, av: Any) -> list[Body]:
    """What an operation of a pattern holds."""
    if op in REPEATS:
        return [av[2]]
    if op is c.BRANCH:
        return list(av[1])
    if op is c.SUBPATTERN:
        return [av[3]]
    if op in (c.ASSERT, c.ASSERT_NOT):
        return [av[1]]
    return [each for each in av[1:] if each] if op is c.GROUPREF_EXISTS else []


def moves(op: Any, av: Any) -> bool:
    """Whether an operation, or one in it, moves the place that is not taken back."""
    if op in REPEATS or op is c.BRANCH:
        return True
    return any(moves(*each) for body in insides(op, av) for each in body)


def may_fail(op: Any, av: Any) -> bool:
    """Whether an operation may find nothing: only what may be there no time always holds."""
    return not (op in REPEATS and av[0] == 0)


def breaks_off(body: Body) -> bool:
    """Whether a repetition of `body` may break off with the place moved."""
    moved = False
    for at, (op, av) in enumerate(body):
        if may_fail(op, av) and (moved or (at and op in REPEATS)):
            return True
        plain = op in REPEATS and len(av[2]) == 1 and av[2][0][0] in ONE
        if not plain and any(breaks_off(each) for each in insides(op, av)):
            return True
        moved = moved or moves(op, av)
    return False


def goes_back(body: Body) -> bool:
    """Whether its last alternative is `(?!)`."""
    if len(body) != 1 or body[0][0] is not c.BRANCH:
        return False
    last = body[0][1][1][-1]
    if len(last) != 1:
        return False
    op, av = last[0]
    return op is c.FAILURE or (op is c.ASSERT_NOT and not len(av[1]))


def at_risk(body: Body) -> Iterator[str]:
    """The possessive groups below `body` that would swallow text."""
    for op, av in body:
        if op is c.POSSESSIVE_REPEAT and breaks_off(av[2]) and not goes_back(av[2]):
            yield str(av[2])
        for each in insides(op, av):
            yield from at_risk(each)


def every_pattern() -> dict[Any, int]:
    """All patterns of the engine, also those that are compiled later, by their text."""
    for module in pkgutil.walk_packages(restore_drill.__path__, "restore_drill."):
        with suppress(ModuleNotFoundError):  # of an extra
            importlib.import_module(module.name)
    columns = [Column(b"c", oid, False, False, False) for oid in BARE]
    rows = [AsCopy(columns, b"", b"", escapes=escapes).rows for escapes in (False, True)]
    late = [each.compiled for each in gc.get_objects() if isinstance(each, Late)]
    modules = [
        vars(module) for name, module in list(sys.modules.items()) if "restore_drill." in name
    ]
    own = [each for names in modules for each in names.values() if isinstance(each, re.Pattern)]
    return {each.pattern: each.flags for each in [*rows, *late, *own]}


def test_no_possessive_group_swallows_text() -> None:
    """In no pattern of the engine, whatever Python runs it."""
    wrong = {
        text: found
        for text, flags in every_pattern().items()
        if (
            found := list(
                at_risk(parser.parse(text, flags & (re.VERBOSE | re.IGNORECASE | re.DOTALL)))
            )
        )
    }
    assert not wrong


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("(?:ab?c)*+", True),
        ("(?:ab?c|(?!))*+", False),
        (r"(?:\.\d++)?+", True),
        ("(?:''[^']*+)*+", False),
        ("(?:a+|b)*+", False),
    ],
)
def test_such_groups_are_known(text: str, risk: bool) -> None:  # noqa: FBT001
    """By what may break off behind a move."""
    assert bool(list(at_risk(parser.parse(text)))) == risk


def test_what_was_swallowed() -> None:
    """The header of a table's rows behind large objects; a name of one part."""
    run = b"SELECT pg_catalog.lo_close(0);\n\n"
    rows = b"--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: o\n--\n"
    found = RUN.match(run + rows)
    assert found and found.end() == len(run)
    name = IDENTIFIER.match("cards")
    assert name and name.group(1) == "cards"
