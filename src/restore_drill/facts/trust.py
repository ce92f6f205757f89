"""Large indexes are trusted to the server, which built them in this drill of these rows.

To look up each row in a large index, or to sort its keys once more, takes longer than the restore.
Where nothing but PostgreSQL's own code is at work it would prove PostgreSQL, not the backup, which
holds no index: its structure and order are read, and the rest is reported as not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from restore_drill.core.units import show_count
from restore_drill.facts import keys
from restore_drill.facts.answers import TIMED_OUT, Row, read_each, took_too_long
from restore_drill.facts.keys import Key, check_unique
from restore_drill.facts.records import Constraint
from restore_drill.facts.structures import Structure, read_structures
from restore_drill.facts.survey import Survey, some

FREE = 100_000
"""Cost below which all is checked: half a second, where counting the rows of a page costs 1."""

WHY = (
    "the server built them here from these rows, and amcheck has checked their structure; "
    "--heapallindexed looks up each row too"
)


def trusted_indexes(structures: Sequence[Structure], uniques: Sequence[Key]) -> list[Structure]:
    """Indexes to be taken at the server's word: the largest, beyond what costs next to nothing."""
    sorting = {key.oid: key.cost for key in uniques}
    refused = {key.oid for key in uniques if not key.is_unique}
    plain = [
        (each.pages * each.effort + sorting.get(each.oid, 0), each)
        for each in structures
        if each.method == "btree" and each.is_plain and each.oid not in refused
    ]
    spent = 0.0
    trusted = []
    for cost, each in sorted(plain, key=lambda one: (one[0], one[1].oid)):
        spent += cost
        if spent > FREE:
            trusted.append(each)
    return trusted[::-1]


class Indexes(NamedTuple):
    """Unique and exclusion indexes whose keys are sorted once more, and what amcheck reads.

    `unwritten` are unique constraints that the server itself cannot write down any more.
    """

    uniques: list[Key]
    structures: list[Structure]
    unwritten: list[Constraint]


def read_indexes(survey: Survey) -> Indexes:
    """All indexes; large ones that the server has just built are not looked through."""
    nothing: tuple[list[Row], list[tuple[Row, str]]] = ([], [])
    connection = survey.reader.connection
    rows, errors = survey.reader.read(
        "keys",
        lambda: read_each(connection, keys.KEYS, "i.indexrelid", keys.KEY_IDS),
        nothing,
    )
    uniques = []
    for key in (Key(*row) for row in rows):
        if why := survey.damaged.get(key.table):
            survey.not_checked.append((key.label, why))
        elif key.operators is None and not key.is_comparable:
            why = "its operator class has its own equality operator"
            survey.not_checked.append((key.label, why))
        else:
            uniques.append(key)
    structures = [] if survey.copied else read_structures(survey)
    all_are_read = survey.in_full or survey.unexamined
    trusted = [] if all_are_read else trusted_indexes(structures, uniques)
    if trusted:
        what = show_count(len(trusted), "large index", "large indexes")
        names = some([each.name for each in trusted])
        survey.not_checked.append((f"each row in {what}: {names}", WHY))
    known = {each.oid for each in trusted}
    return Indexes(
        [each for each in uniques if each.oid not in known],
        [each._replace(is_deep=each.oid not in known) for each in structures],
        [Constraint(table, "unique", name, None, why) for (_, table, name), why in errors],
    )


def plan_uniques(survey: Survey) -> Callable[[], tuple[Constraint, ...]]:
    """Plan to hold the rows to each unique key; gives those that could be checked in time."""
    found = survey.once(read_indexes)
    jobs = [
        survey.plan.ask(check_unique, key, pages=key.pages, effort=keys.EFFORT)
        for key in found.uniques
    ]

    def decided() -> Iterator[Constraint]:
        for each in (job.result() for job in jobs):
            if each.broken is None and TIMED_OUT in each.error:
                what = f"{each.kind} {each.name} of {each.table}"
                survey.not_checked.append((what, f"it {took_too_long()}"))
            else:
                yield each

    return lambda: (*found.unwritten, *decided())
