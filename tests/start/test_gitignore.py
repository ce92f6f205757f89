"""`init` keeps the reports out of the repository, and what is there as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.start.init import ignore_reports


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "drill-report/\n"),
        ("", "drill-report/\n"),
        (".env", ".env\ndrill-report/\n"),
        (".env\n", ".env\ndrill-report/\n"),
        ("/drill-report\n", "/drill-report\n"),
    ],
)
def test_the_folder_of_the_reports_is_ignored(
    before: str | None, after: str, tmp_path: Path
) -> None:
    """A line is added once, behind what is there."""
    path = tmp_path / ".gitignore"
    if before is not None:
        path.write_text(before)

    ignore_reports(path)
    ignore_reports(path)

    assert path.read_text() == after
