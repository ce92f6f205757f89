"""A database whose backups only its criteria file names: a repository of pgBackRest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.core.errors import UsageError
from restore_drill.fleet.due import answer
from restore_drill.fleet.inventory import lines_of, load_inventory
from restore_drill.fleet.jobs import job_of
from restore_drill.fleet.known import known_of
from restore_drill.fleet.model import Needs
from restore_drill.fleet.sizing import needs_of
from tests.helpers.fleet_runs import GREEN, called, fleet
from tests.helpers.physical import source
from tests.helpers.repositories import STANZA, Rest, pgbackrest_repository
from tests.helpers.warm import run_module

pytestmark = pytest.mark.skipif(not shutil.which("pgbackrest"), reason="pgbackrest is missing")

CRITERIA = f"""
[backup]
pgbackrest = {{ stanza = "{STANZA}", config = "rest.conf" }}
"""


@pytest.fixture(scope="module")
def rest() -> Iterator[Rest]:
    """A repository with one backup of a real server."""
    with source(15, rows=200) as server:
        found = pgbackrest_repository(server)
        found.backup()
        server.switch()
        yield found


@pytest.fixture
def folder(rest: Rest, tmp_path: Path) -> Path:
    """An inventory of that repository, whose configuration lies beside the criteria file."""
    (tmp_path / "rest.toml").write_text(CRITERIA)
    shutil.copy(rest.config, tmp_path / "rest.conf")
    (tmp_path / "fleet.toml").write_text('[databases.shop]\ncriteria = "rest.toml"\n')
    return tmp_path


def test_it_is_drilled_and_remembered(folder: Path) -> None:
    """By a fleet, whose next run finds nothing due, and by a drill of its own likewise."""
    listed = fleet(folder, "list")
    done = fleet(folder, "run", "--due")
    output = done.stdout + done.stderr
    plain = json.loads((folder / "drill-report" / "fleet.json").read_text())
    again = fleet(folder, "matrix", "github", "--due")
    fleet_status = fleet(folder, "status")
    env = called(folder, DRILL_CRITERIA="rest.toml")
    status = run_module(["drill", "status"], cwd=folder, env=env, timeout=60)
    search = run_module(["drill", "bisect"], cwd=folder, env=env, timeout=60)

    assert f"pgBackRest, {folder / 'rest.conf'}, repository 1" in listed.stdout, listed.stderr
    assert [each["state"] in GREEN for each in plain["databases"]] == [True], output
    assert json.loads(again.stdout) == {"include": []}, again.stdout + again.stderr
    assert fleet_status.returncode == 0, fleet_status.stdout + fleet_status.stderr
    assert status.returncode == 0 and STANZA in status.stdout, status.stdout + status.stderr
    assert search.returncode == 4 and "--set LABEL" in search.stderr
    assert (folder / "state" / "restore-drill" / "places").is_dir()


def test_it_is_known_before_its_drill(
    folder: Path, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its newest set, what it needs, and what goes to a worker."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    shop = load_inventory(folder / "fleet.toml", {}).databases["shop"]
    known = known_of([shop])["shop"]

    assert (known.why, known.why_unnoted, len(known.newest)) == ("", "", 1)
    assert answer(known)[:2] == (True, "it has never been drilled")
    size = rest.info()[0]["backup"][-1]["info"]["size"]
    assert size < (needs_of(known).disk or 0) < 3 * (size + (1 << 30))
    assert {"drill/rest.toml", "drill/rest.conf"} == set(job_of(shop, Needs(1, 2, 3)).files)


def test_it_is_one_database_however_it_is_found(folder: Path, rest: Rest) -> None:
    """A list of the folder that holds the repository finds nothing new; another name is refused."""
    text = (folder / "fleet.toml").read_text()
    for source_ in (rest.path, rest.path.parent):
        (folder / "fleet.toml").write_text(f'{text}[[discover]]\nsource = "{source_}"\n')
        new = load_inventory(folder / "fleet.toml", {})
        assert not any("repo" in name or STANZA in name for name in new.undecided), lines_of(new)
    (folder / "fleet.toml").write_text(f'{text}[databases.two]\ncriteria = "rest.toml"\n')
    with pytest.raises(UsageError, match=r"'shop' .* has the very same backups"):
        load_inventory(folder / "fleet.toml", {})


@pytest.mark.parametrize(
    ("criteria", "more", "told"),
    [
        ("", "", "line 1, .*shop.*: give backups, .*/rest.toml names none"),
        (CRITERIA, 'series = "x"\n', "line 3, .*series chooses among backups, and the criteria"),
    ],
)
def test_what_names_no_place_is_refused(folder: Path, criteria: str, more: str, told: str) -> None:
    """With what to write."""
    (folder / "rest.toml").write_text(criteria)
    (folder / "fleet.toml").write_text(f'[databases.shop]\ncriteria = "rest.toml"\n{more}')
    with pytest.raises(UsageError, match=told):
        load_inventory(folder / "fleet.toml", {})
