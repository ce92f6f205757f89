"""Damages of the corpus of physical backups, of each kind some; `make corpus` has all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.corpus.physical.model import Damage
from tests.corpus.physical.sources import Lab, Made
from tests.corpus.physical.table import GROUPS, done

CHOSEN = (
    ("files", "bit of a value that no index holds"), ("files", "index page zeroed"),
    ("files", "page zeroed that VACUUM has seen"), ("files", "catalog: pg_attribute page zeroed"),
    ("wal", "segment missing"), ("wal", "bit in a record"), ("wal", "gap before a time"),
    ("before", "files swapped"), ("before", "bit inside, packed anew"),
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    """A server without checksums: there the files themselves must tell more."""
    with closing(Lab()) as lab:
        yield lab.of(15, checksums=False)


def damage_of(made: Made, group: str, what: str) -> Damage:
    """The damage of that name."""
    return next(each for each in GROUPS[group](made) if each.what == what)


@pytest.mark.parametrize(("group", "what"), CHOSEN)
def test_damage_is_named_by_the_right_criterion(group: str, what: str, made: Made) -> None:
    """Or nothing can notice it, and then no peer does."""
    row = done(made, damage_of(made, group, what))

    assert not row.why_not, row.message()
