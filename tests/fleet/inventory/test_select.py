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
        (["tier=[gs]*", "name=crm"], []),
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
        ("gold", "--select 'gold' is not a condition; write label=value or label!=value"),
        ("tier=", "is not a condition"),
        ("=gold", "is not a condition"),
        ("tier==gold", "--select 'tier==gold': write one =, not two"),
        ("tier=glod", "has tier=glod; did you mean 'gold'? There are gold, silver"),
        ("tier=Gold", "has tier=Gold; did you mean 'gold'?"),
        ("owner=x*", "no database has owner=x*; there are ana, ben"),
        ("region=us", "no database has region=us; there is eu"),
        ("name=crn", "did you mean 'crm'? There are crm, shop, shop_archive"),
    ],
)
def test_a_slip_selects_nothing_silently(inventory: Inventory, word: str, told: str) -> None:
    """It is refused, with what is known."""
    with pytest.raises(UsageError) as refused:
        selected(inventory, ["tier=gold", word])
    assert told in str(refused.value)
