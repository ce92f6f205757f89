"""`--select`: conditions on names, owners and labels."""

from __future__ import annotations

import pytest

from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory import selected
from restore_drill.fleet.model import Inventory
from tests.fleet.inventory.conftest import Load

TEXT = """
[databases.shop]
backups = "/a"
owner = "ana"
labels = { tier = "gold", region = "eu" }
[databases.shop_archive]
backups = "/b"
owner = "ben"
labels = { tier = "silver" }
[databases.crm]
backups = "/c"
"""


@pytest.fixture
def inventory(load: Load) -> Inventory:
    """Three databases."""
    return load(TEXT)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], ["shop", "shop_archive", "crm"]),
        (["tier=gold"], ["shop"]),
        (["tier!=gold"], ["shop_archive", "crm"]),
        (["tier=*"], ["shop", "shop_archive"]),
        (["tier!=*"], ["crm"]),
        (["name=shop*"], ["shop", "shop_archive"]),
        (["name = shop* ", "owner!=ana"], ["shop_archive"]),
        (["owner=ana"], ["shop"]),
        (["tier=[gs]*", "region=us"], []),
        (["tier=Gold"], []),
    ],
)
def test_all_conditions_must_hold(inventory: Inventory, words: list[str], names: list[str]) -> None:
    """In the order of the inventory."""
    assert [each.name for each in selected(inventory, words)] == names


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("teir=gold", "no database has the label 'teir'; did you mean 'tier'?"),
        ("colour=red", "has the label 'colour'; known are name, owner, region, tier"),
        ("gold", "--select 'gold' is no condition; write label=value or label!=value"),
        ("tier=", "is no condition"),
        ("=gold", "is no condition"),
    ],
)
def test_a_slip_selects_nothing_silently(inventory: Inventory, word: str, told: str) -> None:
    """It is refused, with what is known."""
    with pytest.raises(UsageError) as refused:
        selected(inventory, ["tier=gold", word])
    assert told in str(refused.value)
