"""A backup that has failed before and is not due: what its drill found is shown until the next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.helpers.fleet_runs import fleet
from tests.helpers.shop import USUAL, Shops


def test_what_failed_before_has_its_finding_and_its_report(shops: Shops, tmp_path: Path) -> None:
    """In the line, in fleet.json and on the page; there is no report where that is gone."""
    (tmp_path / "backups").mkdir()
    path = tmp_path / "backups" / "shop.sql"
    shutil.copy(shops.dump(USUAL, "plain.sql"), path)
    path.write_bytes(path.read_bytes().partition(b"COPY public.cards")[0])
    (tmp_path / "fleet.toml").write_text("[databases.shop]\nbackups = 'backups'\n")
    top = tmp_path / "drill-report"
    folder, link = top / "fleet" / "shop", 'href="fleet/shop/report.html"'
    first = fleet(tmp_path, "run")
    again = fleet(tmp_path, "run", "--due")
    (row,) = json.loads((top / "fleet.json").read_text())["databases"]

    assert (first.returncode, again.returncode) == (1, 1), first.stdout + again.stderr
    assert (row["state"], row["still_failed"], row["reports"]) == ("failed", True, str(folder))
    assert row["findings"] >= 1 and "shop.sql is damaged" in row["why"], row["why"]
    assert "; its last drill failed " in row["why"] and "is damaged" in again.stdout
    assert row["backup"] == "shop.sql" and row["bytes"] and row["started_at"], row
    lines = [line for line in again.stdout.splitlines() if line.startswith("STILL FAILED")]
    assert all(line.count("shop.sql") == 1 for line in lines), lines
    assert "its last drill failed" not in again.stdout
    assert "do not rely on the backups of shop" in again.stdout
    assert link in (top / "fleet.html").read_text()

    jobs = fleet(tmp_path, "matrix", "github", "--due")
    assert json.loads(jobs.stdout) == {"include": []}
    assert jobs.stderr == "still failed, and not due: shop\n"

    shutil.rmtree(folder)
    fleet(tmp_path, "run", "--due")
    (row,) = json.loads((top / "fleet.json").read_text())["databases"]
    assert row["reports"] is None and "shop.sql is damaged" in row["why"]
    assert link not in (top / "fleet.html").read_text()
