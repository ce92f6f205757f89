"""The size of modules and functions: what is too long to be read in one go is split."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.helpers.drills import ROOT

LONGEST_MODULE, LONGEST_FUNCTION = 200, 40
"""Lines."""

MODULES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in ("src", "fixtures", "drill")
    for path in (ROOT / folder).rglob("*.py")
}
"""Text of each module, by its path."""


def lengths(text: str) -> dict[str, int]:
    """Lines of each function of a module, without its decorators, by its name and line."""
    return {
        f"{node.name}, line {node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_modules_are_short() -> None:
    """None has more than 200 lines."""
    assert {Path(name).parts[0] for name in MODULES} == {"src", "fixtures", "drill"}
    lines = {name: len(text.splitlines()) for name, text in MODULES.items()}
    assert not {name: count for name, count in lines.items() if count > LONGEST_MODULE}


def test_functions_are_short() -> None:
    """None has more than 40 lines."""
    assert lengths("@one\ndef two():\n    def three():\n        pass\n") == {
        "two, line 2": 3,
        "three, line 3": 2,
    }
    found = {f"{name}: {each}": count for name, text in MODULES.items()
             for each, count in lengths(text).items()}  # fmt: skip
    assert not {each: count for each, count in found.items() if count > LONGEST_FUNCTION}
