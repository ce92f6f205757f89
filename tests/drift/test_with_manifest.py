"""Drift beside a manifest: the copy equals its source, and the source has lost something."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.commands import main
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

SOURCE = """
CREATE TABLE artists (id integer PRIMARY KEY);
CREATE TABLE cards (id integer PRIMARY KEY, artist integer REFERENCES artists);
INSERT INTO artists SELECT generate_series(1, 10);
INSERT INTO cards SELECT n, n FROM generate_series(1, 10) n;
"""
DROP_KEY = "ALTER TABLE cards DROP CONSTRAINT cards_artist_fkey"
KEY = "constraint public.cards.cards_artist_fkey"

Saved = Callable[..., Drill]


def url_of(target: Target) -> str:
    """DATABASE_URL of `target`."""
    host = target.conninfo["host"].replace("/", "%2F")
    port, name = target.conninfo["port"], target.conninfo["dbname"]
    return f"postgresql://{target.conninfo['user']}@{host}:{port}/{name}"


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """Function that backs a database up with its manifest, and drills that backup."""
    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setenv("BACKUP_PATH", str(folder))

    def run(source: Target, system: str = "") -> Drill:
        monkeypatch.setenv("DATABASE_URL", url_of(source))
        number = len(list(folder.iterdir()))
        assert main(["backup"]) == 0
        if system:
            newest = max(folder.glob("*.manifest.json"))
            raw = json.loads(newest.read_text())
            assert raw["system_identifier"] not in ("", system)
            newest.write_text(json.dumps(raw | {"system_identifier": system}))
        return run_drill(report_dir=tmp_path / f"report{number}", BACKUP_PATH=str(folder))

    return run


def test_loss_before_the_dump_is_red_beside_a_valid_manifest(saved: Saved, shops: Shops) -> None:
    """The manifest holds, the drift does not; accepted, the same source is green and proven."""
    source = shops.database(15, "beside_manifest")
    fill_shop(source, SOURCE)
    first = saved(source)
    fill_shop(source, DROP_KEY)
    red = saved(source)
    accepted = main(["accept", "--reason=cards of nobody", KEY])
    green = saved(source)

    assert first.code == 0 and first.result["strength"] == "proven", first.output
    assert set(red.failed) == {"test_nothing_was_lost"}, red.output
    assert KEY in red.failed["test_nothing_was_lost"]
    assert accepted == 0
    assert green.code == 0 and green.result["strength"] == "proven", green.output


def test_another_server_behind_the_same_names_is_reported(saved: Saved, shops: Shops) -> None:
    """The manifest carries the cluster's identity: a database of the same name is not the same."""
    source = shops.database(15, "twin")
    fill_shop(source, SOURCE)
    first = saved(source)
    # all clusters of these tests are copies of one, and so share its identifier
    other = saved(source, "7300000000000000001")

    assert first.code == 0, first.output
    assert set(other.failed) == {"test_database_is_the_same"}, other.output
    told = other.failed["test_database_is_the_same"]
    assert "database twin comes from another server" in told
    assert "check which database the job dumps" in told


def test_another_database_of_the_same_scheme_is_reported_with_backup_alone(
    shops: Shops, tmp_path: Path
) -> None:
    """With --backup alone and without a manifest the archive's name of its database shows it."""
    codes = []
    for number, name in enumerate(["scheme_one", "scheme_two"]):
        source = shops.database(15, name)
        fill_shop(source, SOURCE)
        stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime(time.time() - 100 + number))
        path = pg_dump(source, tmp_path / f"backup_{stamp}.dump", "-Fc")
        codes.append(run_drill(f"--backup={path}", report_dir=tmp_path / f"report{number}"))

    first, second = codes
    assert first.code == 0, first.output
    assert set(second.failed) == {"test_database_is_the_same"}, second.output
    assert ("is a different one: it used to be scheme_one") in second.failed[
        "test_database_is_the_same"
    ]
