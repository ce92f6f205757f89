"""Questions to a database: of large tables each by itself, of small ones many at a time.

What is concluded from the answers is written once, as a generator of questions (`Asking`). Those of
many small tables go to the server as one message, each as it would go alone: a message for every
question took four times what the server needs for the answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import psycopg

from restore_drill.facts.answers import Outcome, answer
from restore_drill.facts.session import Connection

Result = TypeVar("Result")


class Question(NamedTuple):
    """A query that gives one row, behind the commands `before` in its transaction."""

    query: str
    before: tuple[str, ...] = ()


Asking = Generator[Question, Outcome, Result]
"""Asks one question after the other, and returns what their answers come to."""


def ask(connection: Connection, asking: Asking[Result]) -> Result:
    """What `asking` comes to, each question asked by itself."""
    (found,) = ask_all(connection, [asking])
    result: Result = found
    return result


def ask_all(connection: Connection, askings: Sequence[Asking[Any]]) -> list[Any]:
    """What each of `askings` comes to: the first questions of all together, then the second ones.

    The error of a lost connection is raised.
    """
    found: dict[int, Any] = {}
    outcomes: dict[int, Any] = dict.fromkeys(range(len(askings)))
    while outcomes:
        questions: dict[int, Question] = {}
        for number, outcome in outcomes.items():
            try:
                questions[number] = askings[number].send(outcome)
            except StopIteration as end:
                found[number] = end.value
        outcomes = answers(connection, questions)
    return [found[number] for number in range(len(askings))]


def answers(connection: Connection, questions: Mapping[int, Question]) -> dict[int, Any]:
    """Outcome of each of `questions`, by its number."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, question in questions.items():
        groups[question.before].append(number)
    found: dict[int, Any] = {}
    for before, numbers in groups.items():
        queries = [questions[number].query for number in numbers]
        rows = together(connection, queries, before) if len(queries) > 1 else None
        if rows is None:  # then each alone, so that an error stays with its own question
            outcomes = [answer(connection, query, before) for query in queries]
        else:
            outcomes = list(map(Outcome, rows))
        found |= zip(numbers, outcomes, strict=True)
    return found


def together(
    connection: Connection, queries: Sequence[str], before: Sequence[str]
) -> list[tuple[Any, ...] | None] | None:
    """First row of each of `queries`, asked in one message; None where one of them fails.

    The server's limits hold for each by itself.
    """
    try:
        with connection.transaction():
            if before:
                connection.execute("; ".join(before).encode())
            cursor = connection.execute(";\n".join(queries).encode())
            rows = [cursor.fetchone()]
            while cursor.nextset():
                rows.append(cursor.fetchone())
    except psycopg.Error:
        if connection.broken:
            raise
        return None
    return rows if len(rows) == len(queries) else None
