"""The catalogue of remedies: every criterion and every cause has one, and none is of no use."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from restore_drill.core.calling import COMMAND, DRILL, SUITE
from restore_drill.core.remedies import catalogue, remedy_for

CRITERIA = sorted((SUITE / "drill").glob("test_*.py"))
SOURCES = [*CRITERIA, *(SUITE / "fixtures").rglob("*.py"), *(SUITE / "src").rglob("*.py")]
GIVEN = {"drill", "command"}
"""Names that every step may use."""


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Criteria of the module at `path`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def look_ups(path: Path) -> Iterator[tuple[str, str | None, set[str]]]:
    """Criterion, cause (None: chosen when it runs) and names of each look-up in a module."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if "remedy_for" in text else ():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "remedy_for":
            criterion, cause, *_ = node.args
            assert isinstance(criterion, ast.Constant), ast.unparse(node)
            names = {str(each.arg) for each in node.keywords}
            for each in (cause.body, cause.orelse) if isinstance(cause, ast.IfExp) else (cause,):
                literal = str(each.value) if isinstance(each, ast.Constant) else None
                yield str(criterion.value), literal, names


@functools.cache
def every_look_up() -> list[tuple[Path, str, str | None, set[str]]]:
    """Look-ups of all modules, each behind its path, read at the first use."""
    return [(path, *found) for path in SOURCES for found in look_ups(path)]


def fields_of(steps: list[str]) -> set[str]:
    """Names that `steps` ask for."""
    return {name for step in steps for _, name, *_ in Formatter().parse(step) if name}


def test_every_criterion_has_a_remedy() -> None:
    """No criterion fails without saying what to do next."""
    criteria = {each.name for path in CRITERIA for each in functions(path)}
    assert criteria - set(catalogue()) == set()
    assert {name for name in catalogue() if name.startswith("test_")} - criteria == set()


def test_every_cause_in_use_has_a_remedy_with_its_names() -> None:
    """What code looks up is there, and asks for no name that is not given."""
    for path, criterion, cause, names in every_look_up():
        causes = [cause] if cause else list(catalogue()[criterion])
        for each in causes:
            steps = catalogue().get(criterion, {}).get(each)
            assert steps, f"{path}: no remedy for {criterion}, {each}"
            assert fields_of(steps) <= GIVEN | names, f"{path}: {criterion}, {each}"


def test_no_remedy_is_without_use() -> None:
    """A cause that no code knows is not kept."""
    used = {(criterion, cause) for _, criterion, cause, _ in every_look_up()}
    for criterion, causes in catalogue().items():
        chosen = (criterion, None) in used
        assert chosen or {cause for key, cause in used if key == criterion} == set(causes)


def test_a_cause_that_is_chosen_when_it_runs_is_named_in_its_module() -> None:
    """Where a cause is no literal of the look-up, each stands in the code that chooses it."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for _, criterion, cause, _ in every_look_up():
        if cause is None:
            missing = [each for each in catalogue()[criterion] if f'"{each}"' not in text]
            assert not missing, criterion


@pytest.mark.parametrize("path", CRITERIA, ids=lambda path: path.stem)
def test_criteria_are_short(path: Path) -> None:
    """A criterion is three to ten lines below its docstring."""
    for function in functions(path):
        first, *body = function.body
        assert isinstance(first, ast.Expr), f"{function.name} says nothing of itself"
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
        assert lines <= 10, f"{function.name} has {lines} lines"


def test_a_remedy_names_the_commands_of_this_installation() -> None:
    """Placeholders are filled: by the commands, and by what the caller gives."""
    steps = remedy_for("test_redis_is_a_writable_primary", "replica", primary="10.0.0.2:6379")
    assert steps[0] == "point REDIS_URL at the primary, 10.0.0.2:6379"
    assert remedy_for("doctor", "problem")[1] == f"then drill now: {DRILL}"
    assert remedy_for("test_backup_is_complete", "damaged")[0].endswith(f"{COMMAND} bisect")
    every = [step for causes in catalogue().values() for steps in causes.values() for step in steps]
    assert not [step for step in every if re.search(r"\bmend|way out|looked at", step)]


def test_names_in_statements_and_commands_are_quoted() -> None:
    """A database `my shop-"prod"` is an identifier in SQL, and one word of the shell."""
    name = 'my shop-"prod"'
    (by_hand,) = [
        step
        for step in remedy_for(
            "way_back", "no_journal", name=name, undone=f"{name}_undone", before=f"{name}_before"
        )
        if "ALTER" in step
    ]
    assert 'ALTER DATABASE "my shop-""prod""" RENAME TO "my shop-""prod""_undone"' in by_hand
    (made,) = [step for step in remedy_for("absent", "promote", name=name) if "--confirm" in step]
    assert """--confirm 'my shop-"prod"' --create-database""" in made
    (end,) = remedy_for("in_place", "prepared", name="it's")
    assert "COMMIT PREPARED 'it''s'" in end
