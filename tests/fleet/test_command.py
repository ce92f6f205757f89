"""`restore-drill fleet` over real backups: here with two workers, and on workers of Dask."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jsonschema
import pytest

from restore_drill.fleet.report.schema import fleet_schema
from tests.helpers.fleet_runs import GREEN, called, fleet
from tests.helpers.fleets import processes
from tests.helpers.physical import source
from tests.helpers.shop import USUAL, Shops
from tests.helpers.shop_drills import CRITERIA
from tests.helpers.warm import run_module

INVENTORY = """
[defaults]
criteria = "criteria.toml"
every = "1d"
owner = "ann"
labels = { tier = "gold" }

[databases.plain]
backups = "plain"

[databases.archive]
backups = "archive"
owner = "bob"
labels = { tier = "silver" }

[databases.physical]
backups = "physical"
criteria = "none.toml"

[databases.damaged]
backups = "damaged"

[databases.engineless]
backups = "engineless"
target = "container"
environment = { DOCKER_HOST = "tcp://127.0.0.1:9" }

[databases.idle]
backups = "idle"

[run]
tries = 2
"""
STATES = {
    "plain": "passed", "archive": "passed", "physical": "passed", "damaged": "failed",
    "engineless": "could-not-run", "idle": "not-due",
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """A run in `folder`, which has ended."""

    folder: Path
    done: CompletedProcess[str]

    @property
    def top(self) -> Path:
        """Folder of its reports."""
        return self.folder / "drill-report"

    @property
    def plain(self) -> dict[str, Any]:
        """Its fleet.json, valid by its schema."""
        found: dict[str, Any] = json.loads((self.top / "fleet.json").read_text())
        jsonschema.validate(found, fleet_schema())
        return found

    @property
    def rows(self) -> Mapping[str, dict[str, Any]]:
        """What it says of each database."""
        return {each["name"]: each for each in self.plain["databases"]}


@pytest.fixture(scope="module")
def folder(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Backups of six databases, and their inventory."""
    top = tmp_path_factory.mktemp("fleet")
    (top / "fleet.toml").write_text(INVENTORY)
    (top / "criteria.toml").write_text(CRITERIA)
    (top / "none.toml").write_text("")
    for name in ("plain", "archive", "damaged", "engineless", "idle"):
        (top / name).mkdir()
        form = "custom.dump" if name == "archive" else "plain.sql"
        shutil.copy(shops.dump(USUAL, form), top / name / f"shop{Path(form).suffix}")
    path = top / "damaged" / "shop.sql"
    path.write_bytes(path.read_bytes().partition(b"COPY public.cards")[0])
    with source(15, rows=200) as server:
        shutil.copytree(server.base_backup("base", form="tar"), top / "physical" / "base")
    return top


@pytest.fixture(scope="module")
def ran(folder: Path) -> Ran:
    """All of them with two workers; the last one has been drilled just before."""
    encrypted = {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"}  # here nothing has a port
    first = fleet(folder, "run", "--only", "idle", "--report-dir", "first", **encrypted)
    assert first.returncode == 0, first.stdout + first.stderr
    return Ran(folder, fleet(folder, "run", "--due", "--workers", "2"))


def test_each_database_has_its_verdict(ran: Ran) -> None:
    """One each, and the exit code is that of the worst."""
    output = ran.done.stdout + ran.done.stderr
    states = {name: row["state"] for name, row in ran.rows.items()}

    assert {name: "passed" if each in GREEN else each for name, each in states.items()} == STATES, (
        output
    )
    assert ran.done.returncode == ran.plain["exit_code"] == 1, output
    assert {name: row["tries"] for name, row in ran.rows.items()} == dict.fromkeys(STATES, 1) | {
        "engineless": 2, "idle": 0,
    }  # fmt: skip
    assert ran.rows["idle"]["why"].startswith("passed ")
    assert "6 databases: 1 failed, 1 could not run, 3 passed, 1 not due" in output
    assert all(f"{name} " in output for name in STATES)


def test_reports_are_left(ran: Ran) -> None:
    """A page of all, those of each drill, and one suite for each database."""
    suites = ET.parse(ran.top / "junit.xml").getroot().findall("testsuite")  # noqa: S314 - ours

    assert sorted(each.get("name", "") for each in suites) == sorted(
        f"restore-drill: {name}" for name in STATES
    )
    assert (ran.top / "fleet.html").read_text().count("report.html") >= 4
    assert (ran.top / "fleet" / "plain" / "report.html").is_file()


def test_what_has_been_drilled_is_not_due(ran: Ran) -> None:
    """The failed one waits for a newer backup; the one that could not run is due at once."""
    done = fleet(ran.folder, "matrix", "github", "--due")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"include": [{"job": "engineless", "only": "engineless"}]}


def test_status_is_over_the_fleet(ran: Ran) -> None:
    """A line a database, exit code 1 where one has a problem."""
    done = fleet(ran.folder, "status")
    gold = fleet(ran.folder, "status", "--only", "plain", "idle")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "the last drill failed" in done.stdout and "plain" in done.stdout
    assert (gold.returncode, gold.stdout.count("OK")) == (0, 3), gold.stdout + gold.stderr


def test_list_shows_what_is_selected(folder: Path) -> None:
    """All, or by label, owner and name; from a folder below, too."""
    (below := folder / "below").mkdir(exist_ok=True)
    done = fleet(below, "list")
    some = fleet(below, "list", "--select", "tier=gold", "owner=ann", "name!=p*")

    assert done.returncode == 0, done.stderr
    assert all(f"\n{name} " in done.stdout for name in STATES)
    assert "6 databases" in done.stdout and "3 databases" in some.stdout
    assert "archive" not in some.stdout


def test_matrix_shares_jobs_out(folder: Path) -> None:
    """In at most so many jobs, for either system."""
    github = fleet(folder, "matrix", "github", "--jobs", "2")
    gitlab = fleet(folder, "matrix", "gitlab", "--select", "tier=silver")

    assert len(json.loads(github.stdout)["include"]) == 2, github.stderr
    assert list(json.loads(gitlab.stdout)) == ["drill archive"], gitlab.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--only", "plian"), "did you mean 'plain'?"),
        (("run", "--select", "teir=gold"), "did you mean 'tier'?"),
        (("run", "--select", "tier=lead"), "has tier=lead; there are gold, silver"),
        (("run", "--select", "tier=gold", "owner=bob"), "meets all conditions of --select; see "),
        (("run", "--workers", "0"), "must be a whole number, 1 or more, not '0'"),
        (("run", "--workers", "2", "--scheduler", "tcp://h:1"), "not allowed with"),
        (("run", "--scheduler", "nonsense"), "'nonsense' is not tcp://host:port or tls://"),
        (("run", "--scheduler", "http://127.0.0.1:8786"), "is not tcp://host:port"),
        (("run", "--scheduler", "tcp://127.0.0.1:x"), "is not tcp://host:port"),
        (("run", "--scheduler", "tcp://127.0.0.1"), "is not tcp://host:port"),
        (("run", "--inventory", "nowhere.toml"), "nowhere.toml"),
        (("list", "--inventroy", "x"), "did you mean --inventory?"),
        (("run", "--json"), "run has no --json, an option of status;"),
        (("list", "--due"), "list has no --due, an option of run and matrix;"),
        (("status", "--jsn"), "did you mean --json?"),
        (("status", "--metrics-file", "fleet.toml"), "'fleet.toml' must end with .prom"),
        (("status", "--metrics-file", "folder.prom"), "'folder.prom' is no regular file"),
        (("matrix", "jenkins"), "invalid choice"),
        (("matrix",), "required: github|gitlab;"),
        ((), "required"),
    ],
)  # fmt: skip
def test_wrong_calls_are_refused(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    """With exit code 4 and what was meant."""
    (folder / "folder.prom").mkdir(exist_ok=True)
    done = fleet(folder, *arguments)

    assert (done.returncode, done.stdout) == (4, ""), done.stdout + done.stderr
    assert words in done.stderr


def test_without_an_inventory_it_says_how_to_begin(tmp_path: Path) -> None:
    """`fleet init` prints one that `fleet list` takes."""
    none = fleet(tmp_path, "list")
    example = fleet(tmp_path, "init")
    (tmp_path / "fleet.toml").write_text(example.stdout)
    listed = fleet(tmp_path, "list")

    assert none.returncode == 4 and "fleet init > fleet.toml" in none.stderr
    assert (example.returncode, listed.returncode) == (0, 0), listed.stderr
    assert "shop" in listed.stdout


def test_a_scheduler_that_does_not_answer_is_told(folder: Path) -> None:
    """Exit code 6; nothing was begun, and the reports say so."""
    done = fleet(
        folder, "run", "--scheduler", "tcp://127.0.0.1:9", "--only", "plain", "--report-dir", "no"
    )
    found = Ran(folder, done)

    assert done.returncode == 6 and "does not answer" in done.stderr, done.stdout + done.stderr
    plain = json.loads((folder / "no" / "fleet.json").read_text())
    assert [each["state"] for each in plain["databases"]] == ["not-begun"]
    assert found.folder == folder


def test_reports_that_cannot_be_written_are_told_first(folder: Path) -> None:
    """Before an hour of drills; and what an earlier run has left is no verdict of this one."""
    (folder / "file").touch()
    (folder / "no").mkdir(exist_ok=True)
    (folder / "no" / "fleet.json").write_text("{}")
    nowhere = fleet(folder, "run", "--only", "plain", "--report-dir", "file")
    refused = fleet(folder, "run", "--scheduler", "tls://127.0.0.1:9", "--report-dir", "no")

    assert nowhere.returncode == 6 and "cannot be written" in nowhere.stderr
    assert "PASSED" not in nowhere.stdout and refused.returncode == 6
    assert json.loads((folder / "no" / "fleet.json").read_text())["exit_code"] == 6


def test_several_series_are_no_database(folder: Path, shops: Shops) -> None:
    """One drill has one verdict: the run says what to write, and drills nothing of them."""
    (own := folder / "several").mkdir(exist_ok=True)
    for name in ("crm", "erp"):
        (own / "dumps" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(shops.dump(USUAL, "plain.sql"), own / "dumps" / name / f"{name}.sql")
    (own / "fleet.toml").write_text("[databases.both]\nbackups = 'dumps'\n")
    done = fleet(own, "run")

    assert done.returncode == 6, done.stdout + done.stderr
    assert "NOT BEGUN      both  its backups are of several series, and a drill is of one: " in (
        done.stdout
    )
    lines = [line.strip() for line in done.stdout.splitlines()]
    for number, name in enumerate(("crm", "erp")):  # either way, as it was copied
        one = next(line for line in lines if line.startswith("series = ") and name in line)
        (own / "fleet.toml").write_text(f"[databases.both]\nbackups = 'dumps'\n{one}\n")
        assert "1 database" in fleet(own, "list").stdout, number
    there = lines.index("[[discover]]")
    (own / "fleet.toml").write_text("\n".join(lines[there : there + 2]))
    assert "2 databases, 2 new" in fleet(own, "list").stdout


def test_a_place_that_cannot_be_listed_is_one_row(folder: Path, shops: Shops) -> None:
    """The other databases are drilled; every command shows it, and a job of CI can name it."""
    (own := folder / "unlisted").mkdir(exist_ok=True)
    (own / "good").mkdir(exist_ok=True)
    shutil.copy(shops.dump(USUAL, "plain.sql"), own / "good" / "shop.sql")
    place = str(own / "gone")
    (own / "fleet.toml").write_text(
        "[databases.shop]\nbackups = 'good'\n[databases.lost]\nbackups = 'nowhere'\n"
        "[[discover]]\nsource = 'gone'\nowner = 'ann'\n"
    )
    done = fleet(own, "run")
    rows = Ran(own, done).rows
    listed, status = fleet(own, "list"), fleet(own, "status")
    matrix = fleet(own, "matrix", "github", "--due")
    jobs = [each["job"] for each in json.loads(matrix.stdout)["include"]]
    by_owner = fleet(own, "list", "--select", "owner=ann")
    (own / "gone").mkdir()
    shutil.copy(own / "good" / "shop.sql", own / "gone" / "crm.sql")
    job = fleet(own, "run", "--only", place)
    lost = fleet(own, "run", "--only", "lost")

    assert done.returncode == 6, done.stdout + done.stderr
    assert rows["shop"]["state"] in GREEN and rows["lost"]["state"] == "could-not-run", rows
    assert rows[place]["state"] == "could-not-run" and "does not exist" in rows[place]["why"]
    assert f"COULD NOT RUN  {place}  it does not exist; " in done.stdout
    assert listed.returncode == 6 and f"COULD NOT RUN  {place}: it does not exist" in listed.stdout
    assert status.returncode == 1 and "PROBLEM (ann): it does not exist; " in status.stdout
    assert matrix.returncode == 0 and sorted(jobs) == sorted(["lost", place]), jobs
    assert place in by_owner.stdout and "0 databases" in by_owner.stdout
    assert job.returncode == 0 and "PASSED" in job.stdout and "crm" in job.stdout, job.stderr
    assert lost.returncode == 6 and f"backups names {own / 'nowhere'}, which does" in lost.stdout


def test_a_missing_certificate_is_told(folder: Path) -> None:
    """At once, and with the variables that name one."""
    done = fleet(folder, "run", "--scheduler", "tls://127.0.0.1:9", "--report-dir", "no")

    assert done.returncode == 6 and "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in done.stderr


def test_an_address_without_the_encryption_that_is_required_is_told(folder: Path) -> None:
    """At once, without a traceback."""
    done = fleet(
        folder, "run", "--scheduler", "tcp://127.0.0.1:9", "--report-dir", "no",
        DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION="true",
    )  # fmt: skip

    assert done.returncode == 6 and "begins with tls://" in done.stderr, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def there(folder: Path, ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """A run over three of them on the workers a and b."""
    assert ran.done.returncode == 1
    place = tmp_path_factory.mktemp("far")
    with processes(place, "a", "b") as cluster:
        done = fleet(
            folder, "run", "--scheduler", cluster.address, "--only", "plain", "archive", "damaged",
            BACKUP_PATH="/nowhere", DRILL_SERIES="none",
        )  # fmt: skip
        yield Ran(folder, done)


def test_workers_of_dask_drill(there: Ran) -> None:
    """Both have drilled, and each database has one verdict."""
    output = there.done.stdout + there.done.stderr

    assert there.done.returncode == 1, output
    assert {row["worker"] for row in there.rows.values()} == {"a", "b"}, output
    assert there.rows["damaged"]["state"] == "failed"
    assert all(there.rows[each]["state"] in GREEN for each in ("plain", "archive"))


@pytest.mark.parametrize(
    "command", [["fleet", "list"], ["fleet", "status"], ["--collect-only", "-q"]], ids=" ".join
)
def test_nothing_of_dask_is_loaded(folder: Path, command: list[str]) -> None:
    """By a list, or by a plain drill."""
    code = (
        f"import sys; from fixtures.commands import main; main({command!r}); "
        "print([each for each in ('distributed', 'dask', 'tornado') if each in sys.modules])"
    )
    done = run_module(
        ["tests.helpers.script", code], cwd=folder, timeout=60,
        env=called(folder, BACKUP_PATH=str(folder / "plain")),
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > len(STATES)
