"""Histories made in a test, and the commands that read them, in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.commands import main
from restore_drill.watch.append import append
from restore_drill.watch.entry import note
from restore_drill.watch.history import Drill
from restore_drill.watch.skips import Skip

NOW = datetime.now(UTC)
PASSED = Drill(
    at=NOW - timedelta(days=1),
    verdict="passed",
    strength="proven",
    backup="shop.dump",
    size=1_000_000,
    rows=1000,
    restore=10.0,
    verify=1.0,
    total=14.0,
    series="db/shop",
    age=3600.0,
    tables={"public.cards": 600, "public.artists": 400},
    budgets={"age": 93600.0, "restore": 120.0, "verify": 30.0, "total": 300.0},
    machine="db1",
    setup="embedded, 2 jobs",
)
FAILED = replace(
    PASSED,
    verdict="failed",
    strength=None,
    red=("test_table_has_every_row[public.cards]",),
    findings=("test_table_has_every_row[public.cards]: 2 of 602 rows are missing",),
    report="/var/reports/shop",
)

Call = Callable[..., tuple[int, str]]


def weekly(count: int, **values: Sequence[Any]) -> list[Drill]:
    """`count` passed drills, one a week, the last a day ago; `values` of each by their names."""
    return [
        replace(
            PASSED,
            at=PASSED.at - timedelta(weeks=count - 1 - n),
            **{name: each[n] for name, each in values.items()},
        )
        for n in range(count)
    ]


def write(folder: Path, *entries: Drill | Skip) -> Path:
    """The history of the backups in `folder`, with `entries`."""
    path = folder / ".drill" / "history.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        if isinstance(entry, Drill):
            note(path, entry)
        else:
            append(path, entry.as_json())
    return path


def caller(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Function that runs a command with BACKUP_PATH `folder`: its exit code, and what it prints."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BACKUP_PATH", str(folder))

    def call(*arguments: str, **environment: str) -> tuple[int, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(arguments)
        told = capsys.readouterr()
        return code, told.out + told.err

    return call


def loaded(told: str) -> dict[str, Any]:
    """JSON that was printed."""
    found: dict[str, Any] = json.loads(told)
    return found
