"""A small part of the corpus of damaged backups of Redis; `make corpus ARGS=redis` has all."""

from __future__ import annotations

import pytest

from tests.corpus.redis.damages import EITHER, RED, TOLD
from tests.corpus.redis.healthy import HEALTHY
from tests.corpus.redis.table import cases, seen_of, why_red

EVERY = list(cases())
SOME = EVERY[::7]


def test_the_corpus_is_large_enough() -> None:
    """Sixty damages for each family of servers, and twenty healthy ones."""
    assert len(EVERY) >= 2 * 60 and len(HEALTHY) >= 20
    assert {family for family, *_ in EVERY} == {"Redis", "Valkey"}


@pytest.mark.parametrize("case", SOME, ids=lambda case: f"{case[0]} {case[1]}")
def test_a_damaged_backup_is_red_or_told(case: tuple[str, str, str, object]) -> None:
    """As the catalogue says of it."""
    _, _, must, make = case
    seen, words = seen_of(make())  # type: ignore[operator]
    assert seen in ((RED, TOLD) if must == EITHER else (must,)), words


@pytest.mark.parametrize("what", ["streams with groups", "many databases", "any bytes"])
def test_a_healthy_backup_is_whole(what: str) -> None:
    """Its digest is that of its source, in a server of the other family too."""
    assert why_red("Valkey", HEALTHY[what]) == ""
