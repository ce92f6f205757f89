"""A fact that criteria ask for by `facts.of(CHECK)`: how it is read, in one module of `checks/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, LiteralString, TypeVar

from restore_drill.facts import checks

if TYPE_CHECKING:
    from restore_drill.facts.model import Facts
    from restore_drill.facts.survey import Survey

Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, eq=False)
class Check(Generic[Value_co]):
    """One fact, which rests on a `part` of the catalog: where that is unread it is not known.

    `plan` reads the catalog and plans jobs; the function that it gives is called once they have
    run, with the rows, keys and constraints, and gives the fact.
    """

    part: str
    plan: Callable[[Survey], Callable[[Facts], Value_co]]


def names(part: str, query: LiteralString, what: str = "") -> Check[tuple[str, ...]]:
    """Fact that is the names which `query` gives, of what is not as it should be.

    Where they are nothing that a copy of files could have lost, they are noted as `what`.
    """

    def plan(survey: Survey) -> Callable[[Facts], tuple[str, ...]]:
        found = tuple(row[0] for row in survey.rows(part, query))
        found = survey.as_in_source(what, found) if what else found
        return lambda _: found

    return Check(part, plan)


def all_checks() -> Iterator[Check[Any]]:
    """Each check in a module of `checks/`: to be there is all that it takes to be read."""
    files = [file for folder in checks.__path__ for file in Path(folder).glob("[a-z]*.py")]
    for name in sorted(file.stem for file in files):
        module = import_module(f"{checks.__name__}.{name}")
        yield from (each for each in vars(module).values() if isinstance(each, Check))
