"""Options that were renamed still go by their earlier names."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.config.options import OPTIONS
from restore_drill.config.settings import settings_from

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("heapallindexed", "heapallindexed"),
        ("heapallindexed", "thorough"),
        ("production_settings", "production-settings"),
        ("production_settings", "faithful"),
    ],
)
def test_option_has_its_name_and_its_earlier_one(setting: str, name: str, tmp_path: Path) -> None:
    """Flag and variable work by both names."""
    variable = f"DRILL_{name.upper().replace('-', '_')}"
    (tmp_path / ".env").write_text(f"{variable}=yes\n")

    settings = settings_from({}, here=tmp_path, root=ROOT)

    assert getattr(settings, setting) is True
    assert f"--{name}" in OPTIONS[setting].flags
