"""Sequences: what each gives next, against what its column holds already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from restore_drill.core.names import joined
from restore_drill.facts.asking import Asking, Question
from restore_drill.facts.catalog import COUNTERS, Counter
from restore_drill.facts.records import Sequence
from restore_drill.facts.survey import ELSEWHERE, Survey

COMPUTED = "the default of its column computes something else with its values"
NEAR = 1000
"""How many of the next values are looked for in the column."""


def plan_sequences(survey: Survey) -> Callable[[], tuple[Sequence, ...]]:
    """Plan to hold each sequence to its column; gives them once the plan has run."""
    entries = survey.contents.entries if survey.contents else ()
    in_backup = {each.full_name for each in entries if each.kind == "SEQUENCE SET"}
    ask_of_set, ask_of_others = (partial(check_sequence, in_backup=each) for each in (True, False))
    jobs = []
    for counter in (Counter(*row) for row in survey.near_rows("sequences", COUNTERS)):
        if survey.is_far(counter.table_oid):
            survey.not_checked.append((counter.label, ELSEWHERE))
        elif why := survey.damaged.get(joined(counter.table_schema, counter.table)):
            survey.not_checked.append((counter.label, why))
        elif not counter.is_plain:
            survey.not_checked.append((counter.label, COMPUTED))
        else:
            ask = ask_of_set if counter.full_name in in_backup else ask_of_others
            jobs.append(survey.plan.ask(ask, counter))

    def finish() -> tuple[Sequence, ...]:
        found = tuple(job.result() for job in jobs)
        survey.notes += (note for each in found for note in sequence_notes(each))
        return found

    return finish


def sequence_notes(each: Sequence) -> Iterator[str]:
    """What to know of a sequence that is in order today."""
    if each.is_ahead and not each.is_past_furthest:
        yield f"sequence {each.description}: the values are far apart, but will collide eventually"
    if not each.error and each.is_nearly_used_up:
        yield f"sequence {each.name} is nearly exhausted: {each.values_left:,} values are left"


def check_sequence(counter: Counter, *, in_backup: bool) -> Asking[Sequence]:
    """Facts of one sequence; `in_backup` says that the backup itself sets its value.

    One that stands behind some far value of its column, and not behind its neighbours, collides
    only in time: a number given by hand. It is distinguished only where the backup sets the value.
    """
    furthest = "max" if counter.increment > 0 else "min"
    outcome = yield Question(
        f"SELECT last_value::numeric + CASE WHEN is_called THEN {counter.increment} ELSE 0 END,"
        f" (SELECT {furthest}({counter.column_quoted})::numeric FROM {counter.table_quoted})"
        f" FROM {counter.quoted}",
    )
    following, extreme = outcome.row or (0, None)
    found = Sequence(
        name=counter.full_name,
        column=joined(counter.table_schema, counter.table, counter.column),
        next_value=int(following),
        furthest=None if extreme is None else int(extreme),
        increment=counter.increment,
        values_left=max(0, int(counter.last - following) // counter.increment + 1),
        values=int(counter.values) // abs(counter.increment),
        error=outcome.error,
        table=joined(counter.table_schema, counter.table),
    )
    if not found.is_past_furthest:
        found = replace(found, query=ahead_query(counter))
    if found.is_ahead or outcome.error or not in_backup:
        return found
    ends = sorted((found.next_value, found.next_value + NEAR * counter.increment))
    near = yield Question(
        f"SELECT count(*) FROM {counter.table_quoted}"
        f" WHERE {counter.column_quoted} BETWEEN {ends[0]} AND {ends[1]}",
    )
    return found.with_near(None if near.row is None else int(near.row[0]), near.error)


def ahead_query(counter: Counter) -> str:
    """Query that gives the rows with a value which the sequence is still to give."""
    step = f"CASE WHEN is_called THEN {counter.increment} ELSE 0 END"
    return (
        f"SELECT * FROM {counter.table_quoted}"
        f" WHERE {counter.column_quoted} {'>=' if counter.increment > 0 else '<='}"
        f" (SELECT last_value::numeric + {step} FROM {counter.quoted})"
    )
