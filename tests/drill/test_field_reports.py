"""What public reports of failed restores show: each is recognised by a real drill."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.field_reports import CASES, Case
from tests.helpers.drills import run_drill
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_report(case: Case, shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """The drill calls such a backup what it is, and names what is lost."""
    source = shops.database(USUAL, case.name[:60])
    fill_shop(source, case.source)
    backup = pg_dump(source, tmp_path / f"backup{case.suffix}", *case.options)
    backup.write_bytes(case.edit(backup.read_bytes()))

    drill = run_drill(f"--backup={backup}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == (0 if case.green else 1), drill.output
    assert drill.verdict == ("passed" if case.green else "failed")
    missing = [words for words in case.says if words not in drill.output]
    assert not missing, drill.output
    assert "Traceback" not in drill.output
