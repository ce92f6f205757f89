"""Words of a definition with their parentheses, and what can be seen of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

PLAIN = re.compile(r"[\w'\"]")
"""How a name, a number or a text begins, and no operator."""
NAMED = re.compile(r'[^\W\d]|"')
LITERAL = re.compile(r"'|\d|NULL$|true$|false$")


@dataclass(frozen=True)
class Group:
    """What stands between `opening` and its counterpart; all operands of `joint` where it is."""

    opening: str
    items: list[Item]
    joint: str


Item = str | Group


def is_cast(item: Item) -> bool:
    """Whether it is a cast."""
    return isinstance(item, str) and item[:2] == "::"


def is_literal(item: Item) -> bool:
    """Whether it is a number, a text or NULL."""
    return isinstance(item, str) and bool(LITERAL.match(item))


def is_name(item: Item) -> bool:
    """Whether it is a name, behind which parentheses are a call; keywords are in capitals."""
    return isinstance(item, str) and bool(NAMED.match(item)) and not item.isupper()


def is_one(items: list[Item]) -> bool:
    """Whether `items` are one operand without parentheses: a name, a call, a literal, a CASE."""
    if not items:
        return False
    first, *more = items
    if isinstance(first, Group):
        return not more
    if not PLAIN.match(first):
        return False
    if is_literal(first) and more and all(map(is_cast, more)):
        return True
    if first == "CASE":
        return items[-1] == "END" and items.count("CASE") == items.count("END") == 1
    while len(more) > 1 and more[0] == ".":
        more = more[2:]
    return all(isinstance(each, Group) for each in more)


def listed(parts: Iterable[list[Item]]) -> list[Item]:
    """Elements with commas between them."""
    return [*chain.from_iterable([*each, ","] for each in parts)][:-1]


def elements(items: list[Item]) -> Iterator[list[Item]]:
    """Parts of `items` between its commas."""
    ends = [at for at, each in enumerate(items) if each == ","]
    for start, end in pairwise([-1, *ends, len(items)]):
        yield items[start + 1 : end]
