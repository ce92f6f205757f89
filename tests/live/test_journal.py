"""The journal of a swap: read back as it was written, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.live.promote.journal import (
    COMMITTING,
    Journal,
    advance,
    journal_path,
    journals_of,
    read_journal,
    write_journal,
)

JOURNAL = Journal(
    system="7001",
    name="shop/ü*[a]",
    live_oid=16384,
    incoming_oid=16999,
    incoming="shop_drill_0123",
    kept="shop_before_20261128_050012",
    kind="promotion",
    begun_at="2026-11-28T05:00:12+00:00",
)
PATH = "swap_7001_shop%2F%C3%BC%2A%5Ba%5D_20261128_050012.json"


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Each step replaces the one before it, in one file a swap."""
    folder = tmp_path / "new"
    write_journal(folder, JOURNAL)
    first = advance(folder, JOURNAL, COMMITTING)
    second = replace(JOURNAL, begun_at="2026-11-29T05:00:12+00:00")
    for each in (
        second,
        replace(JOURNAL, system="7002"),
        replace(JOURNAL, name="shop"),
        replace(JOURNAL, name=f"old_{JOURNAL.name}"),
    ):
        write_journal(folder, each)

    assert journals_of(folder, JOURNAL.name, "7001") == [first, second]
    assert len(journals_of(folder, JOURNAL.name, "")) == 3
    assert first.step == COMMITTING
    assert (folder / PATH).is_file()
    assert len(list(folder.iterdir())) == 5


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda text: text[: len(text) // 2], "Unterminated|Expecting|delimiter"),
        (lambda text: text.replace("16999", "16998"), "its checksum does not match"),
        (lambda text: text.replace('"schema": 1', '"schema": 2'), "its schema is 2"),
        (lambda text: json.dumps({**json.loads(text), "step": "x"}), "its checksum"),
        (lambda _: "[]", "."),
        (lambda _: "{}", "it has no 'sha256'"),
    ],
)
def test_a_damaged_one_is_refused_with_what_to_do(damage: object, why: str, tmp_path: Path) -> None:
    """Cut, changed, of another shape: nothing is concluded from it."""
    write_journal(tmp_path, JOURNAL)
    path = journal_path(tmp_path, JOURNAL)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]

    with pytest.raises(CouldNotRun, match=f"is damaged: .*({why})") as caught:
        read_journal(path)

    assert f"mv {path} {path}.damaged" in str(caught.value)


def test_a_folder_that_takes_none_is_reported(tmp_path: Path) -> None:
    """No journal, no step."""
    (tmp_path / "file").write_text("")

    with pytest.raises(CouldNotRun, match=r"the journal .* cannot be written: Not a directory"):
        write_journal(tmp_path / "file" / "snapshots", JOURNAL)
