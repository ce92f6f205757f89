"""Drills a physical backup in this process: which of the drill's criteria are red, and why."""

from __future__ import annotations

import importlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from restore_drill.backups.model import Backup, Contents, Head
from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import Physical
from restore_drill.backups.physical.verify import verify
from restore_drill.checks.names import CriteriaNames
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.damages.criterion import LEFT_OUT, Criterion
from restore_drill.facts.physical.examine import examine
from restore_drill.facts.physical.facts import read_all_facts
from restore_drill.facts.write_check import check_write
from restore_drill.recovery.archives.choice import archive_of
from restore_drill.recovery.goals import goal_of
from restore_drill.recovery.model import Recovered
from restore_drill.recovery.primary import first_of
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import make_shell
from restore_drill.restore.model import Restoration
from restore_drill.servers.launcher import small_environment
from tests.corpus.judge import BUDGETS, settings_with
from tests.helpers.drills import ROOT
from tests.helpers.shop import quiet

WHOLE = "test_backup_is_complete"
RECOVERY = "recovery"
"""Not a criterion: the server did not recover the backup, which is red by itself."""
REFUSED, UNABLE = "refused", "could not run"
"""A drill that did not begin (exit code 4), and one whose own means failed (6)."""
JOBS = 2
PEACEFUL = "-c lock_timeout=5s -c default_transaction_read_only=off -c statement_timeout=0"
LOCKED = "lock timeout"
"""What a peer says that waits for a prepared transaction, which a drill does not."""


@dataclass
class Seen:
    """What a drill came to: `red` criteria with their first line, and what is `told`.

    `peers` are what others find where nothing is red.
    """

    red: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    seconds: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of the red criteria, without their parameters."""
        return list(dict.fromkeys(name.partition("[")[0] for name in self.red))


@dataclass(frozen=True)
class Asked:
    """What is drilled: the backup at `path`, and what a user says of it."""

    path: Path
    goal: str = "latest"
    wal: Path | None = None
    timeline: str = "latest"
    set_name: str = ""
    with_peers: bool = True


def look(asked: Asked) -> Seen:
    """What a drill of `asked` comes to."""
    began, seen = time.monotonic(), Seen()
    try:
        drill(asked, seen)
    except UsageError as error:
        seen.red[REFUSED] = str(error)
    except BackupFault as error:
        seen.red[RECOVERY] = str(error)
    except CouldNotRun as error:
        seen.red[UNABLE] = str(error)
    seen.seconds = time.monotonic() - began
    return seen


def drill(asked: Asked, seen: Seen) -> None:
    """Verify it, and where that finds nothing recover it, examine it and ask all criteria."""
    physical = physical_at(asked.path, set_name=asked.set_name)
    if physical is None:
        raise UsageError(f"{asked.path.name} is no physical backup")
    with tempfile.TemporaryDirectory(prefix="drill-verified-") as folder:
        verified = verify(physical, Path(folder), lambda _: None)
    seen.told += [f"{what}: {why}" for what, why in verified.told]
    if verified.faults:
        seen.red[WHOLE] = "; ".join(verified.faults)
        return
    goal = goal_of(asked.goal, asked.timeline)
    with make_shell(physical, quiet) as shell:
        archive = archive_of(physical, asked.wal)
        found = recover(shell, physical, goal, archive, quiet, quiet)
        try:
            found.database = first_of(found.server.target(found.server.entry), found.databases, "")
            ask_all(found, physical, verified.faults, seen)
            if asked.with_peers and not seen.red:
                seen.peers += peers(found)
        finally:
            found.server.stop()


def ask_all(found: Recovered, physical: Physical, faults: tuple[str, ...], seen: Seen) -> None:
    """Examine the recovered server, and ask each criterion of a drill."""
    others = [name for name in found.databases if name != found.database]
    examination = examine(found.server, [found.database, *others], JOBS, quiet)
    facts = read_all_facts(examination, JOBS, quiet)
    target = found.server.target(found.database)
    settings = settings_with()
    seen.told += [f"{what}: {why}" for what, why in (*found.told, *examination.told)]
    seen.told += [*found.warnings, *examination.warnings]
    seen.rows = dict(facts.rows)
    values = {
        "backup": backup_of(physical),
        "contents": Contents("", Head(), rows=None, faults=faults),
        "recovered": found,
        "restoration": Restoration(target, "recovered", recovered=found),
        "examination": examination,
        "facts": facts,
        "restored": target,
        "settings": settings,
        "criteria_names": CriteriaNames(settings.criteria, frozenset(facts.relations)),
        "writes": lambda table: check_write(target, table),
    }
    for criterion in criteria(sorted(facts.relations)):
        is_asked = not criterion.asks - values.keys() - criterion.parameters.keys()
        if is_asked and (why := why_red(criterion, values)):
            seen.red[criterion.name] = why


def backup_of(physical: Physical) -> Backup:
    """What a drill knows of a backup before it reads it."""
    return Backup(
        path=physical.path, format=physical.kind, compression=physical.compression,
        size=physical.size, taken_at=physical.stopped_at or datetime.now(UTC),
        time_source="its own", physical=physical,
    )  # fmt: skip


def criteria(tables: list[str]) -> Iterator[Criterion]:
    """Criteria of a drill of a physical backup, those of a table once for each of `tables`."""
    for path in sorted((ROOT / "drill").glob("test_*.py")):
        module = importlib.import_module(f"drill.{path.stem}")
        if LEFT_OUT & marks_of(module):
            continue
        for name, function in vars(module).items():
            if not name.startswith("test_") or "of_a_dump" in marks_of(function):
                continue
            criterion = Criterion(name, function)
            if criterion.asks & BUDGETS:
                continue
            if "table" not in criterion.asks:
                yield criterion
                continue
            for table in tables:
                yield Criterion(f"{name}[{table}]", function, {"table": table})


def marks_of(what: Any) -> set[str]:
    """Names of the markers of a module or a function."""
    marks = getattr(what, "pytestmark", [])
    return {mark.name for mark in (marks if isinstance(marks, list) else [marks])}


def why_red(criterion: Criterion, values: dict[str, Any]) -> str:
    """First line of the message of `criterion` where it fails, else empty."""
    try:
        criterion.function(**criterion.arguments(values, values.__getitem__))
    except (AssertionError, BackupFault, pytest.fail.Exception) as error:
        return str(error).splitlines()[0] or criterion.name
    except (pytest.skip.Exception, CouldNotRun):
        pass
    return ""


def peers(found: Recovered) -> list[str]:
    """What pg_amcheck and pg_dumpall find in a server that the drill calls sound."""
    server = found.server
    way = server.target(server.entry).conninfo
    env = small_environment(server.binaries, str(ROOT)) | {
        "PGHOST": str(way["host"]), "PGPORT": str(way.get("port", "5432")), "PGUSER": way["user"],
        "PGOPTIONS": PEACEFUL,
    }  # fmt: skip
    deep = ["--all", "--install-missing", "--heapallindexed", "--parent-check", "--rootdescend"]
    return [*run("pg_amcheck", deep, found, env), *run("pg_dumpall", [], found, env)]


def run(tool: str, arguments: list[str], found: Recovered, env: dict[str, str]) -> list[str]:
    """What a peer complains of first, empty where it is content."""
    done = subprocess.run(
        [found.server.binaries.tool(tool), *arguments],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if not done.returncode:
        return []
    said = [line.strip() for line in done.stdout.splitlines() if "error:" in line.lower()]
    others = [line for line in said if LOCKED not in line]
    return [f"{tool}: {line[:200]}" for line in (others if said else ["it failed"])[:1]]
