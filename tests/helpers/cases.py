"""Small databases, their facts, and which of the drill's criteria fail on them."""

from __future__ import annotations

import inspect
import itertools
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

import drill.test_catalog
import drill.test_relations
import drill.test_restore
from restore_drill.backups.model import Contents, Head
from restore_drill.backups.read import read_contents
from restore_drill.facts.collect import read_facts
from restore_drill.facts.model import Facts
from restore_drill.facts.records import Constraint, ForeignKey
from restore_drill.selection.candidate import as_backup, look_at
from restore_drill.servers.model import Target
from tests.helpers.shop import Shops, pg_dump, quiet

NOTHING = Contents(sha256="", head=Head())
"""What is known of a backup of which nothing is known."""

NUMBERS = itertools.count()
MADE: list[Target] = []


@dataclass(frozen=True)
class Case:
    """A database, the damage done to it, and what a drill must say of it.

    `headers` hold the case's `-- name: value` lines; see `tests/facts/cases`.
    """

    name: str
    headers: dict[str, list[str]]
    script: str
    damage: str

    @classmethod
    def parse(cls, text: str) -> Case:
        """Read one case, from behind its `-- case: `."""
        name, _, body = text.partition("\n")
        headers = defaultdict(list)
        for key, value in re.findall(r"^-- ([a-z ]+): (.*)$", body, re.MULTILINE):
            headers[key].append(value)
        script, _, damage = body.partition("-- damage:\n")
        return cls(name, dict(headers), script, damage)

    @property
    def major(self) -> int:
        """Major version that it is made on."""
        return int(self.headers.get("major", ["15"])[0])

    @property
    def findings(self) -> dict[str, list[str]]:
        """Words that each criterion must fail with, by its name."""
        found = defaultdict(list)
        for line in self.headers.get("finds", []):
            criterion, _, words = line.partition(": ")
            found[criterion].append(words)
        return dict(found)


def read_cases() -> dict[str, Case]:
    """All cases, by file and name."""
    found = {}
    for file in sorted(Path(__file__).parents[1].joinpath("facts", "cases").glob("*.sql")):
        for text in re.split(r"^-- case: ", file.read_text(), flags=re.MULTILINE)[1:]:
            case = Case.parse(text)
            found[f"{file.stem}: {case.name}"] = case
    return found


def make(shops: Shops, script: str, major: int = 15, *, analyzed: bool = True) -> Target:
    """New database of `major` in which `script` was run; ANALYZE ends every restore."""
    target = shops.database(major, f"facts_{next(NUMBERS)}")
    MADE.append(target)
    change(target, script, analyzed=analyzed)
    return target


def drop_made() -> None:
    """Drop all databases that were made, before the server writes them out."""
    while MADE:
        target = MADE.pop()
        name = sql.Identifier(target.conninfo["dbname"])
        with replace(target, conninfo={**target.conninfo, "dbname": "postgres"}).connect() as other:
            other.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def change(target: Target, script: str, *, analyzed: bool = True) -> None:
    """Run `script` in `target`."""
    with target.connect(client_encoding="UTF8") as connection:
        connection.execute(script.encode())
        if analyzed:
            connection.execute("ANALYZE")


def take(target: Target, contents: Contents | None = None) -> Facts:
    """Facts of `target`."""
    return read_facts(target, contents, 2, quiet)


def contents_of(target: Target, folder: Path, *options: str) -> Contents:
    """What a dump of `target` says that it holds."""
    path = pg_dump(target, folder / f"{next(NUMBERS)}.dump", *options)
    return read_contents(as_backup(look_at(path, UTC)), folder, quiet)


def criteria() -> dict[str, Callable[..., None]]:
    """Criteria that ask the facts and the contents, and no comparison beyond them, by name."""
    modules = (drill.test_catalog, drill.test_relations, drill.test_restore)
    known = {"facts", "contents", "table", "unlisted_tables", "compared"}
    return {
        name: function
        for module in modules
        for name, function in vars(module).items()
        if name.startswith("test_") and set(inspect.signature(function).parameters) <= known
    }


def failures(facts: Facts, contents: Contents = NOTHING) -> dict[str, str]:
    """Message of each criterion that fails or is skipped, by its name with the table's."""
    found = {}
    tables = sorted({*facts.rows, *facts.unreadable})
    for name, criterion in criteria().items():
        wanted = inspect.signature(criterion).parameters
        for table in tables if "table" in wanted else [""]:
            given: dict[str, Any] = {
                "facts": facts,
                "contents": contents,
                "table": table,
                "unlisted_tables": sorted(facts.relations - set(tables)),
                "compared": lambda: None,
            }
            try:
                criterion(**{key: given[key] for key in wanted})
            except (AssertionError, pytest.skip.Exception) as failure:
                found[f"{name}[{table}]" if table else name] = str(failure)
    return found


def assert_queries_find_them(target: Target, facts: Facts) -> None:
    """The query of each finding about rows gives as many rows as it counts: of a repeated key more.

    Each is run as a person would run it, on a connection of its own with the usual settings.
    """
    broken: list[ForeignKey | Constraint] = [*facts.foreign_keys, *facts.constraints]
    counts = [(e, e.orphans if isinstance(e, ForeignKey) else e.broken) for e in broken]
    with target.connect() as connection:
        for each, count in counts:
            assert bool(each.query) == bool(count), each
            if count:
                found = len(connection.execute(each.query.encode()).fetchall())
                repeats = each.kind in ("unique", "exclusion")
                assert found > count if repeats else found == count, each
        for sequence in facts.sequences:
            if not sequence.is_ahead and not sequence.error:
                assert connection.execute(sequence.query.encode()).fetchall(), sequence
