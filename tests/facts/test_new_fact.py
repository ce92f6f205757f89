"""To add a fact takes one module in `facts/checks/`, and the criterion that asks for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from restore_drill.facts import checks
from restore_drill.facts.check import Check, all_checks
from tests.helpers.cases import drop_made, make, take
from tests.helpers.shop import Shops

MODULE = '''
"""Tables whose rows no crash of the server survives."""

from restore_drill.facts.check import names

UNLOGGED = names("unlogged tables", """
    SELECT n.nspname || '.' || c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = {persistence} ORDER BY 1
""")
'''


@pytest.mark.parametrize(
    ("name", "persistence", "found"),
    [("unlogged", "'u'", ("public.fleeting",)), ("unlogged_unread", "'u' + 1", ())],
    ids=["read", "unread"],
)
def test_module_with_a_check_is_all_that_it_takes(
    name: str,
    persistence: str,
    found: tuple[str, ...],
    shops: Shops,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its fact is read with the others, and what the catalog refuses is reported by its part."""
    (tmp_path / f"{name}.py").write_text(MODULE.format(persistence=persistence))
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    target = make(shops, "CREATE TABLE kept (n int); CREATE UNLOGGED TABLE fleeting (n int)")

    facts = take(target)
    drop_made()
    check = sys.modules.pop(f"{checks.__name__}.{name}").UNLOGGED

    assert facts.of(check) == found
    why = "" if found else "unlogged tables: the catalog could not be read: "
    assert facts.why_unread(check).startswith(why)
    assert bool(facts.why_unread(check)) == (not found)
    assert ("unlogged tables" in dict(facts.not_checked)) == (not found)


def test_no_two_checks_rest_on_parts_of_one_name() -> None:
    """A part of the catalog that is unread names the check that rests on it."""
    found = list(all_checks())

    assert len({each.part for each in found}) == len(found) >= 10
    assert all(isinstance(each, Check) for each in found)
