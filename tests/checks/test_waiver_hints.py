"""A waiver that names nothing gets a suggestion, whatever it may name."""

from __future__ import annotations

from datetime import date

import pytest

from restore_drill.checks.waivers import Waivers
from restore_drill.config.criteria import Waiver

CRITERIA = [
    "drill/test_relations.py::test_foreign_keys_hold[public.cards]",
    "drill/test_tables.py::test_table_has_every_row[public.cards]",
]


@pytest.mark.parametrize("base", ["test_foreign_keys_hold", "test_table_has_every_row"])
def test_a_misspelled_table_gets_a_suggestion(base: str) -> None:
    """Of criteria whose single constraints may be waived, too."""
    waiver = Waiver(f"{base}[public.crads]", "known", date(2027, 1, 1))
    waivers = Waivers((waiver,), date(2026, 1, 1), asked={base})

    waivers.match(CRITERIA)

    assert waivers.lines()[0].endswith(f"; did you mean '{base}[public.cards]'?")
