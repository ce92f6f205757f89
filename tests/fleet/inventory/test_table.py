"""The table of a fleet, as `fleet list` shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from restore_drill.fleet.inventory import lines_of
from restore_drill.fleet.model import Database, Inventory

SHOP = Database(
    "shop", "fleet.toml, line 1", backups="s3://backups/prod/shop", series="prod/shop",
    owner="platform", every=604800, labels={"tier": "gold", "region": "eu"},
)  # fmt: skip
LEDGER = Database("ledger\x1b[31m", "fleet.toml, line 9", backups="s3://b/all", series="ledger")
HINT = "; name it under [databases], or add it to ignore:"


KEYS = "Other keys of [[discover]] do not apply to what is named: copy those it needs."


def test_new_databases_are_marked() -> None:
    """Each has a line, and no escape code of a name reaches the terminal."""
    both = {each.name: each for each in (SHOP, LEDGER)}
    lines = lines_of(Inventory(Path("fleet.toml"), both, (LEDGER.name,)))

    assert lines == [
        "name              source        series     owner     every  labels",
        "shop              s3://backups  prod/shop  platform  7 d    region=eu tier=gold",
        r"* ledger\x1b[31m  s3://b        ledger     -         -      -",
        "",
        f"2 databases, 1 new (*): it is drilled with the defaults{HINT}",
        "",
        r'    [databases."ledger\u001b[31m"]',
        '    backups = "s3://b/all"',
        '    series = "ledger"',
        "",
        KEYS,
    ]


def test_three_new_databases_are_written_out() -> None:
    """The others are counted."""
    found = [replace(SHOP, name=f"db{number}", series=f"s{number}") for number in range(5)]
    all_new = {each.name: each for each in found}
    lines = lines_of(Inventory(Path("fleet.toml"), all_new, tuple(all_new)))

    assert "    [databases.db2]" in lines and "    [databases.db3]" not in lines
    assert lines[-1] == f"Likewise for the 2 others. {KEYS}"


def test_nothing_is_said_where_all_are_named() -> None:
    """But for their number."""
    lines = lines_of(Inventory(Path("fleet.toml"), {"shop": SHOP}))
    assert lines[-1] == "1 database"
