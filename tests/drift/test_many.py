"""Drift of thousands of objects is compared in seconds, and grouped as that of a few."""

from __future__ import annotations

import re
from pathlib import Path

from restore_drill.config.criteria import Criteria
from restore_drill.drift import causes
from restore_drill.drift.causes import Cause, Causes, by_cause
from restore_drill.drift.compare import compare_with
from restore_drill.drift.findings import LOST
from restore_drill.drift.objects import of_objects
from restore_drill.drift.tolerance import Tolerance
from restore_drill.facts.schema.model import DriftFacts, Measure, Objects

TABLES = 1000


def shop(tenant: int, *, suffix: str = "") -> Objects:
    """The objects of one tenant: a table of few and common words, and what belongs to it."""
    table = f"tenant{tenant}.orders{suffix}"
    return {
        "schema": {f"tenant{tenant}": {}},
        "table": {table: {"persistence": "unlogged"}},
        "column": {f"{table}.{name}": {"type": "integer"} for name in ("id", "name", "tenant")},
        "default of": {f"{table}.id": {"default": f"nextval('tenant{tenant}.s'::regclass)"}},
        "sequence": {f"tenant{tenant}.s": {"owned by": f"{table}.id"}},
        "index": {f"tenant{tenant}.orders_pkey": {"table": table, "definition": f"ON {table}"}},
        "constraint": {f"{table}.orders_pkey": {"definition": "PRIMARY KEY (id)"}},
        "view": {f"tenant{tenant}.seen": {"query": f"SELECT id FROM {table}"}},
        "owner of": {f"table {table}": {"owner": "x"}, f"object !{tenant}": {"owner": "x"}},
        "object": {f"!{tenant}": {"definition": "..."}},
        "order of the columns of": {table: {"columns": ["id", "name", str(tenant % 7)]}},
    }


def measured(tenants: range, *, suffix: str = "") -> DriftFacts:
    """A database with the objects of all `tenants`."""
    objects: Objects = {}
    for tenant in tenants:
        for kind, found in shop(tenant, suffix=suffix).items():
            objects.setdefault(kind, {}).update(found)
    return DriftFacts(15, "postgres", 15, objects, heads={})


def test_causes_are_those_that_trying_all_would_find() -> None:
    """Only causes whose own word a text holds are tried, and the same findings come of it."""
    was, now = measured(range(40)), measured(range(0, 40, 2), suffix="2")
    found = list(of_objects(was, now))
    listed = [Cause(each) for each in found if each.kind in causes.PRINCIPAL.get(each.what, ())]
    known = Causes(listed)

    tried = 0
    for each in found:
        text = causes.text_of(each, was.objects)
        offered = list(known.of(text))
        tried += len(offered)
        assert [c for c in offered if c.explains(each, text)] == [
            c for c in listed if c.explains(each, text)
        ]
    assert 0 < tried < len(found) * 60 < len(found) * len(listed)


def test_thousands_of_lost_tables_are_compared() -> None:
    """What went with a table is no other finding, and a renamed one has its hint."""
    was, now = measured(range(TABLES)), measured(range(TABLES), suffix="2")
    for kind in ("view", "owner of"):
        now.objects[kind].clear()

    tolerance = Tolerance(Criteria(Path("none.toml")))
    difference = compare_with(Measure("m", "a measure", "1", was), now, tolerance)

    lost = [each for each in difference.findings if each.what == LOST and each.fails]
    tables = [each for each in lost if each.kind == "table"]
    assert len(tables) == TABLES
    assert {each.name for each in tables} == was.objects["table"].keys()
    first = next(each for each in tables if each.name == "tenant5.orders")
    hint = re.search(r"renamed to tenant(\d+)\.orders2", first.description)
    assert hint is not None and int(hint[1]) % 7 == 5  # the first of the same shape
    assert "column tenant5.orders.name" in first.with_it
    assert "view tenant5.seen" in first.with_it
    assert by_cause([], was) == []
