"""Statements that a dump has lost, while the headings that announce them are still there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops

STATEMENTS = {
    "INDEX public.cards_title_idx": rb"CREATE INDEX cards_title_idx [^;]*;\n",
    "FK CONSTRAINT public.cards cards_artist_id_fkey": (
        rb"ALTER TABLE ONLY public.cards\s+ADD CONSTRAINT cards_artist_id_fkey [^;]*;\n"
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_lost_statement_is_no_failed_one(
    name: str, shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Without an error of the restore the file is what is wrong, and another one the remedy."""
    text, count = re.subn(STATEMENTS[name], b"", shops.dump(15, "plain.sql").read_bytes())
    path = tmp_path / "dump.sql"
    path.write_bytes(text)

    drill = run_drill(f"--backup={path}", "-k", "every_object", report_dir=report_dir)
    message = drill.failed["test_every_object_came_back"]

    assert count == 1
    assert name in message
    assert "it was edited or damaged" in message
    assert "compare its checksum with the original" in message
    assert "errors above" not in message
