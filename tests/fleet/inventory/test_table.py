"""The table of a fleet, as `fleet list` shows it."""

from __future__ import annotations

from pathlib import Path

from restore_drill.fleet.inventory import lines_of
from restore_drill.fleet.model import Database, Inventory

SHOP = Database(
    "shop", "fleet.toml, line 1", backups="s3://backups/prod/shop", series="prod/shop",
    owner="platform", every=604800, labels={"tier": "gold", "region": "eu"},
)  # fmt: skip
LEDGER = Database("ledger\x1b[31m", "fleet.toml, line 9", backup="/srv/ledger.dump")
HINT = "; name it under [databases], or ignore under [[discover]]"


def test_new_databases_are_marked() -> None:
    """Each has a line, and no escape code of a name reaches the terminal."""
    both = {each.name: each for each in (SHOP, LEDGER)}
    lines = lines_of(Inventory(Path("fleet.toml"), both, (LEDGER.name,)))

    assert lines == [
        "name              source            series     owner     every  labels",
        "shop              s3://backups      prod/shop  platform  7 d    region=eu tier=gold",
        r"* ledger\x1b[31m  /srv/ledger.dump  -          -         -      -",
        "",
        f"2 databases, 1 new (*): it is drilled by the defaults{HINT}",
    ]


def test_nothing_is_said_where_all_are_named() -> None:
    """But for their number."""
    lines = lines_of(Inventory(Path("fleet.toml"), {"shop": SHOP}))
    assert lines[-1] == "1 database"
