"""What a recovery is said to have taken."""

from __future__ import annotations

import pytest

from restore_drill.recovery.announce import part_in_words
from restore_drill.recovery.model import Part


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part("replay", 2.0, 500_000_000), "replay 2.00 s (500.0 MB, 250.0 MB/s)"),
        (Part("replay", 0.01, 216), "replay 0.01 s (216 B)"),
        (Part("start", 0.3), "start 0.30 s"),
    ],
)
def test_a_part_has_its_amount_and_its_rate(part: Part, said: str) -> None:
    """Where it took long enough for one."""
    assert part_in_words(part) == said
