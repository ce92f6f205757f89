"""`--only`: names of databases, and places whose databases are meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.core.errors import UsageError
from restore_drill.fleet.meant import names_meant, path_of
from restore_drill.fleet.model import Database, Inventory


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("shop", {"shop"}),
        ("s3://backups", {"crm", "erp"}),
        ("s3://backups/", {"crm", "erp"}),
        ("place", {"here"}),
        ("./place/", {"here"}),
    ],
)
@pytest.mark.parametrize("is_folder", [False, True])
def test_a_place_is_named_as_the_inventory_has_it(
    tmp_path: Path, word: str, names: set[str], *, is_folder: bool
) -> None:
    """With a slash at its end, or counted from the fleet file, wherever the command is called."""
    path = tmp_path if is_folder else tmp_path / "fleet.toml"
    found = {"s3://backups": ["crm", "erp"], str(tmp_path / "place"): ["here"]}
    everything = ["shop", "crm", "erp", "here"]
    inventory = Inventory(path, {each: Database(each, "") for each in everything}, found=found)

    assert names_meant([word], inventory) == names
    with pytest.raises(UsageError, match="has no database 'places'"):
        names_meant(["places"], inventory)


def test_of_two_inventories_none_is_taken_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is named is; a folder further up is none of two."""
    (folder := tmp_path / "deep").mkdir()
    (folder / "fleet.toml").touch()
    (tmp_path / "fleet.d").mkdir()
    monkeypatch.chdir(folder)
    assert path_of(None, {}) == folder / "fleet.toml"

    (folder / "fleet.d").mkdir()
    with pytest.raises(UsageError) as refused:
        path_of(None, {})
    both = f"{folder / 'fleet.toml'} and {folder / 'fleet.d'}"
    assert f"there are two inventories, {both}; name one with --inventory" in str(refused.value)
    assert path_of("fleet.d", {}) == path_of(None, {"DRILL_FLEET": "fleet.d"}) == Path("fleet.d")
