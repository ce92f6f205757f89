"""What a foreign key that does not hold is called: rows that lack theirs, or nobody knows."""

from __future__ import annotations

import pytest

from drill.test_relations import test_foreign_keys_hold as criterion
from restore_drill.facts.model import Facts
from restore_drill.facts.records import ForeignKey


@pytest.mark.parametrize(
    ("orphans", "said"),
    [(2, "public.cards has orphan rows"), (None, "keys of public.cards cannot be checked")],
)
def test_rows_that_cannot_be_read_are_no_orphans(orphans: int | None, said: str) -> None:
    """Whoever reads of orphans searches the source for them."""
    error = "" if orphans else "invalid page in block 2 of relation base/16384/16397"
    key = ForeignKey("key", "public.cards", ("a",), "public.artists", orphans, error)
    with pytest.raises(AssertionError, match=said) as failure:
        criterion("public.cards", Facts(rows={}, foreign_keys=(key,)))
    assert ("triggers" in str(failure.value)) == bool(orphans)
