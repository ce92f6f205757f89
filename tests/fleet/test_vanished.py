"""Databases whose backups have vanished: a fleet is red until somebody says that they may."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from restore_drill.watch.history import load_history
from tests.helpers.fleet_runs import GREEN, fleet
from tests.helpers.shop import USUAL, Shops

INVENTORY = """
[defaults]
every = "1d"
[databases.auth]
backups = "named"
series = "auth"
[databases.hr]
backups = "named"
series = "hr"
[[discover]]
source = "found"
"""


def states(folder: Path, *options: str) -> tuple[int, dict[str, str], str]:
    """Exit code of a run in `folder`, what became of each database, and all that was said."""
    done = fleet(folder, "run", "--workers", "2", *options)
    plain = json.loads((folder / "drill-report" / "fleet.json").read_text())
    found = {each["name"]: each["state"] for each in plain["databases"]}
    return done.returncode, found, done.stdout + done.stderr


def test_what_has_vanished_fails(shops: Shops, tmp_path: Path) -> None:
    """Where drills have proved it once: found by discovery or named, until it is ignored.

    A name that no drill knows is a mistake in the inventory.
    """
    for name in ("found/shop/shop.sql", "found/crm/crm.sql", "named/auth.sql", "named/hr.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / name)
    (tmp_path / "fleet.toml").write_text(INVENTORY)
    code, before, output = states(tmp_path)
    assert (code, set(before)) == (0, {"auth", "hr", "shop/shop", "crm/crm"}), output

    shutil.rmtree(tmp_path / "found" / "crm")
    (tmp_path / "named" / "hr.sql").unlink()
    code, after, output = states(tmp_path, "--due")
    assert (code, after["crm/crm"], after["hr"]) == (1, "failed", "failed"), output
    noted = load_history(tmp_path / "named" / ".drill" / "history.jsonl").drills[-1]
    assert (noted.series, noted.verdict) == ("named/hr", "failed"), noted
    assert output.count("is left in") >= 2 and after["shop/shop"] == "not-due", output

    text = INVENTORY.replace('series = "hr"', 'series = "hrr"') + 'ignore = ["crm"]\n'
    (tmp_path / "fleet.toml").write_text(text)
    code, last, output = states(tmp_path, "--only", "shop/shop", "hr")
    assert last["hr"] == "could-not-run" and "'hrr', and there is no such series" in output
    assert last["shop/shop"] in GREEN and "crm" not in fleet(tmp_path, "list").stdout
