"""Facts of several databases as those of one: names of others than the first have three parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from restore_drill.core.names import part_of
from restore_drill.facts.check import Check
from restore_drill.facts.checks.storage import STORAGE, Storage
from restore_drill.facts.model import Facts

Name = Callable[[str], str]


def merge(primary: Facts, others: Mapping[str, Facts]) -> Facts:
    """`primary` with the facts of `others`, by the names of their databases.

    A name in another database begins with that: `billing.public.invoices`. What is of one database
    by nature (fingerprint, definitions, migration head) stays the first one's.
    """
    found = primary
    for database, facts in others.items():
        found = both(found, renamed(facts, database))
    return found


def renamed(facts: Facts, database: str) -> Facts:
    """`facts` with names of three parts."""
    prefix = f"{part_of(database)}."

    def name(text: str) -> str:
        return f"{prefix}{text}"

    return Facts(
        rows={name(table): count for table, count in facts.rows.items()},
        partitioned=frozenset(map(name, facts.partitioned)),
        unreadable={name(table): why for table, why in facts.unreadable.items()},
        foreign_keys=tuple(
            replace(each, table=name(each.table), referenced=name(each.referenced))
            for each in facts.foreign_keys
        ),
        constraints=tuple(replace(each, table=name(each.table)) for each in facts.constraints),
        sequences=tuple(
            replace(each, name=name(each.name), column=name(each.column), table=name(each.table))
            for each in facts.sequences
        ),
        undumpable=f"database {database}: {facts.undumpable}" if facts.undumpable else "",
        notes=tuple(f"database {database}: {note}" for note in facts.notes),
        not_checked=tuple((f"database {database}: {what}", why) for what, why in facts.not_checked),
        unread={part: f"database {database}: {why}" for part, why in facts.unread.items()},
        values={check: named(check, value, name) for check, value in facts.values.items()},
    )


def named(check: Check[Any], value: Any, name: Name) -> Any:
    """What a check has found, with names of three parts; storage names its relations so already."""
    if isinstance(value, Mapping):
        return {name(key): each for key, each in value.items()}
    if check is STORAGE or isinstance(value, int):
        return value
    return tuple(f"{name('')[:-1]}: {text}" for text in value)


def both(first: Facts, second: Facts) -> Facts:
    """Facts of two databases; whether one could not be read stays to be seen."""
    return replace(
        first,
        rows=first.rows | second.rows,
        partitioned=first.partitioned | second.partitioned,
        unreadable=first.unreadable | second.unreadable,
        foreign_keys=(*first.foreign_keys, *second.foreign_keys),
        constraints=(*first.constraints, *second.constraints),
        sequences=(*first.sequences, *second.sequences),
        undumpable="; ".join(filter(None, (first.undumpable, second.undumpable))),
        notes=(*first.notes, *second.notes),
        not_checked=(*first.not_checked, *second.not_checked),
        unread=second.unread | first.unread,
        values={
            **second.values,
            **{
                check: together(value, second.values[check]) if check in second.values else value
                for check, value in first.values.items()
            },
        },
    )


def together(first: Any, second: Any) -> Any:
    """What a check has found in two databases, by the type of what it finds."""
    if isinstance(first, Mapping):
        return {**first, **second}
    if isinstance(first, Storage):
        return Storage((*first.damage, *second.damage), first.unexamined or second.unexamined)
    if isinstance(first, int):
        return first + second
    return (*first, *second)
