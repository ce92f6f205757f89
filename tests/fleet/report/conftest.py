"""Three real drills, and fleets that are made of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from restore_drill.fleet.model import Database, Done
from restore_drill.fleet.report.run import Fleet
from restore_drill.watch.history import Drill
from tests.helpers.drills import run_drill
from tests.helpers.histories import FAILED, PASSED
from tests.helpers.shop import USUAL, Shops
from tests.helpers.shop_drills import CRITERIA

SECRET = "tok3n-that-nobody-reads"
UNDUE: Mapping[str, tuple[str, Drill | None]] = {
    "elsewhen": ("its schedule has it on Sunday", None),
    "rested": ("its last pass was 2 h ago", PASSED),
    "still": ("its last drill failed 2 h ago", FAILED),
}
KINDS = {"passed": 0, "failed": 1, "could-not-run": 6}


@dataclass(frozen=True)
class Real:
    """What one real drill has left: its files, as texts and bytes."""

    code: int
    result: str
    report: bytes
    junit: bytes

    def done(self, name: str, *, why: str = "", **changed: Any) -> Done:
        """The same of another database, its result `changed`."""
        result: dict[str, Any] = json.loads(self.result) | changed
        return Done(
            name, self.code, "tcp://10.0.0.4:3312", 3.25, result, self.report, self.junit, why
        )


@pytest.fixture(scope="session")
def real(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Real]:
    """A drill that passed, one of a damaged dump, one without its server; by their verdicts."""
    top = tmp_path_factory.mktemp("real")
    criteria = top / "criteria.toml"
    criteria.write_text(CRITERIA)
    found = {}
    for verdict, code in KINDS.items():
        (folder := top / verdict / "backups").mkdir(parents=True)
        path = folder / "shop.sql"
        shutil.copy(shops.dump(USUAL, "plain.sql"), path)
        if verdict == "failed":
            path.write_bytes(path.read_bytes().partition(b"COPY public.cards")[0])
        target = "container" if verdict == "could-not-run" else "embedded"
        drill = run_drill(
            f"--criteria={criteria}", "-k", "not redis", f"--target={target}",
            report_dir=top / verdict / "report", BACKUP_PATH=str(folder),
            DOCKER_HOST="tcp://127.0.0.1:9",  # nothing listens there
        )  # fmt: skip
        assert (drill.verdict, drill.code) == (verdict, code), drill.output
        names = ("report.html", "junit.xml")
        report, junit = ((drill.report_dir / name).read_bytes() for name in names)
        found[verdict] = Real(code, json.dumps(drill.result), report, junit)
    return found


Make = Callable[..., Fleet]


@pytest.fixture
def make(real: Mapping[str, Real]) -> Make:
    """Function that makes a run which has ended: the state of each database by its name.

    `lost` is a drill whose worker was lost, `usage` one with a wrong option, `warned` a pass with a
    warning, `unrecorded` one that its history lacks, `elsewhen` one that was not due, `rested`
    one that was not due and has passed before, `still` one that failed before, `left` one
    that was not begun.
    """

    def fleet(*, is_interrupted: bool = False, database: Database | None = None,
              **states: str) -> Fleet:  # fmt: skip
        database = database or Database("", "fleet.toml:1")
        databases = {name: replace(database, name=name) for name in states}
        run = Fleet(Path("fleet.toml"), databases)
        for name, state in states.items():
            add(run, name, state, real)
        run.close(is_interrupted=is_interrupted)
        return run

    return fleet


def add(run: Fleet, name: str, state: str, real: Mapping[str, Real]) -> None:
    """Note in `run` that the drill of `name` ended as `state` says."""
    if state in real:
        run.end(real[state].done(name), 1)
    elif state == "warned":
        run.end(real["passed"].done(name, warnings=["the restore took 3 times as long"]), 1)
    elif state == "unrecorded":
        done = real["passed"].done(name)
        run.end(replace(done, unrecorded="This drill was not recorded in s3://h: denied"), 1)
    elif state in ("incomplete", "sample"):
        run.end(real["passed"].done(name, verdict=state, strength=None, selection="-k backup"), 1)
    elif state == "lost":
        run.end(Done(name, None, "tcp://10.0.0.4:3312", 9.0, why="its worker was lost"), 3)
    elif state == "usage":
        run.end(Done(name, 4, "tcp://10.0.0.4:3312", 0.5), 1)
    elif state in UNDUE:
        run.leave_undue(name, *UNDUE[state], is_red=state == "still")
    elif state == "left":
        run.leave(name, "no worker has 2.0 TB of disk for it")
