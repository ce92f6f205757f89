"""A drill in small: the real reporting plugins over criteria that do what a test asks for."""

from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.result_schema import checked
from tests.helpers.warm import run_module

ROOT = Path(__file__).parents[2]
FILES = {"report.html", "junit.xml", "result.json"}
SECRET = "p@ss/w#rd:é'x"
DATABASE_URL = "postgresql://drill:p%40ss%2Fw%23rd%3A%C3%A9%27x@db.example/shop"

CONFTEST = """
import os

MODE = os.environ.get("MODE", "").split(",")
STAGES = ("run", "options", "verdict", "report")
pytest_plugins = tuple(f"fixtures.{name}" for name in STAGES)


def pytest_runtest_protocol(item):
    if "internal" in MODE and "redis" in item.name:
        raise RuntimeError("the drill itself is broken, secret " + os.environ["SECRET"])
"""

CRITERIA = '''
"""Criteria whose outcome is what MODE says."""

import os
import sys
import time
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault, CouldNotRun, message

MODE = os.environ.get("MODE", "").split(",")
SECRET = os.environ.get("SECRET", "")
TABLES = ["public.cards", "public.artists"]
TABLES += [f"public.table_{n:03}" for n in range(300)] if "many" in MODE else []
TABLES += ["public.<script>alert(1)</script>", "public.a&b|c"] if "evil" in MODE else []


def interrupt_between_lines():
    raise KeyboardInterrupt


interrupt_between_lines.__code__ = interrupt_between_lines.__code__.replace(co_linetable=b"")


@pytest.fixture(scope="session")
def backup(record, steps):
    steps.step(1, "Selecting latest backup")
    if "notfound" in MODE:
        raise BackupFault("no backup was found", remedy=["see that the backup job runs"])
    with record.stage("select"):
        steps.progress("reading a very long path: " + "x" * 200)
        record.sample = "sample" in MODE
    record.backup = {
        "path": "/srv/backups/db/backup_20261123_050001.sql",
        "format": "plain SQL, gzip",
        "bytes": 26_214_400,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "taken_at": "2026-11-23T05:00:01+00:00",
        "age_seconds": 12345.6,
        "source_version": "16.4",
        "dumped_by": "16.4",
    }
    steps.ok("Using backup: backup_20261123_050001.sql")


@pytest.fixture(scope="session")
def restored(backup, record, steps):
    record.target = {"kind": "embedded", "server_version": "16.15"}
    if "noserver" in MODE:
        raise CouldNotRun("no server could be had", checked=["PyPI"], remedy=["install one"])
    with record.stage("restore"):
        time.sleep(0.05)
    for table in TABLES:
        wrong = "wrong" in MODE and table == "public.cards"
        facts = {"rows": 0 if wrong else 1000, "expected": "exactly 1,000 (backup)"}
        record.tables[table] = facts | {"ok": not wrong}
    record.facts["revenue"] = {
        "value": 12345.5, "expected": "at least 1", "ok": True, "description": "sum of purchases"
    }
    if "evil" in MODE:
        record.notes.append("harmless: <img src=x onerror=alert(2)> | secret " + SECRET)
        steps.warn("said on the terminal: " + SECRET)
        record.skip("a <b>thing</b>", "because of `that` | and *this*")
    yield
    record.notes.append("the target was cleaned up")
    if "teardown" in MODE:
        raise CouldNotRun("the target could not be cleaned up")


@pytest.mark.select
def test_backup_is_complete(backup):
    """The backup can be read to its very end."""


@pytest.mark.verify
@pytest.mark.reads_rows
@pytest.mark.parametrize("table", TABLES, ids=TABLES)
def test_table_has_rows(restored, record, table):
    """A table holds the rows & keys that lie in the backup.

    More is told here.
    """
    if "skiprows" in MODE:
        pytest.skip("the rows are out of reach")
    assert record.tables[table]["rows"] == 1000, message(
        f"{table} has 0 rows, the backup holds 1,000", ["its rows"], ["read the <log>"]
    )


@pytest.mark.verify
def test_foreign_keys_hold(restored):
    """No row refers to a row that is not there."""
    if "hang" in MODE:
        Path("hanging").touch()
        time.sleep(60)
    if "noline" in MODE:
        interrupt_between_lines()
    if "secret" in MODE:
        print("printed", SECRET)
        raise AssertionError(f"no way in with {SECRET!r} at {os.environ['DATABASE_URL']}")


@pytest.mark.redis
def test_redis_answers(record):
    """Redis answers PING."""
    with record.stage("redis"):
        record.redis = {"where": "127.0.0.1:6379/0", "keys": 42, "latency_median": 0.00034}
    record.skip("your own Redis", "REDIS_URL is unset")
    if "bug" in MODE:
        {}["key"]


@pytest.mark.redis
def test_redis_keeps_keys():
    """Keys are kept."""
    if "skip" in MODE:
        pytest.skip("REDIS_URL is unset")
    if "waived" in MODE:
        pytest.xfail("until Friday")
'''


@dataclass(frozen=True)
class Done:
    """A finished run of the drill in small: what it said, and the files that it left."""

    code: int
    out: str
    folder: Path

    @property
    def result(self) -> dict[str, Any]:
        """result.json."""
        found: dict[str, Any] = json.loads((self.folder / "result.json").read_text("utf-8"))
        return checked(found)

    @property
    def page(self) -> Path:
        """report.html."""
        return self.folder / "report.html"

    @property
    def suite(self) -> ET.Element:
        """The suite in junit.xml."""
        found = ET.parse(self.folder / "junit.xml").getroot().find("testsuite")  # noqa: S314
        assert found is not None
        return found

    @property
    def properties(self) -> dict[str, str]:
        """Properties of the JUnit suite."""
        found = self.suite.iterfind("properties/property")
        return {each.attrib["name"]: each.attrib["value"] for each in found}

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome of each criterion by its name."""
        return {c["id"].split("::")[-1]: c["outcome"] for c in self.result["checks"]}

    @property
    def files(self) -> set[str]:
        """Names of the files in the report directory, beside the folders of runs."""
        return {path.name for path in self.folder.iterdir() if path.is_file()}

    @property
    def runs(self) -> list[Path]:
        """Folders of the runs, by name."""
        found = self.folder.iterdir()
        return sorted(path for path in found if path.is_dir() and not path.is_symlink())


def make_project(folder: Path) -> Path:
    """Lay the drill in small out in `folder`, with a directory of backups beside it."""
    (folder / "drill").mkdir(parents=True)
    (folder / "backups").mkdir()
    for name in ("pytest.ini", "drill/criteria.toml", "drill/sample.toml"):
        (folder / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    (folder / "drill" / "test_small.py").write_text(CRITERIA, "utf-8")
    return folder


def make_project_of_tables(folder: Path, criteria: str) -> Path:
    """Make one with `criteria` over tables, of which one item may ask about many."""
    made = make_project(folder)
    stages = '"verdict", "waivers", "one_by_one"'
    (made / "conftest.py").write_text(CONFTEST.replace('"verdict"', stages), "utf-8")
    (made / "drill" / "test_small.py").write_text(criteria, "utf-8")
    return made


def environment(project: Path, mode: str, **variables: str) -> dict[str, str]:
    """Environment of a run: this one's without settings of a drill, and `variables`."""
    foreign = ("DRILL_", "PYTEST", "GITHUB_", "BACKUP_PATH", "DATABASE_URL", "REDIS_URL", "LC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    fixed = {
        "MODE": mode,
        "SECRET": SECRET,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
        "PYTHONIOENCODING": "utf-8",
    }
    fixed |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return kept | fixed | {"BACKUP_PATH": str(project / "backups")} | variables


def command(*arguments: str) -> list[str]:
    """Command line of a run; with the plugins alone that the reports build on, it starts faster."""
    plugins = ("no:cacheprovider", "pytest_metadata.plugin", "pytest_html.plugin")
    loaded = [f"-p{plugin}" for plugin in plugins]
    return [sys.executable, "-m", "pytest", *loaded, *arguments]


def drill(project: Path, *arguments: str, mode: str = "", **variables: str) -> Done:
    """Run the drill in small in `project`, of all criteria unless `arguments` say otherwise."""
    done = run_module(
        command(*(arguments or ("drill",)))[2:],
        cwd=project,
        env=environment(project, mode, **variables),
        timeout=60,
        merged=True,
    )
    return Done(done.returncode, done.stdout, project / "drill-report")
