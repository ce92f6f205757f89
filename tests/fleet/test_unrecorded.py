"""A fleet whose history cannot be written: the drills count, and people hear of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.helpers.fleet_runs import fleet
from tests.helpers.shop import USUAL, Shops

NOWHERE = "/proc/nowhere/history.jsonl"


def test_what_is_not_recorded_is_a_warning(shops: Shops, tmp_path: Path) -> None:
    """With the words of the drill, in the line, the summary, the page and fleet.json."""
    (tmp_path / "backups").mkdir()
    shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / "backups" / "shop.sql")
    (tmp_path / "fleet.toml").write_text("[databases.shop]\nbackups = 'backups'\n")
    done = fleet(tmp_path, "run", DRILL_HISTORY=NOWHERE)
    top, why = tmp_path / "drill-report", f"This drill was not recorded in {NOWHERE}: "
    plain = json.loads((top / "fleet.json").read_text())
    (row,) = plain["databases"]

    assert (done.returncode, plain["verdict"]) == (0, "passed"), done.stdout + done.stderr
    assert row["state"] == "warnings" and row["warnings"] >= 1
    assert row["not_recorded"].startswith(why) and row["not_recorded"] in done.stdout
    assert "see that the drills of shop are recorded" in done.stdout
    assert row["not_recorded"] in (top / "fleet.html").read_text()
