"""What is said of the restored tables, line by line."""

from __future__ import annotations

from pathlib import Path

from restore_drill.checks.tables import rows_in_lines
from restore_drill.config.criteria import Criteria
from restore_drill.facts.model import Facts


def test_a_quoted_name_keeps_its_letters() -> None:
    """A plain table is named as in the guide; a name with a schema or in quotes stays as it is."""
    rows = {"public.cards": 1234, 'a."b.c"': 2, "crm.people": 1, 'public."q x"': 0}

    lines = list(rows_in_lines(Facts(rows), Criteria(Path("criteria.toml"))))

    assert lines == ["Cards: 1,234", 'a."b.c": 2', "crm.people: 1", '"q x": 0']
