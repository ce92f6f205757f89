"""What is said of the restored tables, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.backups.model import Contents, Entry, Head
from restore_drill.checks.names import CriteriaNames
from restore_drill.checks.tables import remedy_of_rows, rows_in_lines
from restore_drill.config.criteria import Criteria
from restore_drill.facts.model import Facts


def test_a_quoted_name_keeps_its_letters() -> None:
    """A plain table is named as in the guide; a name with a schema or in quotes stays as it is."""
    rows = {"public.cards": 1234, 'a."b.c"': 2, "crm.people": 1, 'public."q x"': 0}

    lines = list(rows_in_lines(Facts(rows), Criteria(Path("criteria.toml"))))

    assert lines == ["Cards: 1,234", 'a."b.c": 2', "crm.people: 1", '"q x": 0']


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [("billing.invoices", True), ("public.invoices", True), ("crm.invoices", False)],
)
def test_a_table_of_another_database_is_named_in_three_parts(name: str, *, is_meant: bool) -> None:
    """A physical backup has all databases: the remedy says how to write it."""
    names = CriteriaNames(Criteria(Path("criteria.toml")))

    text = names.lost_table(name, {"public.cards", "billing.public.invoices"})

    assert f"required table {name} is not in the restored database" in text
    assert ("if billing.public.invoices is meant, write that" in text) == is_meant


def test_event_triggers_that_may_have_added_rows_are_named() -> None:
    """They are there when pg_dump refreshes materialized views; what is missing, none has taken."""
    entries = (
        Entry("EVENT TRIGGER", "-", "log_all", "postgres"),
        Entry("MATERIALIZED VIEW DATA", "public", "totals", "postgres"),
    )
    contents = Contents("", Head(), entries=entries, rows={"public.log": 2})
    alone = Contents("", Head(), entries=entries[:1], rows={"public.log": 2})

    assert "log_all" in remedy_of_rows("public.log", Facts({"public.log": 4}), contents)[0]
    for rows, held in ((1, contents), (4, alone)):
        found = remedy_of_rows("public.log", Facts({"public.log": rows}), held)
        assert not any("event trigger" in step for step in found)
