"""The order in which the files of tests are run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.helpers.drills import ROOT
from tests.helpers.order import LONGEST, put_longest_first


def test_files_that_take_longest_are_there_and_come_first() -> None:
    """A file that was renamed would be begun late; tests of one file stay as they are."""
    others = ["a/test_a.py::test_b", "a/test_a.py::test_a", "z/test_z.py::test_z"]
    longest = [f"{name}::test" for name in LONGEST]
    items: list[Any] = [SimpleNamespace(nodeid=each) for each in [*others, *reversed(longest)]]

    put_longest_first(items)

    assert [item.nodeid for item in items] == [*longest, *others]
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
